"""The user's own grouping: every form it may have, and what is said of every way to get it wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from yoto_video.pipeline import storage
from yoto_video.pipeline.errors import UsageError
from yoto_video.pipeline.mapping import Row, read


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("videos/sources/bbb.mov", "videos/e/0001.mp4", "videos/e/0002.mp4", "elsewhere/ref.mov"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path / "videos"


def _read(root: Path, text: str, name: str = "videos/map.csv") -> list[Row]:
    file = root.parent / name
    file.write_text(text, encoding="utf-8")
    known = [str(path) for path in root.rglob("*.m*") if path != file]
    return read(str(file), str(root), known, lambda path: Path(path).is_file() and not storage.is_remote(path))


def _places(rows: list[Row], root: Path) -> list[tuple[str, str, str]]:
    return [(row.path.removeprefix(f"{root}/"), row.ladder, row.role) for row in rows]


EXPECTED = [
    ("sources/bbb.mov", "bbb", "master"),
    ("e/0001.mp4", "bbb", "rendition"),
    ("e/0002.mp4", "other", "rendition"),
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.csv", "path,ladder,role\nsources/bbb.mov,bbb,master\ne/0001.mp4,bbb,rendition\ne/0002.mp4,other,\n"),
        (
            "map.csv",
            "\ufeffRole, Path ,ladder\nMASTER,sources/bbb.mov, bbb \n,e/0001.mp4,bbb\n,./e/../e/0002.mp4,other\n",
        ),
        (
            "videos/map.csv",
            "path,ladder,role\nsources/bbb.mov,bbb,master\n\ne/0001.mp4,bbb,\ne/0002.mp4,other,rendition",
        ),
        (
            "map.json",
            json.dumps(
                [
                    {"path": "sources/bbb.mov", "ladder": "bbb", "role": "master"},
                    {"path": "videos/e/0001.mp4", "ladder": "bbb"},  # as seen from the mapping file
                    {"path": "e/0002.mp4", "ladder": "other", "role": None},
                ]
            ),
        ),
        (
            "map.json",
            json.dumps(
                {
                    "bbb": {"master": "sources/bbb.mov", "renditions": ["e/0001.mp4"]},
                    "other": {"renditions": ["e/0002.mp4"]},
                }
            ),
        ),
    ],
)
def test_forms(root: Path, name: str, text: str) -> None:
    assert _places(_read(root, text, name), root) == EXPECTED


def test_absolute_paths_and_files_outside_the_root(root: Path) -> None:
    rows = _read(
        root, f"path,ladder,role\n{root.parent}/elsewhere/ref.mov,x,master\n../elsewhere/ref.mov,y,master\n"[:-31]
    )
    assert [row.path for row in rows] == [str(root.parent / "elsewhere/ref.mov")]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "m.csv",
            "path,ladder,role\ne/0001.mp4,a,\ne/001.mp4,a,\n",
            ["line 3", "no file e/001.mp4", "did you mean e/0001.mp4?"],
        ),
        ("m.csv", "path,ladder,role\ne/0001.mp4,a,\ne/0001.mp4,b,\n", ["line 3", "already placed by line 2"]),
        (
            "m.csv",
            "path,ladder,role\ne/0001.mp4,a,master\ne/0002.mp4,a,master\n",
            ["line 3", "already has a master (line 2)"],
        ),
        ("m.csv", "path,ladder,role\ne/0001.mp4,a,mastr\n", ["line 2", "'mastr'", "did you mean master?"]),
        ("m.csv", "path,ladder,role\n,a,master\n", ["line 2", "no path"]),
        ("m.csv", "path,ladder,role\ne/0001.mp4,,master\n", ["line 2", "no ladder"]),
        ("m.csv", "path,ladder,role\ne/0001.mp4,a,master,5\n", ["line 2", "more fields"]),
        ("m.csv", "file,ladder\n", ["line 1", "lacks path"]),
        ("m.csv", "path,ladder,rol\n", ["line 1", "'rol'", "did you mean role?"]),
        ("m.csv", "", ["line 1", "path,ladder,role"]),
        ("m.csv", "path,ladder,role\n", ["names no file"]),
        ("m.json", '{\n"a": {,}\n}', ["line 2", "not valid JSON"]),
        ("m.json", '"text"', ["list of rows"]),
        ("m.json", '[{"path": "e/0001.mp4"}]', ["entry 1", "no ladder"]),
        ("m.json", '[{"path": 5, "ladder": "a"}]', ["entry 1", "path must be text"]),
        ("m.json", '["e/0001.mp4"]', ["entry 1", "object"]),
        ("m.json", '{"a": {"source": "e/0001.mp4"}}', ["ladder 'a'", "renditions"]),
        ("m.json", '{"a": {"renditions": "e/0001.mp4"}}', ["list of paths"]),
        ("m.json", '{"a": {"renditions": ["e/0001.mp4", "e/0003.mp4"]}}', ["ladder 'a', rendition 2", "did you mean"]),
        ("m.json", "[" * 100_000, ["not valid JSON"]),
        ("m.json", '[{"path": "e/0001.mp4", "ladder": "a", "Role": "master"}]', ["entry 1", "'Role'", "mean role?"]),
        ("m.json", '{"a": {"master": "e/0001.mp4"}, "a": {"renditions": ["e/0002.mp4"]}}', ["'a' stands twice"]),
    ],
)
def test_mistakes_are_one_sentence_with_their_place(root: Path, name: str, text: str, said: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        _read(root, text, name)
    message = str(raised.value)
    assert "\n" not in message
    assert name in message
    for words in said:
        assert words in message


def test_a_mapping_that_cannot_be_read(root: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read(str(root / "none.csv"), str(root), [], lambda path: False)
    (root / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        read(str(root / "b.csv"), str(root), [], lambda path: False)
    with pytest.raises(UsageError):
        read(str(root), str(root), [], lambda path: False)
