"""What two encoders can be held to: the same stretch, enough of both curves, and no more than their titles show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from yoto_video.jobs import cli
from yoto_video.jobs.moments import _Contents, _make
from yoto_video.jobs.pairing import by_ladder, pair
from yoto_video.pipeline import storage
from yoto_video.pipeline.errors import VideoError
from yoto_video.pipeline.values import VideoRef
from yoto_video.reports.bootstrap import Interval
from yoto_video.reports.compare import Comparison, _percents
from yoto_video.reports.compare_pages import build_comparison
from yoto_video.reports.compare_words import answer
from yoto_video.reports.metric_maps import fit
from yoto_video.reports.titles import Encode

from .clips import make
from .fakes import FakeJudge
from .synthetic_results import scored
from .test_compare import compared, encodes, side


def two(tmp_path: Path, *titles: str, **of_b: object) -> Comparison:
    a = side(tmp_path / "a", *(encodes("a", t) for t in titles))
    b = side(tmp_path / "b", *(encodes("b", t, **of_b) for t in titles))  # type: ignore[arg-type]
    return compared({"a": a, "b": b})


def test_other_stretches_of_a_title_are_not_compared(tmp_path: Path) -> None:
    title = two(tmp_path, "sea", duration_s=7.0).titles[0]
    assert title.reason is not None
    assert "an encode of b lasts 7.00 s, one of a 12.00 s" in title.reason
    (same,) = two(tmp_path / "near", "sea", duration_s=11.5).titles
    assert same.reason is None
    (faster,) = two(tmp_path / "pal", "sea", duration_s=8.0, rate_ratio=1.5).titles  # the same, played faster
    assert faster.reason is None


def test_one_encode_beside_its_master_does_not_choose_the_mode(tmp_path: Path) -> None:
    """All of both sides can be compared without one; with it, a single encode is left."""
    a = side(tmp_path / "a", encodes("a", "sea"))
    alone = encodes("b", "sea", modes=("nr",), saves=0.2)
    b = side(tmp_path / "b", [*alone, *encodes("b", "sea", modes=("fr",), saves=0.2)[:1]])
    there = compared({"a": a, "b": b})
    assert (there.titles[0].mode, there.titles[0].reason) == ("nr", None)
    assert there.overall("a", "b", "nr").delta.pchip == pytest.approx(-20, abs=2)


def test_a_titles_figure_does_not_depend_on_other_titles(tmp_path: Path) -> None:
    alone, among = two(tmp_path / "one", "sea", saves=0.1), two(tmp_path / "more", "city", "lake", "sea", saves=0.1)
    figures = [next(f for f in c.by_title("a", "b") if f.title == "sea") for c in (alone, among)]
    assert figures[0].rate == figures[1].rate


def test_two_titles_that_differ_show_nothing(tmp_path: Path) -> None:
    """Whether a third would save or cost, two cannot tell, however sure each of them is of itself."""
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"))
    b = side(tmp_path / "b", encodes("b", "sea", saves=0.05), encodes("b", "city", saves=0.3))
    there = compared({"a": a, "b": b})
    figure = there.overall("a", "b", "fr")
    assert figure.verdict == "no difference shown"
    assert "2 titles, beside the masters; more titles would narrow it" in answer(there)
    assert {f.verdict for f in there.by_title("a", "b")} == {"saves"}


def test_an_interval_from_a_tenth_to_ten_times_is_none(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"))
    b = side(tmp_path / "b", encodes("b", "sea"), encodes("b", "city", saves=0.6))
    figure = compared({"a": a, "b": b}).overall("a", "b", "fr")
    assert figure.rate is None
    assert figure.verdict == "cannot be told"


def test_a_large_saving_that_is_sure_is_given() -> None:
    sure = _percents(Interval(-2.9, -2.6, None))
    assert sure is not None
    assert -95 < sure.low < sure.high < -90
    assert _percents(Interval(-2.9, 0.1, None)) is None
    assert _percents(Interval(-0.1, 2.9, None)) is None


def steeper(label: str, title: str, factor: float) -> list:  # type: ignore[type-arg]
    """Encodes whose quality rises faster with rate than that of others, from a lower start."""
    made = []
    for one in encodes(label, title):
        moved = factor * (one.clip.score or 0) - (factor - 1) * 50
        path, mode, kbps = one.clip.path, one.clip.mode, one.clip.bitrate_kbps
        facts = {"bitrate_kbps": kbps, "reference": one.clip.reference, "result_id": f"{label}{path}{mode}"}
        made.append(scored(path, title, mode or "nr", moved, seconds=12, seed=len(title), **facts))
    return made


def test_curves_that_cross_are_said_to(tmp_path: Path) -> None:
    a, b = side(tmp_path / "a", encodes("a", "sea")), side(tmp_path / "b", steeper("b", "sea", 1.5))
    there = compared({"a": a, "b": b})
    (title,) = there.titles
    said = next(note for note in title.notes if "up to a score of about" in note)
    assert said.startswith("b needs more bits than a up to a score of about")
    assert said.endswith(", and fewer above")
    page = build_comparison(there, tmp_path, {}).read_text(encoding="utf-8")
    assert "<strong>sea</strong>: b needs more bits than a" in page.replace("B needs", "b needs")


def test_measures_that_fall_with_quality_have_a_falling_map(tmp_path: Path) -> None:
    there = two(tmp_path, "sea", "city")
    pairs = [(e, "a", 30.0 - (e.row.score or 0) / 4) for t in there.titles for e in t.sides[0]]
    title_of = {e.row.path: t.name for t in there.titles for e in t.encodes}
    found = fit("cambi", "fr", pairs, title_of)
    assert found is not None
    assert found.srocc == pytest.approx(-1, abs=0.02)
    ours = [row[1] for row in found.rows]
    assert (np.diff(ours) < 0).all()
    assert found.rmse < 2


def test_a_log_of_a_title_that_was_not_compared_says_so(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "alone"))
    b = side(tmp_path / "b", encodes("b", "sea"))
    log = tmp_path / "alone_500k.json"
    log.write_text('{"frames": [{"frameNum": 0, "metrics": {"vmaf": 50.0}}]}')
    cli.main(["compare", a, b, "--out", str(tmp_path / "out"), "--import", str(log)])
    page = (tmp_path / "out" / "compare" / "index.html").read_text(encoding="utf-8")
    assert "alone_500k.json: its title was not compared" in page


def test_names_that_differ_in_case_alone_find_their_own() -> None:
    rows = [by_ladder(scored(f"/{s}/{n}/x.mp4", n, "nr", 50).clip for n in ("Film", "film")) for s in "ab"]
    assert pair(rows) == {"Film": ["Film", "Film"], "film": ["film", "film"]}


def test_no_picture_is_taken_of_another_file_than_was_scored(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mp4", size=(64, 48), frames=6)
    now = storage.content_id(VideoRef(str(film)))
    facts = {"display": "64x48", "reference": str(film)}
    for of_encode, of_master in (("of before", now), (now, "of before"), (now, now)):
        row = scored(str(film), "film", "fr", 50, content_id=of_encode, **facts).clip
        encode = Encode(None, row, (0,), np.zeros(1), np.array([50.0]))  # type: ignore[arg-type]
        contents = _Contents([replace(row, content_id=of_master)])
        if of_encode == of_master:
            assert (tmp_path / _make(encode, 0, tmp_path, FakeJudge(), contents).encode).exists()
            return
        with pytest.raises(VideoError, match="another file lies there now"):
            _make(encode, 0, tmp_path, FakeJudge(), contents)
