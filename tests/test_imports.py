"""The arrows point down: jobs > reports > pipeline > models, and each heavy library has one room that knows it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("models", "pipeline", "reports", "jobs")  # lowest first: a room imports itself and the rooms before it
ONLY_IN = {  # library: folders that may import it
    "ray": ("jobs",),
    "plotly": ("reports",),
    "av": ("pipeline", "models/training"),
    "decord": ("pipeline",),
    "timm": ("models",),
    "openvino": ("models",),
}
# Reports read Parquet and pictures, never video: of the pipeline they need what describes and reads results.
PIPELINE_FOR_REPORTS = {
    *("before", "depth", "errors", "findings", "parts", "pool", "runs", "schema", "settings", "store", "text"),
    "values",
}

MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imports_of(where: str, source: str) -> Iterator[str]:
    """Absolute dotted names of everything a module imports, inside functions and under TYPE_CHECKING too."""
    package = ("yoto_video", *where.split("/")[:-1])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_what_its_room_may_know(path: Path) -> None:
    where = path.relative_to(ROOT).as_posix()
    room = where.split("/")[0]
    for name in imports_of(where, path.read_text(encoding="utf-8")):
        library, *inner = name.split(".")
        if library in ONLY_IN:
            assert where.startswith(tuple(f"{folder}/" for folder in ONLY_IN[library])), f"{where} imports {library}"
        if library != "yoto_video" or not inner or inner[0] not in ROOMS:
            continue
        assert ROOMS.index(inner[0]) <= ROOMS.index(room), f"{where} imports {name}: that arrow points up"
        if (room, inner[0]) == ("reports", "pipeline"):
            assert inner[1] in PIPELINE_FOR_REPORTS, f"{where} imports {name}: reports read Parquet, never video"


def test_imports_are_resolved_wherever_they_stand() -> None:
    source = (
        "import torch.nn\ndef f():\n    from ..jobs import cli\n    from . import errors\n    from .pool import pool\n"
    )
    expected = {"torch.nn", "yoto_video.jobs.cli", "yoto_video.pipeline.errors", "yoto_video.pipeline.pool.pool"}
    assert set(imports_of("pipeline/measure.py", source)) == expected


def test_the_root_runs_no_import() -> None:
    """pytest imports the root `__init__.py` as a module named `__init__`; an import there would run twice."""
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    outside_functions = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    found = [n for top in outside_functions for n in ast.walk(top) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert not found


@pytest.mark.parametrize("start", ["import yoto_video", "import yoto_video.jobs.cli"])
def test_starting_costs_nothing(start: str) -> None:
    """torch takes seconds to import and ray half of one: neither is loaded before it is needed."""
    heavy = {"torch", "timm", "ray", "plotly", "pyarrow", "av", "decord", "scipy", "matplotlib"}
    code = f"{start}; import sys; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
