"""What a scan says where there is no terminal."""

from __future__ import annotations

import pytest
from yoto_video.jobs import terminal
from yoto_video.jobs.terminal import EVERY_S, LOOKING_S, Terminal


def test_a_long_look_at_files_is_said_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, LOOKING_S - 1, LOOKING_S, LOOKING_S + EVERY_S - 1, LOOKING_S + EVERY_S])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    screen = Terminal()
    for looks in range(1, 6):
        screen.looked(100 * looks)
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[2] for line in said] == ["300 looks at files in 5 s", "500 looks at files in 35 s"]
