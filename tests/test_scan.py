"""A scan from plan to report, with a judge that needs no weights: resuming, regrouping, failing."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from yoto_video.jobs.options import make_settings
from yoto_video.jobs.request import Request, below
from yoto_video.jobs.scan import scan
from yoto_video.pipeline import decode, measure
from yoto_video.pipeline.errors import TransientVideoError, UsageError
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipScore

from .clips import make
from .fakes import FakeJudge
from .scanning import SETTINGS, rows, run


def test_every_input_has_a_row_and_every_ladder_a_page(films: Path, out_dir: Path) -> None:
    result, judge, said = run(films, out_dir)
    by_path: dict[str, list[ClipScore]] = {}
    for clip in result.clips:
        by_path.setdefault(str(Path(clip.path).relative_to(films)), []).append(clip)
    assert set(by_path) == {str(p.relative_to(films)) for p in films.rglob("*") if p.is_file()}
    assert sorted(c.mode or "" for c in by_path["one/film_48p_50k.mp4"]) == ["fr", "nr"]
    assert [c.mode for c in by_path["one/film_master.mp4"]] == ["nr"]
    assert [c.mode for c in by_path["alone.mkv"]] == ["nr"]
    assert [(c.status, "0 bytes" in (c.reason or "")) for c in by_path["empty.mp4"]] == [("failed", True)]
    assert by_path["text.mp4"][0].status in ("failed", "skipped")
    assert (result.ok, result.ok + result.skipped + result.failed) == (12, len(result.clips)) or judge.encoded
    assert result.report.is_file()
    assert len(list((result.report.parent / "ladders").glob("*.html"))) >= 3
    assert list((out_dir / "pictures").rglob("*.webp"))
    with Store(out_dir, read_only=True) as store:
        (written,) = store.runs()
    assert written.settings["root_path"] == str(films)
    assert (written.ok, written.failed, written.reused) == (result.ok, result.failed, 0)
    assert {"decode", "inference", "wall"} <= set(result.seconds)
    assert said == []


def test_a_second_scan_measures_nothing_and_says_so(library: Path, out_dir: Path) -> None:
    first, *_ = run(library, out_dir)
    before = rows(out_dir)
    second, judge, said = run(library, out_dir)
    assert judge.encoded == 0
    assert said == [f"nothing to measure; up to date: {len(first.clips)} results"]
    assert rows(out_dir) == before
    assert (second.measured, second.up_to_date) == (0, len(first.clips))
    assert (second.ok, second.skipped, second.failed) == (first.ok, first.skipped, first.failed)


def test_only_what_changed_is_measured(library: Path, out_dir: Path) -> None:
    run(library, out_dir)
    before = {(r["path"], r["mode"]): r for r in rows(out_dir)}
    changed = make(library / "one" / "film_48p_50k.mp4", size=(64, 48), frames=12, options={"crf": "20"})
    result, _, said = run(library, out_dir)
    assert result.measured == 2  # its NR and its FR
    assert any("new or changed: 1 video" in sentence for sentence in said)
    after = {(r["path"], r["mode"]): r for r in rows(out_dir)}
    assert after.keys() == before.keys()
    assert {path for path, mode in after if after[path, mode] != before[path, mode]} == {str(changed)}


def test_a_master_from_elsewhere_goes_when_its_ladder_has_another(library: Path, out_dir: Path, tmp_path: Path) -> None:
    """Not below what is scanned, it would stay for good, and the ladder's page would show two."""
    for name, crf in (("first", "1"), ("second", "8")):
        (tmp_path / name).mkdir()
        make(tmp_path / name / "film_master.mp4", size=(128, 96), frames=12, options={"crf": crf})
    (library / "one" / "film_master.mp4").unlink()
    for name in ("first", "second"):
        run(library / "one", out_dir, reference=str(tmp_path / name / "film_master.mp4"))
        with Store(out_dir, read_only=True) as store:
            assert [c.path for c in store.clips() if c.is_master] == [str(tmp_path / name / "film_master.mp4")]
    run(library / "one", out_dir)
    with Store(out_dir, read_only=True) as store:
        assert not any(c.is_master or c.mode == "fr" for c in store.clips())


def test_a_master_stays_while_another_folder_needs_it(library: Path, out_dir: Path, tmp_path: Path) -> None:
    """Two folders into one OUT, with ladders of one name: neither scan takes the other's master."""
    other = tmp_path / "other"
    shutil.copytree(library / "one", other)
    masters = set()
    for root in (library / "one", other):
        alone = replace(SETTINGS, compare=False)  # no row says what it was compared with
        run(root, out_dir, settings=alone)
        masters.add(str(root / "film_master.mp4"))
        with Store(out_dir, read_only=True) as store:
            assert {c.path for c in store.clips() if c.is_master} == masters


def test_another_master_changes_the_comparisons(library: Path, out_dir: Path) -> None:
    run(library, out_dir)
    make(library / "one" / "film_master.mp4", size=(128, 96), frames=12, options={"crf": "1"})
    assert run(library, out_dir)[0].measured == 5  # the master, and two encodes in both modes


@pytest.mark.parametrize("change", [{"fps": 4.0}, {"min_frames": 4}, {"display": (32, 24)}, {"seed": 1}, {"crops": 2}])
def test_other_settings_are_other_results(films: Path, out_dir: Path, change: dict[str, Any]) -> None:
    run(films / "one", out_dir)
    settings = make_settings(**(asdict(SETTINGS) | change))
    assert run(films / "one", out_dir, settings)[0].measured == 5


def test_no_resume_measures_everything_again(films: Path, out_dir: Path) -> None:
    run(films / "one", out_dir)
    before = rows(out_dir)
    result, *_ = run(films / "one", out_dir, resume=False)
    assert (result.measured, result.up_to_date) == (5, 0)
    assert rows(out_dir) == before


@pytest.mark.parametrize("known", [False, True])
def test_a_file_that_is_replaced_while_it_is_judged_is_measured_again(
    known: bool, tmp_path: Path, out_dir: Path
) -> None:
    film, other = tmp_path / "in" / "film.mp4", tmp_path / "other.mp4"
    film.parent.mkdir()
    make(film, size=(64, 48), frames=12)
    make(other, size=(64, 48), frames=24)
    for path in (film, other):  # as `rsync -a` and `mv` leave them: the time is the content's
        os.utime(path, (1_700_000_000,) * 2)

    class Slow(FakeJudge):
        def encode(self, frames: Any, turns: Any = None) -> Any:
            if other.exists():
                other.replace(film)
            return super().encode(frames, turns)

    if known:  # a second look, whose task brings what was found out before
        run(film.parent, out_dir, replace(SETTINGS, min_frames=4))
    scan(Request(str(film.parent), str(out_dir), SETTINGS, workers=0), load=lambda _: Slow())
    assert not other.exists()
    (clip,) = run(film.parent, out_dir)[0].clips
    assert clip.duration_s == pytest.approx(0.96)
    assert run(film.parent, out_dir)[0].measured == 0


def test_a_file_that_is_replaced_by_one_of_its_size_and_time_is_measured_again(tmp_path: Path, out_dir: Path) -> None:
    film, other = tmp_path / "in" / "film.mp4", tmp_path / "other.mp4"
    film.parent.mkdir()
    make(film, size=(64, 48), frames=24)
    make(other, size=(64, 48), frames=12)
    other.write_bytes(other.read_bytes().ljust(film.stat().st_size, b"\0"))
    for path in (film, other):
        os.utime(path, (1_700_000_000,) * 2)
    assert run(film.parent, out_dir)[0].measured == 1
    assert run(film.parent, out_dir)[0].measured == 0
    shutil.copy2(other, film)
    (clip,) = run(film.parent, out_dir)[0].clips
    assert clip.duration_s == pytest.approx(0.48)


def test_what_only_a_second_try_measures_is_counted_once(
    tmp_path: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "film.mp4", size=(64, 48), frames=12)
    real, tries = decode.read_frames, []

    def flaky(ref: Any, *args: Any, **more: Any) -> Any:
        tries.append(ref)
        if len(tries) == 1:
            raise TransientVideoError(ref.path, "storage did not answer")
        return real(ref, *args, **more)

    monkeypatch.setattr(decode, "read_frames", flaky)
    result, *_ = run(tmp_path / "film.mp4", out_dir)
    assert [(c.status, c.mode) for c in result.clips] == [("ok", "nr")]
    with Store(out_dir, read_only=True) as store:
        assert (result.measured, store.runs()[-1].reused) == (1, 0)


def test_files_that_are_gone_lose_their_rows_and_new_ones_gain_them(library: Path, out_dir: Path) -> None:
    run(library, out_dir)
    (library / "alone.mkv").rename(library / "renamed.mkv")
    shutil.rmtree(library / "two")
    result, _, said = run(library, out_dir)
    assert "4 videos are no longer there or needed; the results were removed" in said
    left = {Path(str(r["path"])).relative_to(library).as_posix() for r in rows(out_dir)}
    assert left == {p.relative_to(library).as_posix() for p in library.rglob("*") if p.is_file()}
    assert result.measured == 1


def test_a_file_uri_is_the_folder_it_names(films: Path, out_dir: Path) -> None:
    run(films / "one", out_dir)
    result = scan(Request((films / "one").as_uri(), str(out_dir), SETTINGS, workers=0), load=lambda _: FakeJudge())
    assert (result.measured, result.up_to_date) == (0, 5)


def test_results_of_other_folders_stay(films: Path, out_dir: Path) -> None:
    run(films / "one", out_dir)
    result, *_ = run(films / "two", out_dir)
    assert len(rows(out_dir)) == 10
    assert len(result.clips) == 5


def test_a_regrouped_ladder_is_filed_anew_without_measuring(films: Path, out_dir: Path) -> None:
    run(films / "one", out_dir)
    names = {r["ladder"] for r in rows(out_dir)}
    _, judge, _ = run(films, out_dir)  # from one folder higher, the ladder has another name
    mine = [r for r in rows(out_dir) if str(r["path"]).startswith(f"{films}/one/")]
    assert len(mine) == 5
    assert {r["ladder"] for r in mine}.isdisjoint(names)
    again = FakeJudge()
    scan(Request(str(films / "two"), str(out_dir.parent / "other"), SETTINGS, workers=0), load=lambda _: again)
    assert judge.encoded - again.encoded < again.encoded  # only `two` and the single file were judged


def test_killed_at_any_commit_a_rerun_ends_with_the_rows_of_an_undisturbed_run(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(films, tmp_path / "undisturbed")
    expected = rows(tmp_path / "undisturbed")

    class Killed(BaseException):
        """As good as SIGKILL to everything above."""

    real = Store.commit
    for survivors in range(4):
        out, left = tmp_path / f"killed-{survivors}", [survivors]

        def commit(store: Store, *args: Any, left: list[int] = left) -> bool:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return real(store, *args)

        monkeypatch.setattr(Store, "commit", commit)
        with pytest.raises(Killed):
            run(films, out)
        monkeypatch.setattr(Store, "commit", real)
        result, *_ = run(films, out)
        assert rows(out) == expected
        assert bool(result.up_to_date) == bool(survivors)


def test_what_cannot_be_planned_is_written_once(library: Path, out_dir: Path) -> None:
    (library / "bad.mpd").write_text("<MPD")
    run(library, out_dir)
    before = {path: path.stat().st_mtime_ns for path in (out_dir / "clips").iterdir()}
    assert [c.reason for c in run(library, out_dir)[0].clips if c.path.endswith("bad.mpd")]
    assert {path: path.stat().st_mtime_ns for path in (out_dir / "clips").iterdir()} == before


def test_what_may_pass_is_tried_again_by_the_next_run(
    films: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = measure.measure_ladder, []

    def broken(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        raise MemoryError("no room")

    monkeypatch.setattr("yoto_video.jobs.work.measure_ladder", broken)
    result, *_ = run(films / "alone.mkv", out_dir)
    (clip,) = result.clips
    assert (clip.status, clip.mode, clip.retryable) == ("failed", None, True)
    assert "MemoryError: no room" in (clip.reason or "")
    monkeypatch.setattr("yoto_video.jobs.work.measure_ladder", real)
    (clip,) = run(films / "alone.mkv", out_dir)[0].clips
    assert clip.status == "ok"


def test_the_gate_is_the_comparison_where_there_is_one() -> None:
    def row(path: str, mode: Any, score: float, master: bool = False) -> ClipScore:
        return ClipScore(path, "l", mode, "ok", is_master=master, pools={"mean": score}, frames=1)

    clips = [
        row("/m", "nr", 10, master=True), row("/a", "nr", 20), row("/a", "fr", 80), row("/b", "nr", 90),
        row("/b", "fr", 40), row("/c", "nr", 30), ClipScore("/d", "l", None, "failed", "broken"),
    ]  # fmt: skip
    assert [(c.path, c.mode) for c in below(clips, 50)] == [("/b", "fr"), ("/c", "nr")]
    assert below(clips, 5) == []


def test_wrong_requests_are_refused_before_anything_is_written(films: Path, out_dir: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        run(films / "nowhere", out_dir)
    (out_dir.parent / "hollow").mkdir()
    with pytest.raises(UsageError, match=r"hollow: .*give a folder"):
        run(out_dir.parent / "hollow", out_dir)
    assert not out_dir.exists()
    (out_dir.parent / "file").touch()
    with pytest.raises(UsageError):
        run(films, out_dir.parent / "file" / "out")
