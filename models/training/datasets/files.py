"""Finding a set's files: published names differ in upper and lower case from their label files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy import asarray

from ..tables import DataError


class Files:
    """Pictures below a folder by name, whatever the case and sub-folder."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DataError(f"{folder}: this folder of the data set is missing; point --data at the folder above it")
        self.folder = folder
        self._by_name = {path.name.lower(): path for path in sorted(folder.rglob("*")) if path.is_file()}

    def __getitem__(self, name: str) -> Path:
        """The file of that name; one that is not there keeps its name, for `listing` to report."""
        return self._by_name.get(name.lower(), self.folder / name)


def need(path: Path) -> Path:
    """A file that the set cannot do without.

    Raises:
        DataError: it is not there.
    """
    if not path.is_file():
        raise DataError(f"{path}: this data set's label file is missing; point --data at the folder that holds it")
    return path


def first_folder(root: Path, *names: str) -> Path:
    """The first of these folders that exists, else the first name."""
    return next((root / name for name in names if (root / name).is_dir()), root / names[0])


def lines(path: Path) -> list[str]:
    """A label file's lines that are not empty.

    Raises:
        DataError: it is missing or no text.
    """
    try:
        return [line for line in need(path).read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file") from error


def matlab(path: Path, name: str) -> list[Any]:
    """The values of a variable in a MATLAB file (before version 7.3), cells unwrapped.

    Raises:
        DataError: the file is missing or broken, or has no such variable.
    """
    from scipy.io import loadmat

    need(path)
    try:
        content = loadmat(path)
    except Exception as error:  # of every kind, for damaged files
        raise DataError(f"{path}: cannot be read as a MATLAB file; fetch the data set again") from error
    if name not in content:
        raise DataError(f"{path}: has no variable {name!r}")
    return [value.ravel()[0] if value.size else "" for value in map(asarray, content[name].ravel())]
