"""What a run changed: kept from before by links, told with a test, and nothing of it lost when a run is killed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from yoto_video.pipeline.before import folder_before, keep_before
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult
from yoto_video.reports.changes import since_before
from yoto_video.reports.pages import build_report
from yoto_video.reports.results import load

from .synthetic_results import HOSTILE, ladder, lowered, run_row, scored, write


def ended(store: Store, number: int) -> None:
    run = run_row([])
    store.commit_run(replace(run, run_id=f"run-{number}", started_at=run.started_at + timedelta(days=number)))


def rescanned(out: Path, results: list[ClipResult], number: int) -> None:
    """What a scan does to a folder: keeps what was, commits, notes its run."""
    with Store(str(out)) as store:
        keep_before(store)
        store.commit(results[0].clip.ladder, results)
        ended(store, number)


def text(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_the_first_run_has_nothing_before_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    rescanned(out, ladder("sea"), 1)
    assert folder_before(Store(out, read_only=True)) is None
    assert 'id="changes"' not in build_report(out).read_text(encoding="utf-8")


def test_worse_encodes_are_told_with_their_interval(tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "∕")
    out = write(tmp_path / "out", [ladder("sea"), ladder("city", seed=1), ladder("wood", seed=2), ladder(name, seed=3)])
    for number, (title, seed) in enumerate((("sea", 0), ("city", 1), ("wood", 2), (name, 3)), 1):
        with Store(str(out)) as store:
            if number == 1:
                keep_before(store)
            store.commit(title, lowered(ladder(title, seed=seed), 4, content_id="new"))
    with Store(str(out)) as store:
        ended(store, 2)
    page = build_report(out)
    said = text(page)
    assert "Drift, worse: −4.00 points in the mean over 4 ladders" in said
    assert "the file changed" in said
    assert "<img src=x" not in page.read_text(encoding="utf-8")
    found = since_before(load(out), {})
    assert found is not None
    assert (found["same"], found["worse"], found["better"]) == (0, found["changed"], 0)


def test_of_one_ladder_no_drift_is_told_and_none_denied(tmp_path: Path) -> None:
    out = write(tmp_path / "out", [ladder("sea", quality=20), ladder("city", seed=1)])
    rescanned(out, lowered(ladder("sea", quality=20), 17.35), 2)
    said = text(build_report(out))
    assert "FR One ladder changed, by −17.35 points: drift cannot be told from one." in said
    assert "o drift shown" not in said
    found = since_before(load(out), {})
    assert found is not None
    assert [m["verdict"] for m in found["modes"]] == ["cannot be told"] * 2  # type: ignore[attr-defined]


def test_one_result_is_told_as_one(tmp_path: Path) -> None:
    alone = scored("/v/sea.mp4", "sea", "nr", 60)
    out = write(tmp_path / "out", [[alone]])
    rescanned(out, [alone], 2)
    assert "Nothing changed: 1 result is as it was." in text(build_report(out))
    rescanned(out, lowered([alone], 9), 3)
    assert "1 result measured anew, 0 as before." in text(build_report(out))


def test_a_run_that_measures_nothing_changes_nothing(tmp_path: Path) -> None:
    out = write(tmp_path / "out", [ladder("sea")])
    with Store(str(out)) as store:
        keep_before(store)
        ended(store, 2)
    assert "Nothing changed: 21 results are as they were." in text(build_report(out))


def test_a_killed_run_does_not_make_its_half_the_state_before(tmp_path: Path) -> None:
    out = write(tmp_path / "out", [ladder("sea"), ladder("city", seed=1)])
    with Store(str(out)) as store:  # killed after its first ladder
        keep_before(store)
        store.commit("sea", lowered(ladder("sea"), 4))
    rescanned(out, lowered(ladder("city", seed=1), 4), 2)
    found = since_before(load(out), {})
    assert found is not None
    assert found["changed"] == 42
    rescanned(out, ladder("city", seed=1), 3)
    found = since_before(load(out), {})
    assert found is not None
    assert (found["changed"], found["better"], found["same"]) == (21, 21, 21)


def test_what_is_kept_is_what_was(tmp_path: Path) -> None:
    out = write(tmp_path / "out", [ladder("sea")])
    before = load(out).store.clips()
    rescanned(out, lowered(ladder("sea"), 9), 2)
    kept = folder_before(Store(out, read_only=True))
    assert kept is not None
    assert load(kept).store.clips() == before
    assert load(out).store.clips() != before
