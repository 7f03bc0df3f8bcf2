"""A small run of benchmarks/chaos_scan.py: killed while requests fail, nothing is lost and nothing is there twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_killed_again_and_again_while_requests_fail(project_root: Path) -> None:
    words = ["--clips", "8", "--kills", "3", "--faults", "0.1", "--seed", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos_scan", *words], cwd=project_root, env=os.environ | {"COLUMNS": "200"},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 clips, {'scan': 3} killed" in done.stdout
    assert "0 clips without a row, 0 rows lost, 0 doubled, 0 not as undisturbed" in done.stdout
