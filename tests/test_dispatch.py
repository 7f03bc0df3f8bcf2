"""What becomes of work that gets lost: nothing is measured for ever, nothing disappears, one bad file costs one row."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.jobs.dispatch import MOVES, TRIES, Dispatcher
from yoto_video.jobs.work import Done, Lost, Outcome, Task
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.ladder_result import LadderResult
from yoto_video.pipeline.values import ClipResult, ClipScore, Ladder, Rendition, VideoRef


def ladder(name: str, *paths: str, master: str | None = None) -> Ladder:
    renditions = tuple(Rendition(VideoRef(path)) for path in paths)
    return Ladder(name, renditions, VideoRef(master) if master else None)


def measured(task: Task, *, retryable: frozenset[str] = frozenset()) -> Done:
    """Every video of the task with a row: failed where it is worth another try."""
    rows = []
    for video in task.ladder.videos:
        if task.todo is not None and video.path not in task.todo:
            continue
        why = (
            {"status": "failed", "reason": "slow storage"}
            if video.path in retryable
            else {"status": "skipped", "reason": "x"}
        )
        rows.append(
            ClipResult(
                ClipScore(
                    path=video.path, ladder=task.ladder.name, mode=None, retryable=video.path in retryable,
                    result_id=f"id {video.path}", findings=(Finding(task.finding),) if task.finding else (), **why,
                )
            )
        )  # fmt: skip
    return Done(task, LadderResult(rows))


class FakeCrew:
    """Does what it is told to each task, and counts."""

    workers = 2

    def __init__(self, act: Callable[[Task, int], Outcome], size: int = 2) -> None:
        self.act, self.size = act, size
        self.sent: list[Task] = []
        self.under_way: deque[Task] = deque()
        self.most = 0

    def free(self) -> bool:
        return len(self.under_way) < self.size

    def send(self, task: Task) -> None:
        assert self.free()
        self.under_way.append(task)
        self.sent.append(task)
        self.most = max(self.most, len(self.under_way))

    def wait(self) -> Outcome:
        task = self.under_way.popleft()
        return self.act(task, sum(1 for other in self.sent if other.ladder == task.ladder))


def rows_of(tasks: list[Task], crew: FakeCrew) -> list[ClipScore]:
    """Rows as a store would hold them: the last one of a path counts."""
    found = {r.clip.path: r.clip for done in Dispatcher(tasks, crew).results() for r in done.result.results}
    return sorted(found.values(), key=lambda clip: clip.path)


def kills(*poison: str, how: str = "died") -> Callable[[Task, int], Outcome]:
    def act(task: Task, _: int) -> Outcome:
        if {video.path for video in task.ladder.videos} & set(poison):
            return Lost(task, how, f"the worker {how}")  # type: ignore[arg-type]
        return measured(task)

    return act


def test_work_is_handed_out_a_bounded_number_at_a_time() -> None:
    drawn = []

    def tasks():  # type: ignore[no-untyped-def]
        for number in range(20):
            drawn.append(number)
            yield Task(ladder(f"l{number}", f"/{number}"))

    crew = FakeCrew(lambda task, _: measured(task), size=3)
    results = Dispatcher(tasks(), crew).results()
    next(results)
    assert len(drawn) <= 4
    assert len(list(results)) == 19
    assert crew.most == 3


def test_a_ladder_whose_worker_died_once_is_simply_tried_again() -> None:
    task = Task(ladder("film", "/a", "/b", master="/m"))
    crew = FakeCrew(lambda task, tries: Lost(task, "died", "gone") if tries == 1 else measured(task))
    assert [clip.status for clip in rows_of([task], crew)] == ["skipped"] * 3
    assert [sent.ladder for sent in crew.sent] == [task.ladder] * 2


def test_a_poisonous_file_costs_its_own_row_and_no_other() -> None:
    task = Task(ladder("film", "/a", "/bad", "/b", master="/m"))
    crew = FakeCrew(kills("/bad"))
    clips = rows_of([task, Task(ladder("other", "/c"))], crew)
    assert [(c.path, c.status) for c in clips] == [
        ("/a", "skipped"), ("/b", "skipped"), ("/bad", "failed"), ("/c", "skipped"), ("/m", "skipped"),
    ]  # fmt: skip
    bad = clips[2]
    assert bad.reason == "the worker died"
    assert bad.retryable
    whole = [sent for sent in crew.sent if "/bad" in {v.path for v in sent.ladder.videos}]
    assert len(whole) == 3  # twice with the others, once alone
    assert crew.sent[-1].ladder.master == VideoRef("/m")  # what remains is one ladder still


def test_without_its_master_a_ladder_is_measured_and_says_so() -> None:
    task = Task(ladder("film", "/a", "/b", master="/m"), todo=frozenset({"/a"}))
    clips = rows_of([task], FakeCrew(kills("/m")))
    assert [(c.path, c.status) for c in clips] == [("/a", "skipped")]  # what is known of the others stands
    assert "not compared with its master" in clips[0].sentences[0]
    clips = rows_of([replace(task, todo=None)], FakeCrew(kills("/m")))
    assert [(c.path, c.status, c.is_master) for c in clips] == [
        ("/a", "skipped", False), ("/b", "skipped", False), ("/m", "failed", True),
    ]  # fmt: skip


def test_what_was_not_to_be_measured_keeps_its_rows_whatever_dies() -> None:
    """A worker that dies of /b twice, and would of /a, which nobody asked for."""
    for deadly in (("/a", "/b"), ("/b",), ("/b", "/m")):
        task = Task(ladder("film", "/a", "/b", master="/m"), todo=frozenset({"/b"}))
        crew = FakeCrew(kills(*deadly))
        assert [(c.path, c.status) for c in rows_of([task], crew)] == [("/b", "failed")]
        assert all({v.path for v in sent.ladder.videos} != {"/a"} for sent in crew.sent)


def test_last_tries_go_on_side_by_side() -> None:
    beside: list[int] = []

    def act(task: Task, tries: int) -> Outcome:
        if tries == 1:
            return measured(task, retryable=frozenset(video.path for video in task.ladder.videos))
        beside.append(len(crew.under_way))
        return measured(task)

    crew = FakeCrew(act, size=4)
    clips = rows_of([Task(ladder(f"film {i}", f"/{i}")) for i in range(8)], crew)
    assert [c.status for c in clips] == ["skipped"] * 8
    assert beside == [3, 3, 3, 3, 3, 2, 1, 0]


def test_a_machine_that_goes_away_is_no_fault_of_what_it_judged() -> None:
    """Often enough to have condemned every file, had the workers died by themselves."""
    task = Task(ladder("film", "/a", "/b"))
    told: list[Lost] = []
    crew = FakeCrew(lambda task, tries: Lost(task, "gone", "gone") if tries <= 2 * TRIES else measured(task))
    (done,) = Dispatcher([task], crew, lost=told.append).results()
    assert [r.clip.status for r in done.result.results] == ["skipped"] * 2
    assert [sent.ladder for sent in crew.sent] == [task.ladder] * (2 * TRIES + 1)
    assert len(told) == 2 * TRIES


def test_machines_that_never_stay_end_it_all_the_same() -> None:
    crew = FakeCrew(lambda task, _: Lost(task, "gone", "gone"))
    assert [c.status for c in rows_of([Task(ladder("film", "/a"))], crew)] == ["failed"]
    assert len(crew.sent) == MOVES + 1


def test_a_stop_finishes_what_is_under_way_and_sends_nothing_more() -> None:
    crew = FakeCrew(lambda task, tries: Lost(task, "died", "gone") if task.ladder.name == "l1" else measured(task))
    stopped: list[bool] = []
    tasks = [Task(ladder(f"l{number}", f"/{number}")) for number in range(6)]
    names = []
    for done in Dispatcher(tasks, crew, stopped=lambda: bool(stopped)).results():
        names.append(done.task.ladder.name)
        stopped.append(True)
    assert names == ["l0"]  # and l1 is not tried again: the next run has it
    assert len(crew.sent) == 2


def test_a_worker_that_joins_late_is_given_work_at_once() -> None:
    class Growing(FakeCrew):
        def wait(self) -> Outcome | None:  # type: ignore[override]
            if self.size == 1:
                self.size = 3
                return None
            return super().wait()

    crew = Growing(lambda task, _: measured(task), size=1)
    assert len(rows_of([Task(ladder(f"l{n}", f"/{n}")) for n in range(5)], crew)) == 5
    assert crew.most == 3


@pytest.mark.parametrize("how", ["hung", "error"])
def test_what_hung_once_is_not_waited_for_three_times(how: str) -> None:
    crew = FakeCrew(kills("/bad", how=how))
    assert [c.status for c in rows_of([Task(ladder("film", "/bad"))], crew)] == ["failed"]
    assert len(crew.sent) == 1
    crew = FakeCrew(kills("/bad", how=how))
    assert [c.status for c in rows_of([Task(ladder("film", "/a", "/bad"))], crew)] == ["skipped", "failed"]
    assert Counter("/bad" in {v.path for v in t.ladder.videos} for t in crew.sent)[True] == 2


def test_videos_that_die_only_together_are_recorded_too() -> None:
    def act(task: Task, _: int) -> Outcome:
        return Lost(task, "died", "gone") if len(task.ladder.videos) > 1 else measured(task)

    crew = FakeCrew(act)
    clips = rows_of([Task(ladder("film", "/a", "/b"))], crew)
    assert [(c.status, c.reason) for c in clips] == [("failed", "gone")] * 2
    assert len(crew.sent) == 5


def test_rows_worth_another_try_get_one_when_all_else_is_done() -> None:
    def act(task: Task, tries: int) -> Outcome:
        slow = frozenset({"/slow"}) if tries == 1 else frozenset()
        return measured(task, retryable=slow)

    crew = FakeCrew(act, size=1)
    clips = rows_of([Task(ladder("film", "/a", "/slow")), Task(ladder("other", "/c"))], crew)
    assert [c.status for c in clips] == ["skipped"] * 3
    assert [t.ladder.name for t in crew.sent] == ["film", "other", "film"]
    assert crew.sent[-1].todo == {"/slow"}


def test_a_row_that_stays_bad_is_recorded_as_it_was() -> None:
    crew = FakeCrew(lambda task, _: measured(task, retryable=frozenset({"/slow"})))
    clips = rows_of([Task(ladder("film", "/a", "/slow"))], crew)
    assert [(c.path, c.status) for c in clips] == [("/a", "skipped"), ("/slow", "failed")]
    assert len(crew.sent) == 2


@given(
    ladders=st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=4),
    fates=st.lists(st.sampled_from(["done", "done", "retry", "died", "gone", "hung", "error"]), max_size=40),
    size=st.integers(1, 3),
)
def test_every_video_ends_with_a_row_whatever_happens(
    ladders: list[tuple[int, bool]], fates: list[str], size: int
) -> None:
    tasks, paths = [], set()
    for number, (count, has_master) in enumerate(ladders):
        names = [f"/{number}/{i}" for i in range(count)]
        master = f"/{number}/m" if has_master else None
        tasks.append(Task(ladder(f"l{number}", *names, master=master)))
        paths |= {*names, *([master] if master else [])}
    fate = iter(fates)

    def act(task: Task, _: int) -> Outcome:
        what = next(fate, "done")
        if what in ("died", "gone", "hung", "error"):
            return Lost(task, what, what)  # type: ignore[arg-type]
        slow = frozenset(v.path for v in task.ladder.videos) if what == "retry" else frozenset()
        return measured(task, retryable=slow)

    crew = FakeCrew(act, size)
    assert {clip.path for clip in rows_of(tasks, crew)} == paths
    assert crew.most <= size
    assert len(crew.sent) <= 16 * len(paths) + fates.count("gone")
