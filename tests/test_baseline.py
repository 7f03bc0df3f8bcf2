"""Gates against a run before: what changed, what cannot be compared, and what must not pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from yoto_video.jobs import cli
from yoto_video.jobs.gates import Gate, _regressions
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult
from yoto_video.reports.clip import MODES
from yoto_video.reports.drift import Change, Drift, drift
from yoto_video.reports.results import load

from .synthetic_results import HOSTILE, clips, lowered, result, run_row, scored, unscored, write


def test_changes_are_told_with_a_test_and_gate_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = str(write(tmp_path / "before", [clips()]))
    same = str(write(tmp_path / "same", [clips()]))
    worse = str(write(tmp_path / "worse", [lowered(clips(), 3)]))
    gate = ["--baseline", before, "--max-regression"]
    assert cli.main(["export", same, *gate, "0", "--to", str(tmp_path / "x")]) == 4  # not all have a score
    assert cli.main(["export", worse, *gate, "4", "--to", str(tmp_path / "x")]) == 4
    assert cli.main(["export", worse, *gate, "2", "--to", str(tmp_path / "x")]) == 3
    said = capsys.readouterr().err
    assert said.count("worse than before by 3.0 points") == 2  # FR of each video: NR where there is no FR
    assert "/v/a/one.mp4 (FR 6" in said
    found = drift(load(worse), load(before))
    assert [c.difference for c in found.changes] == pytest.approx([-3, -3, -3])
    assert all(c.shown for c in found.changes)
    assert all(c.difference == 0 and not c.shown for c in drift(load(same), load(before)).changes)


def test_a_gate_gives_as_many_digits_as_tell_why_it_failed(tmp_path: Path) -> None:
    """ "below 60: (NR 60.0)" helps nobody, nor does "worse by 0.0"."""
    now, last = (replace(scored("/v/a/one.mp4", "a", "nr", 60).clip, pools={"mean": mean}) for mean in (59.96, 60.0))
    assert Gate(fail_under=60).faults([now], str(tmp_path)) == {
        ("/v/a/one.mp4", "nr"): "below 60: /v/a/one.mp4 (NR 59.96)"
    }
    changes = Drift((Change(now, last, -0.04, None),), (), (), ())
    assert list(_regressions(changes, 0.0).values()) == [
        "worse than before by 0.04 points: /v/a/one.mp4 (NR 59.96), was 60.00"
    ]


def test_a_baseline_of_other_videos_passes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong path must not be a gate that is always open; what has gone since is said."""
    now = str(write(tmp_path / "now", [[scored("/v/a/one.mp4", "a", "nr", 60)]]))
    other = str(write(tmp_path / "other", [[scored("/w/b/six.mp4", "b", "nr", 60)]]))
    gate = ["--max-regression", "5", "--to", str(tmp_path / "x")]
    assert cli.main(["export", now, "--baseline", other, *gate]) == 3
    assert f"--baseline {other} has none of these videos" in capsys.readouterr().err
    both = [[scored(f"/v/a/{name}.mp4", "a", "nr", 60)] for name in ("one", "two")]
    more = str(write(tmp_path / "more", [[*both[0], *both[1]]]))
    assert cli.main(["export", now, "--baseline", more, *gate]) == 0
    assert "not among these results: 1 video of --baseline" in capsys.readouterr().err


def test_what_had_a_score_and_has_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (scored(f"/v/a/{name}.mp4", "a", "nr", 60) for name in ("one", "two"))
    before = str(write(tmp_path / "before", [[one, two]]))
    now = str(write(tmp_path / "now", [[one, unscored("/v/a/two.mp4", "a", "the file is empty")]]))
    gate = ["--max-regression", "5", "--to", str(tmp_path / "x")]
    assert cli.main(["export", now, "--baseline", before, *gate]) == 4
    assert f"without a score now: 1 video of --baseline {before}, /v/a/two.mp4 first" in capsys.readouterr().err
    assert drift(load(before), load(now)).mended == ("/v/a/two.mp4",)


def test_one_master_for_two_folders_hides_no_regression(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What both scans share is the master alone: encodes are still compared by their places."""

    def scan(name: str, mean: float) -> str:
        master = scored("/m/film.mp4", "film", "nr", 90)
        rows = [ClipResult(replace(master.clip, is_master=True), master.frames)]
        rows += [
            scored(f"/{name}/e{i}.mp4", "film", mode, mean, result_id=f"{name}{mode}") for i in (1, 2) for mode in MODES
        ]
        folder = write(tmp_path / name, [rows])
        with Store(str(folder)) as store:
            store.commit_run(replace(run_row([]), run_id="z", settings={"root_path": f"/{name}"}))
        return str(folder)

    last, tonight = scan("last", 60), scan("tonight", 40)
    gate = ["--baseline", last, "--max-regression", "2", "--to", str(tmp_path / "x")]
    assert cli.main(["export", tonight, *gate]) == 3
    assert "worse than before by 20.0 points: /tonight/e1.mp4 (FR " in capsys.readouterr().err
    assert drift(load(tonight), load(last)).gone == ()


@pytest.mark.parametrize("changed", [False, True])
def test_masters_beside_what_was_scanned_move_with_their_encodes(
    changed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy of the library: masters of --reference lie outside of the folder that is scanned, in both."""

    def scan(name: str, masters: str, mean: float, content: str) -> str:
        ladders = []
        for title in ("a", "b", "alone"):
            path, ids = f"/{masters}/{title}.mov", f"{name}{title}"
            made = scored(path, title, "nr", mean, result_id=ids, content_id=content + title)
            master = ClipResult(replace(made.clip, is_master=True), made.frames)
            mode, reference = ("nr", None) if title == "alone" else ("fr", path)
            encode = scored(f"/{name}/{title}/e.mp4", title, mode, 60, result_id=f"{ids}e", reference=reference)
            ladders.append([master, encode])
        folder = write(tmp_path / name, ladders)
        with Store(str(folder)) as store:
            store.commit_run(replace(run_row([]), run_id="z", settings={"root_path": f"/{name}"}))
        return str(folder)

    last = scan("last", "masters", 90, "bytes of ")
    tonight = scan("copy", "masters/of/tonight", 80, "other bytes of " if changed else "bytes of ")
    found = drift(load(tonight), load(last))
    moved = [(f"/masters/of/tonight/{t}.mov", -10) for t in ("a", "alone", "b") if t != "alone" or not changed]
    told = [(c.now.path, c.difference) for c in found.changes if c.now.is_master]
    assert sorted(told) == [(path, pytest.approx(by)) for path, by in moved]
    # One that nothing was compared with is known by its bytes alone.
    assert found.gone == (("/masters/alone.mov",) if changed else ())
    assert found.new == (("/masters/of/tonight/alone.mov",) if changed else ())
    gate = ["--baseline", last, "--max-regression", "2", "--to", str(tmp_path / "x")]
    assert cli.main(["export", tonight, *gate]) == 0  # masters are no encodes
    assert ("not among these results" in capsys.readouterr().err) == changed


def test_masters_that_share_a_place_are_not_confused(tmp_path: Path) -> None:
    """Another master for the same encode is another one; of two with the same bytes neither is sure."""

    def scan(name: str, *masters: str) -> str:
        rows = [scored(f"/{name}/{i}.mp4", "t", "fr", 60, reference=one) for i, one in enumerate(masters)]
        for one in masters:
            made = scored(one, "t", "nr", 90, content_id="twice" if "twin" in one else one)
            rows.append(ClipResult(replace(made.clip, is_master=True), made.frames))
        return str(write(tmp_path / name, [rows]))

    found = drift(load(scan("new", "/n/second.mov", "/n/y.mov")), load(scan("old", "/o/first.mov", "/o/y.mov")))
    assert (found.new, found.gone) == (("/n/second.mov",), ("/o/first.mov",))
    found = drift(load(scan("now", "/x/twin1.mov", "/y/twin2.mov")), load(scan("then", "/z/twin.mov", "/z/twin3.mov")))
    assert len(found.new) == len(found.gone) == 0  # each is what its encode was compared with


def test_what_moved_is_compared_though_something_stayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def scan(root: str, mean: float) -> str:
        rows = [scored("/else/shared.mp4", "s", "nr", 60, result_id="same")]
        rows += [scored(f"{root}/{n}.mp4", n, "nr", mean, result_id=f"{root}{n}") for n in ("one", "two")]
        folder = write(tmp_path / root.strip("/"), [[row] for row in rows])
        with Store(str(folder)) as store:
            store.commit_run(replace(run_row([]), run_id="z", settings={"root_path": root}))
        return str(folder)

    last, tonight = scan("/old", 60), scan("/new", 40)
    assert cli.main(["export", tonight, "--baseline", last, "--max-regression", "2", "--to", str(tmp_path / "x")]) == 3
    assert capsys.readouterr().err.count("worse than before by 20.0 points: /new/") == 2


def test_a_master_that_came_or_went_leaves_no_gate_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rows(mean: float, *modes: str) -> list[list[ClipResult]]:
        return [[scored("/v/a/one.mp4", "a", mode, mean, result_id=f"{mode}{mean}") for mode in modes]]

    compared, alone = str(write(tmp_path / "both", rows(60, "nr", "fr"))), str(write(tmp_path / "nr", rows(60, "nr")))
    worse = str(write(tmp_path / "worse", rows(50, "nr", "fr")))
    gate = ["--max-regression", "2", "--to", str(tmp_path / "x")]
    assert cli.main(["export", alone, "--baseline", compared, *gate]) == 3
    said = capsys.readouterr().err
    assert "cannot be compared with before: /v/a/one.mp4 (NR 59.1): compared with its master before, and" in said
    assert cli.main(["export", compared, "--baseline", alone, *gate]) == 0  # by NR, which both have
    assert cli.main(["export", worse, "--baseline", alone, *gate]) == 3
    assert "worse than before by 10.0 points: /v/a/one.mp4 (NR " in capsys.readouterr().err


def test_a_row_that_fails_twice_says_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = str(write(tmp_path / "before", [clips()]))
    worse = str(write(tmp_path / "worse", [lowered(clips(), 3)]))
    gates = ["--fail-under", "99", "--baseline", before, "--max-regression", "2"]
    assert cli.main(["export", worse, *gates, "--to", str(tmp_path / "x")]) == 3
    said = capsys.readouterr().err.splitlines()
    assert sum("below 99: /v/a/" in line and "; worse than before by 3.0 points" in line for line in said) == 2


def test_a_link_to_the_new_results_is_no_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = write(tmp_path / "out", [clips()])
    (tmp_path / "link").symlink_to(out)
    gate = ["--baseline", str(tmp_path / "link"), "--max-regression", "2"]
    assert cli.main(["export", str(out), *gate]) == 2
    assert "give a copy" in capsys.readouterr().err


def test_noise_is_no_regression_and_other_models_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same quality, other noise in every frame: the mean moves a little, the frames do not show it."""
    a = [scored("/v/a/one.mp4", "a", "nr", 60, seed=1, result_id="1")]
    b = [scored("/v/a/one.mp4", "a", "nr", 60, seed=5, result_id="2")]
    folders = [str(write(tmp_path / name, [rows])) for name, rows in (("a", a), ("b", b))]
    (change,) = drift(load(folders[1]), load(folders[0])).changes
    assert change.difference != 0
    assert not change.shown
    other = str(write(tmp_path / "other", [[ClipResult(replace(a[0].clip, model_sha256="9" * 64), a[0].frames)]]))
    gate = ["--baseline", folders[0], "--max-regression", "50"]
    assert cli.main(["export", other, *gate, "--to", str(tmp_path / "x")]) == 3
    assert "scored by another model" in capsys.readouterr().err


def test_a_gains_interval_reaches_below_nought(tmp_path: Path) -> None:
    """Differences are no scores, which end at 0."""
    old = scored("/v/a/one.mp4", "a", "nr", 60, seconds=2, result_id="1")
    better = tuple(replace(f, score=f.score + 6 * (i % 2)) for i, f in enumerate(old.frames))
    now = result(replace(old.clip, result_id="2"), better)
    folders = [str(write(tmp_path / name, [[one]])) for name, one in (("old", old), ("now", now))]
    (change,) = drift(load(folders[1]), load(folders[0])).changes
    assert change.interval is not None
    assert change.interval[0] < 0 < change.difference < change.interval[1]


def test_folders_that_moved_are_compared_by_place(tmp_path: Path) -> None:
    def at(root: str, mean: float) -> list[ClipResult]:
        return [scored(f"{root}/a/{n}.mp4", "a", "nr", mean, seed=3, result_id=f"{root}{n}") for n in ("one", "two")]

    before, now = write(tmp_path / "x", [at("/old", 60)]), write(tmp_path / "y", [at("/new/night", 55)])
    found = drift(load(str(now)), load(str(before)))
    assert [c.difference for c in found.changes] == pytest.approx([-5, -5], abs=0.01)
    for folder, root in ((before, "/old"), (now, "/new/night")):  # a new folder: now the roots that were scanned tell
        with Store(str(folder)) as store:
            store.commit_run(replace(run_row([]), run_id="z", settings={"root_path": root}))
    with Store(str(now)) as store:
        store.commit("b", [scored("/new/night/b/three.mp4", "b", "nr", 50)])
    found = drift(load(str(now)), load(str(before)))
    assert [c.difference for c in found.changes] == pytest.approx([-5, -5], abs=0.01)
    assert (found.new, found.gone) == (("b/three.mp4",), ())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--baseline", "before"], "go together"), (["--max-regression", "2"], "go together"),
        (["--baseline", "nowhere", "--max-regression", "2"], "--baseline"),
        (["--baseline", "out", "--max-regression", "2"], "give a copy"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["scan", "export"])
def test_a_wrong_gate_is_said_before_anything_is_done(
    command: str,
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "before", [clips()])
    write(tmp_path / "out", [clips()])
    first = ["scan", HOSTILE, "--out", "out"] if command == "scan" else ["export", "out"]
    assert cli.main([*first, *words]) == 2
    assert said in capsys.readouterr().err
