"""Charts: what stands in the figure, read back from its JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.values import ClipResult
from yoto_video.reports import figures, ladder_figures
from yoto_video.reports.clip import Series
from yoto_video.reports.read import LadderTable, gather
from yoto_video.reports.tables import worth

from .synthetic_results import HOSTILE, ladder, scored, unscored


def table(results: list[ClipResult]) -> LadderTable:
    return gather([r.clip for r in results]).ladders[0]


def series(results: list[ClipResult]) -> dict[tuple[str, str], Series]:
    return {
        (r.clip.path, str(r.clip.mode)): Series(
            np.array([f.pts_time for f in r.frames]),
            np.array([f.score for f in r.frames]),
            np.array([f.shot for f in r.frames]),
        )
        for r in results
        if r.frames
    }


def spec(figure: object) -> dict[str, Any]:
    assert figure is not None
    assert isinstance(figure, figures.Chart)
    return json.loads(figure.json)


def numbers(axis: Any) -> list[float]:
    """A trace's x or y, which Plotly may have packed."""
    if isinstance(axis, dict):
        import base64

        return np.frombuffer(base64.b64decode(axis["bdata"]), dtype=axis["dtype"]).tolist()
    return list(axis)


def test_every_rendition_of_a_tall_ladder_looks_different() -> None:
    results = [scored(f"/v/{c}{i}.mp4", "l", "nr", 50, codec=c) for c in ("h264", "hevc", "av1") for i in range(12)]
    made = figures.styles(table(results).clips)
    assert len(set(made.values())) == len(results)


@pytest.mark.parametrize(("codecs", "sizes", "rates"), [(1, 5, 8), (1, 8, 3), (2, 4, 3), (2, 7, 6)])
def test_where_sizes_have_several_rates_their_lines_have_their_colours(codecs: int, sizes: int, rates: int) -> None:
    results = [
        scored(f"/{c}_{h}_{k}.mp4", "l", "nr", 10 * np.log(k) + h / 100, codec=c, height=h, width=h, bitrate_kbps=k)
        for c in ("h264", "hevc")[:codecs]
        for h in (240, 360, 480, 540, 720, 1080, 1440, 2160)[:sizes]
        for k in np.linspace(300, 9000, rates)
    ]
    made = figures.styles((t := table(results)).clips)
    assert len(set(made.values())) == len(results)
    shown = spec(ladder_figures.rate_quality(t, "nr", made))
    lines = [d for d in shown["data"] if d["mode"] == "lines+markers"]
    assert len(lines) == codecs * sizes
    assert figures.GREY not in {d["marker"]["color"] for d in lines}
    marks = {(d["marker"]["color"], d["marker"]["symbol"], d["line"]["dash"]) for d in lines}
    assert len(marks) == len(lines)
    points = [set(d["marker"]["color"]) for d in shown["data"] if d["mode"] == "markers+text"]
    assert points == [{d["marker"]["color"]} for d in lines]


def test_a_bar_says_how_many_it_holds() -> None:
    shown = spec(figures.distribution(table([scored("/a.mp4", "l", "nr", 50, seconds=0.5)]).clips))
    (bar,) = shown["data"]
    assert {told for _, told in bar["customdata"]} == {"0 renditions", "1 rendition"}
    assert bar["hovertemplate"] == "NR score %{customdata[0]}: %{customdata[1]}<extra></extra>"


def test_the_histogram_counts_every_scored_clip_once_in_its_mode() -> None:
    clips = table(ladder("title", seed=3)).clips
    shown = spec(figures.distribution(clips))
    totals = {t["name"]: sum(numbers(t["y"])) for t in shown["data"]}
    assert totals == {"FR renditions": 10, "NR renditions": 10, "NR masters": 1}


def test_a_perfect_score_is_in_the_histogram() -> None:
    clips = table([scored("/a.mp4", "l", "fr", 400), scored("/b.mp4", "l", "nr", -99)]).clips
    assert sorted((c.score("fr"), c.score("nr")) for c in clips if c.score("fr")) == [(100, None)]
    shown = spec(figures.distribution(clips))
    assert [sum(numbers(t["y"])) for t in shown["data"]] == [1, 1]


def test_nothing_scored_draws_nothing() -> None:
    empty = table([unscored("/a.mp4", "l", "broken")])
    assert figures.distribution(empty.clips) is None
    assert figures.by_size_and_codec(empty.clips) is None
    assert ladder_figures.rate_quality(empty, "nr", figures.styles(empty.clips)) is None
    assert ladder_figures.over_time(empty.clips, {}, figures.styles(empty.clips)) is None


def test_boxes_are_the_five_numbers_of_each_size_and_codec() -> None:
    results = [scored(f"/{i}.mp4", "l", "nr", v, seconds=0.5) for i, v in enumerate((20, 30, 40, 50, 90))]
    clips = table(results).clips
    (box,) = spec(figures.by_size_and_codec(clips))["data"]
    values = sorted(c.score("nr") or 0 for c in clips)
    assert box["y"] == ["1080p h264 (5)"]
    assert numbers(box["median"]) == [pytest.approx(values[2])]
    assert numbers(box["upperfence"]) == [pytest.approx(values[4])]
    axis = spec(figures.by_size_and_codec(clips))["layout"]["xaxis"]
    assert (axis["hoverformat"], axis["ticktext"]) == (".1f", ["0", "25", "50", "75", "100"])


def test_boxes_by_name_are_the_lowest_groups_with_the_lowest_on_top() -> None:
    results = [scored(f"/{t:02d}/{i}.mp4", f"t{t:02d}", "nr", 20 + 5 * t + i) for t in range(12) for i in range(3)]
    clips = [c for found in gather([r.clip for r in results]).ladders for c in found.clips]
    (box,) = spec(figures.by_name(clips, lambda c: c.ladder))["data"]
    assert box["y"] == [f"t{t:02d} (3)" for t in range(9, -1, -1)]
    medians = numbers(box["median"])
    assert medians == sorted(medians, reverse=True)
    (box,) = spec(figures.by_name(clips, lambda c: "x" * 40 + c.ladder + "y" * 40))["data"]
    assert len(set(box["y"])) == 10  # names that are cut alike are told apart
    assert figures.by_name(clips[:3], lambda c: c.ladder) is None
    (box,) = spec(figures.by_name(clips, lambda c: HOSTILE + c.ladder))["data"]
    assert "<" not in "".join(box["y"])


def test_one_line_a_codec_where_each_size_has_one_rate() -> None:
    shown = spec(ladder_figures.rate_quality(t := table(ladder("title")), "fr", figures.styles(t.clips)))
    assert [d["name"] for d in shown["data"] if d.get("showlegend", True)] == ["hull of a codec", "hevc", "h264"]
    assert shown["layout"]["xaxis"]["type"] == "log"


def test_one_line_a_resolution_where_a_size_has_several_rates() -> None:
    results = [
        scored(f"/{h}_{k}.mp4", "l", "nr", 10 * np.log(k) + h / 100, height=h, width=h, bitrate_kbps=float(k))
        for h in (720, 1080)
        for k in (500, 1000, 2000)
    ]
    shown = spec(ladder_figures.rate_quality(t := table(results), "nr", figures.styles(t.clips)))
    names = [d["name"] for d in shown["data"] if d.get("name")]
    assert {"h264 720p", "h264 1080p"} <= set(names)
    assert not shown["layout"].get("shapes")  # no master, no line for it


def test_a_line_is_named_by_the_same_size_as_its_points() -> None:
    results = [
        scored(f"/{w}x{h}_{k}.mp4", "l", "nr", 10 * np.log(k), width=w, height=h, bitrate_kbps=float(k))
        for w, h in ((1920, 800), (720, 1280))
        for k in (500, 1000, 2000)
    ]
    shown = spec(ladder_figures.rate_quality(t := table(results), "nr", figures.styles(t.clips)))
    assert {d["name"] for d in shown["data"] if d.get("name")} == {"hull of a codec", "h264 1080p", "h264 720p"}
    assert [text for d in shown["data"] for text in d.get("text", []) if text] == ["720p", "1080p"]


def test_an_encode_without_a_measured_rate_is_left_out_of_the_curve() -> None:
    results = ladder("title", codecs=("h264",))
    still = scored("/media/vod/title/poster.png", "title", "nr", 70, bitrate_kbps=None, duration_s=None, fps=None)
    shown = spec(ladder_figures.rate_quality(t := table([*results, still]), "nr", figures.styles(t.clips)))
    assert all("poster" not in json.dumps(d) for d in shown["data"])


def test_an_encode_of_other_pictures_is_on_no_curve() -> None:
    results = ladder("title", codecs=("h264",), master="none")
    said = Finding("not compared with its master: they do not show the same pictures", "not_compared", "error")
    other = scored("/media/vod/title/other.mp4", "title", "nr", 70, bitrate_kbps=500.0, findings=(said,))
    shown = table([*results, other])
    made = spec(ladder_figures.rate_quality(shown, "nr", figures.styles(shown.clips)))
    assert all("other.mp4" not in json.dumps(d) for d in made["data"])
    assert "/media/vod/title/other.mp4" not in worth(shown, "nr")
    assert len(worth(shown, "nr")) == len(results)


def test_a_score_without_an_interval_is_said_to_have_none() -> None:
    still = scored("/media/vod/title/poster_1.png", "title", "nr", 70, seconds=0.5)
    other = scored("/media/vod/title/poster_2.mp4", "title", "nr", 60, bitrate_kbps=900.0)
    shown = spec(ladder_figures.rate_quality(t := table([still, other]), "nr", figures.styles(t.clips)))
    said = {label: span for d in shown["data"] for label, _, span in d.get("customdata", [])}
    assert said["poster_1.png"] == "no interval"
    assert said["poster_2.mp4"].startswith("95 %: ")


def test_time_lines_share_one_axis_and_carry_their_clips_place() -> None:
    results = ladder("title", codecs=("h264",))
    clips = table(results).clips
    shown = spec(ladder_figures.over_time(clips, series(results), figures.styles(clips)))
    assert {t["xaxis"] for t in shown["data"]} == {"x"}
    assert {t["yaxis"] for t in shown["data"]} == {"y", "y2", "y3"}
    traces = [t for t in shown["data"] if t["name"] != "scene cut"]
    lines, told = ([t for t in traces if (t["yaxis"] == "y3") is last] for last in (False, True))
    for trace in lines:
        assert clips[int(trace["legendgroup"])].label == trace["name"]
    for trace in told:  # findings: a row a clip, below
        assert [clips[int(trace["legendgroup"])].label] * 2 == trace["y"]
    assert [numbers(t["x"]) for t in told] == [[4.25, 7.5], [9.0, 9.16]]
    domains = [shown["layout"][f"yaxis{axis}"]["domain"] for axis in ("", "2", "3")]
    assert domains[2][0] == 0
    assert domains[2][1] < domains[1][0] < domains[1][1] < domains[0][0] < domains[0][1] == 1
    fr = [t for t in traces if t["yaxis"] == "y"]
    assert len(fr) == 5  # the master is not compared with itself
    assert shown["layout"]["yaxis"]["title"]["text"] == "FR score"


def test_long_clips_are_told_in_minutes_and_seconds() -> None:
    results = [scored("/a.mp4", "l", "nr", 50, seconds=600)]
    clips = table(results).clips
    shown = spec(ladder_figures.over_time(clips, series(results), figures.styles(clips)))
    assert shown["layout"]["xaxis"]["type"] == "date"
    assert max(numbers(shown["data"][-1]["x"])) == pytest.approx(max(f.pts_time for f in results[0].frames) * 1000)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=400), st.sampled_from([4, 10, 60]))
def test_thinning_keeps_the_worst_and_best_frame_and_the_order(scores: list[float], most: int) -> None:
    times, kept = ladder_figures.thin(np.arange(len(scores), dtype=float), np.array(scores), most)
    assert len(kept) <= max(most, len(scores) if len(scores) <= most else 0)
    assert kept.min() == min(scores)
    assert kept.max() == max(scores)
    assert (np.diff(times) > 0).all()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=5))
def test_the_score_axis_holds_every_value_and_is_never_dramatic(values: list[float]) -> None:
    low, high = ladder_figures.score_range(values)
    assert 0 <= low <= min(values)
    assert max(values) <= high <= 101
    assert high - low >= 30


def test_a_name_with_markup_is_text_in_a_figure() -> None:
    results = ladder(HOSTILE, codecs=(HOSTILE,))
    t = table(results)
    style = figures.styles(t.clips)
    boxes = figures.by_size_and_codec(t.clips)
    timeline = ladder_figures.over_time(t.clips, series(results), style)
    for figure in (ladder_figures.rate_quality(t, "fr", style), timeline, boxes):
        assert figure is not None
        assert "<" not in str(figure.json)  # cannot end the script element it stands in
        assert "<img" not in json.dumps(spec(figure))  # and is no markup for Plotly either


def test_scene_cuts_cross_every_row_where_most_clips_have_them() -> None:
    results = ladder("title", codecs=("h264",))  # of 20 s, with cuts at 6, 11 and 15.6
    clips, known = table(results).clips, series(results)
    first = next(iter(known))
    known[first] = known[first]._replace(shots=known[first].shots + (known[first].times > 3.0))  # one more in one clip
    shown = spec(ladder_figures.over_time(clips, known, figures.styles(clips)))
    lines = [t for t in shown["data"] if t["name"] == "scene cut"]
    assert {t["yaxis"] for t in lines} == {"y", "y2"}
    for line in lines:
        assert line["x"][2::3] == line["y"][2::3] == [None] * 3
        assert line["x"][::3] == line["x"][1::3] == pytest.approx([6.0, 11.0, 15.6], abs=0.5)
        assert line["customdata"][0].startswith("scene cut between 5.")
    older = {key: s._replace(shots=None) for key, s in known.items()}
    plain = spec(ladder_figures.over_time(clips, older, figures.styles(clips)))
    assert "scene cut" not in {t["name"] for t in plain["data"]}
