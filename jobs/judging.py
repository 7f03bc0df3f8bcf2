"""Tasks through a crew, and what comes back into the store; all of them, or as far as a budget goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..pipeline.discover import Plan
from ..pipeline.identity import ladder_ids
from ..pipeline.settings import Settings
from ..pipeline.storage import FileEntry
from ..pipeline.store import Store
from ..pipeline.text import plain
from ..pipeline.values import ClipScore
from .budget import Budget, Closer, Purse, choose, frames_in, not_looked_at
from .dispatch import Crew, Dispatcher
from .known import ContentIds, Known, Stamp
from .request import Listener
from .work import Done, Task


class Judging:
    """Sends tasks to a crew and commits their results ladder by ladder.

    Args:
        store: where results go.
        kept: by ladder, rows that hold but are filed elsewhere; they move when their ladder is committed.
        files: by path, what a listing said of them.
        listener: told what goes on.
        stopped: asked before a task is sent.

    Attributes:
        seconds: by stage, summed over workers.
        frames: that went through the network.
        bytes_read: from object stores.
        measured: path and mode of the rows that were measured.
        outdated: videos that keep rows of other settings, or beside another master: the budget did not reach them.
    """

    def __init__(
        self, store: Store, kept: dict[str, list[ClipScore]], files: Mapping[str, FileEntry], listener: Listener,
        stopped: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.store, self.files, self.stopped = store, files, stopped
        self.seconds: dict[str, float] = {}
        self.frames = self.bytes_read = self.outdated = 0
        self.measured: set[tuple[str, str | None]] = set()
        self._kept, self._listener = kept, listener
        self._stamps: dict[str, Stamp | None] = {}  # by path, as the file was before it was read

    def run(
        self, what: str, tasks: Iterable[Task], crew: Crew, *, videos: int, work: float, share: Callable[[Task], float],
        paid: Callable[[Done], None] = lambda _: None,
    ) -> None:  # fmt: skip
        """Have tasks done.

        Args:
            what: the name of this stage.
            tasks: drawn from as workers become free.
            crew: does them.
            videos, work: in all tasks; `work` is whatever `share` of a task counts.
            share: a task's part of `work`.
            paid: told of each task as it comes back.
        """
        with self._listener.stage(what, videos, work):
            tasks = self._stamped(tasks)
            for done in Dispatcher(tasks, crew, stopped=self.stopped, lost=self._listener.lost).results():
                paid(done)
                began = time.perf_counter()
                self._commit(done)
                spent = done.result.seconds | {"store": time.perf_counter() - began}
                for stage in spent.keys() - {"wall"}:
                    self.seconds[stage] = self.seconds.get(stage, 0.0) + spent[stage]
                self.frames += done.result.frames
                self.bytes_read += done.result.bytes_read
                self.measured |= {(plain(r.clip.path), r.clip.mode) for r in done.result.results}
                self._listener.measured(done)
                self._listener.advanced(done.task.videos, share(done.task))

    def _stamped(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """The same; how a task's files look is noted when it is drawn, before anybody reads them."""
        contents = ContentIds(self.store, self.files)
        for task in tasks:
            self._stamps |= {video.path: contents.stamp(video) for video in task.ladder.videos}
            yield task

    def _commit(self, done: Done) -> None:
        """A ladder's pictures, then its rows: what the rows name is there when they are."""
        self.store.save_pictures(done.pictures)
        fresh = {(r.clip.path, r.clip.mode) for r in done.result.results}
        moved = [row for row in self._kept.pop(done.task.ladder.name, []) if (row.path, row.mode) not in fresh]
        self.store.commit(done.task.ladder.name, done.result.results, moved)
        contents = ContentIds(self.store, self.files)
        for video in done.task.ladder.videos:
            if done.task.content_ids.get(video.path):  # known from before this stamp, and remembered then
                continue
            found = next((r.clip.content_id for r in done.result.results if r.clip.path == video.path), "")
            contents.remember(video, found, self._stamps.get(video.path))


class Budgeted:
    """First looks at everything, then closer ones, as far as a budget goes.

    Args:
        budget: of the run.
        plan: what there is.
        settings: of a full look.
        model_sha256: of the network.
        judging: does it.
        crew: does it.
        purse: what is left.
    """

    def __init__(
        self, budget: Budget, plan: Plan, settings: Settings, model_sha256: str, judging: Judging, crew: Crew,
        purse: Purse,
    ) -> None:  # fmt: skip
        self._budget, self._plan, self._settings, self._model = budget, plan, settings, model_sha256
        self._judging, self._crew, self._purse = judging, crew, purse

    def run(self, known: Known) -> None:
        """Look at everything once, where that was not done before; then closer."""
        left = known.tasks
        while left and not self._judging.stopped():
            before, left = left, self._look(left)
            if len(left) == len(before):  # while others were under way, less was left than there is now
                self._note(left)
                break
        self._purse.closer()
        tried: set[str] = set()
        while not self._judging.stopped():  # what closer looks take is better known after each round
            rows = [row for row in self._judging.store.clips() if row.path not in tried]
            chosen = choose(self._plan, rows, self._settings, self._purse)
            seen = self._look_closer(chosen) if chosen else set()
            if not seen:
                return
            tried |= seen

    def _look(self, tasks: Sequence[Task]) -> list[Task]:
        """Take a first look, as far as it goes; returns what did not fit."""
        passed_over: list[Task] = []
        affordable = self._affordable(((t, frames_in(t, self._plan, self._settings)) for t in tasks), passed_over)
        videos = sum(task.videos for task in tasks)
        self._judging.run(
            "first look", affordable, self._crew, videos=videos, work=videos, share=lambda task: task.videos,
            paid=self._paid,
        )  # fmt: skip
        return passed_over

    def _look_closer(self, chosen: Sequence[Closer]) -> set[str]:
        """Look closer, as far as it goes; returns the paths that were looked at, as the store has them."""
        frames = {one.ladder.name: one.frames for one in chosen}
        passed_over: list[Task] = []
        tasks = self._affordable(((self._task(one), one.frames) for one in chosen), passed_over)
        self._judging.run(
            "closer look", tasks, self._crew, videos=sum(len(one.paths) for one in chosen), work=sum(frames.values()),
            share=lambda task: frames.get(task.ladder.name, 0), paid=self._paid,
        )  # fmt: skip
        left = {task.ladder.name for task in passed_over}
        return {plain(path) for one in chosen if one.ladder.name not in left for path in one.paths}

    def _affordable(self, tasks: Iterable[tuple[Task, int]], passed_over: list[Task]) -> Iterator[Task]:
        """Those that fit in what is left when their turn comes."""
        for task, frames in tasks:
            if self._purse.fits(frames):
                self._purse.ask(task.ladder.name, frames)
                yield task
            else:
                passed_over.append(task)

    def _paid(self, done: Done) -> None:
        self._purse.paid(done.task.ladder.name, done.result.frames, done.result.seconds.get("wall", 0.0))

    def _task(self, one: Closer) -> Task:
        contents = ContentIds(self._judging.store, self._judging.files)
        return Task(one.ladder, one.paths, content_ids={v.path: contents.of(v) for v in one.ladder.videos})

    def _note(self, tasks: Sequence[Task]) -> None:
        """Rows for what was not reached, where nothing is known of the file as it is now; else what is known stays."""
        store = self._judging.store
        contents = ContentIds(store, self._judging.files)
        known = {row.path: row.content_id for row in store.clips() if row.depth != "none"}
        ids = store.known()
        for task in tasks:
            ladder = task.ladder
            current = set[str]()
            # Only what was judged before is read for its id: not a library that the budget never reached.
            content = {v.path: contents.of(v) if plain(v.path) in known else "" for v in ladder.videos}
            held = {path for path, content_id in content.items() if known.get(plain(path)) == content_id}
            for settings in (self._settings, self._settings.first_look()):
                wanted = ladder_ids(ladder, settings, self._model, content_ids=content, infos=task.infos)
                current |= {path for path, result_id in wanted.items() if result_id in ids}
            self._judging.outdated += len(held.intersection(task.due) - current)
            if paths := [v.path for v in ladder.videos if v.path not in held]:
                store.commit(ladder.name, not_looked_at(ladder, paths, self._budget))
