"""`yoto_video.score` and `yoto_video.scan`: what the commands do, as functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yoto_video
from yoto_video.jobs import cli
from yoto_video.pipeline.convert import clip_json
from yoto_video.pipeline.errors import UsageError

from .clips import make
from .fakes import FakeJudge


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch) -> FakeJudge:
    """No weights are needed here."""
    fake = FakeJudge()
    monkeypatch.setattr("yoto_video.models.judge.Judge.load", lambda *_, **__: fake)
    return fake


@pytest.fixture
def film(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    folder.mkdir()
    make(folder / "film_master.mp4", size=(96, 64), frames=8)
    make(folder / "film_64p_40k.mp4", size=(96, 64), frames=8, options={"crf": "45"})
    return folder


def test_score_gives_a_row_a_mode(film: Path, judge: FakeJudge) -> None:
    (alone,) = yoto_video.score(film / "film_64p_40k.mp4")
    assert (alone.mode, alone.status, alone.display) == ("nr", "ok", "96x64")
    without, compared = yoto_video.score(film / "film_64p_40k.mp4", film / "film_master.mp4", display="48x32")
    assert (without.mode, compared.mode, compared.display) == ("nr", "fr", "48x32")
    assert compared.reference == str(film / "film_master.mp4")
    assert compared.score == compared.pools["mean"]
    assert judge.sizes == {(64, 96), (32, 48)}
    assert not (film / "pictures").exists()


def test_a_copy_of_the_master_compares_as_equal(film: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes((film / "film_master.mp4").read_bytes())
    assert yoto_video.score(copy, reference=film / "film_master.mp4")[1].score == 100


def test_score_says_what_the_command_says(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(film / "film_64p_40k.mp4"), str(film / "film_master.mp4")]
    rows = yoto_video.score(*paths, fps=4, seed=3)
    command = ["score", paths[0], "--reference", paths[1], "--fps", "4", "--seed", "3", "--format", "json"]
    assert cli.main(command) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()[:-1]]
    assert printed == [clip_json(row) for row in rows]


def test_a_still_picture_is_a_one_frame_video(tmp_path: Path) -> None:
    from PIL import Image

    Image.linear_gradient("L").convert("RGB").save(tmp_path / "still.png")
    (row,) = yoto_video.score(tmp_path / "still.png")
    assert (row.status, row.frames, row.duration_s) == ("ok", 1, None)


def test_a_video_against_itself_is_at_the_top(film: Path) -> None:
    rows = yoto_video.score(film / "film_master.mp4", film / "film_master.mp4")
    assert [(r.mode, r.is_master) for r in rows] == [("nr", False), ("fr", False)]
    assert rows[1].score == rows[1].pools["min"] == 100


def test_broken_videos_are_rows_and_wrong_requests_are_errors(film: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (row,) = yoto_video.score(tmp_path / "empty.mp4")
    assert (row.status, row.mode) == ("failed", None)
    with pytest.raises(UsageError, match="no such file"):
        yoto_video.score(tmp_path / "none.mp4")
    with pytest.raises(UsageError, match="is a folder"):
        yoto_video.score(film)
    with pytest.raises(UsageError, match="did you mean 'display'"):
        yoto_video.score(film / "film_master.mp4", dislpay="48x32")  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="workers"):
        yoto_video.scan(film, tmp_path / "out", workers=-1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda film: yoto_video.score(film, fps="abc"), "fps must be a number, not 'abc'"),
        (lambda film: yoto_video.score(film, fps=True), "fps must be a number, not True"),
        (lambda film: yoto_video.score(film, crops=6.5), "crops must be a whole number, not 6.5"),
        (lambda film: yoto_video.score(film, device=0), "device must be text, not 0"),
        (lambda film: yoto_video.score(film, compare="no"), "compare must be True or False, not 'no'"),
        (lambda film: yoto_video.score(film, display=720), "two whole numbers, not 720"),
        (lambda film: yoto_video.score(film, display=("a", "b")), "two whole numbers"),
        (lambda film: yoto_video.score(b"x.mp4"), "path must be a path or URI, .* not bytes"),
        (lambda film: yoto_video.score(np.zeros((2, 2, 3))), "path must be a path or URI, .* not ndarray"),
        (lambda film: yoto_video.score(film, 5), "reference must be a path or URI"),
        (lambda film: yoto_video.scan(film, out=None), "out must be a path or URI"),
        (lambda film: yoto_video.scan(film, workers="2"), "workers must be a whole number"),
        (lambda film: yoto_video.scan(film, budget=5), "budget must be text, not 5"),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_wrong_request(call: Callable[[Path], Any], said: str, film: Path) -> None:
    with pytest.raises(UsageError, match=said):
        call(film / "film_master.mp4")


def test_numbers_of_other_libraries_are_numbers(film: Path) -> None:
    rows = yoto_video.score(film / "film_master.mp4", fps=Fraction(1, 2), seed=np.int64(3))  # type: ignore[arg-type]
    assert [row.status for row in rows] == ["ok"]


def test_scan_gives_rows_counts_and_a_report(film: Path, tmp_path: Path, judge: FakeJudge) -> None:
    result = yoto_video.scan(film, out=tmp_path / "out", fps=1)
    assert (result.ok, result.skipped, result.failed) == (3, 0, 0)
    assert [(Path(c.path).name, c.mode) for c in result.clips] == [
        ("film_master.mp4", "nr"), ("film_64p_40k.mp4", "fr"), ("film_64p_40k.mp4", "nr"),
    ]  # fmt: skip
    assert result.report == tmp_path / "out" / "report" / "index.html"
    assert result.report.is_file()
    assert result.measured == 3
    judged = judge.encoded
    again = yoto_video.scan(film, out=tmp_path / "out", fps=1)
    assert (again.measured, again.up_to_date, judge.encoded) == (0, 3, judged)
