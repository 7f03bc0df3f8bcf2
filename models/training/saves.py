"""What a training run leaves on disk to go on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from .tables import DataError


def _read(path: Path) -> dict[str, Any]:
    """A save.

    Raises:
        DataError: it cannot be read.
    """
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except OSError:
        raise
    except Exception as error:  # of whatever kind: the bytes are read as a program
        raise DataError(f"{path}: this save is damaged; delete it to begin again") from error
    return state


def go_on(path: Path, parts: Mapping[str, Any]) -> int:
    """Give each part what a save has for it (`load_state_dict`). Returns the steps done.

    Raises:
        DataError: it cannot be read, or is of another network.
    """
    state = _read(path)
    try:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        return int(state["step"])
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: a save of another network, or another version's; delete it to begin again") from error


def write_save(state: dict[str, object], path: Path) -> None:
    """Write a save whole, or not at all."""
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def cut_log(path: Path, done: int) -> None:
    """Leave of a log the steps before `done`: those after it will be done again. A line that was cut off goes, too."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        aside = path.with_suffix(".part")
        aside.write_text("".join(line for line in lines if _before(line, done)), encoding="utf-8")
        aside.replace(path)


def _before(line: str, done: int) -> bool:
    """Whether a line of a log is whole, and of an earlier step."""
    try:
        return bool(line.endswith("\n") and json.loads(line)["step"] < done)
    except (ValueError, KeyError, TypeError):
        return False
