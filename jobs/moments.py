"""Pictures of the moments at which one encoder loses: both encodes and the master at the same instant, with heat maps.

A scan keeps the worst frames of each encode; what a comparison shows is known only when both sides are, so these
frames are decoded again, by their exact place. Kept in OUT/pictures: the next run decodes only what it has not seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..pipeline import decode, probe, storage
from ..pipeline.errors import VideoError
from ..pipeline.pictures import WIDTH, Kept, PictureSink, at_most, save_moment
from ..pipeline.score import Judge
from ..pipeline.settings import Settings
from ..pipeline.tracks import Track, share_matrix
from ..pipeline.values import RGB, ClipScore, FrameScore, Moment, VideoRef
from .request import Listener
from .work import LoadJudge

if TYPE_CHECKING:
    from ..reports.compare_time import Loss
    from ..reports.titles import Encode

Pictures = dict[tuple[str, int], Moment]  # by result id and frame; paths are relative to OUT


def photograph(
    worst: Sequence[Loss],
    rows: Iterable[ClipScore],
    out: Path,
    settings: Settings,
    load: LoadJudge,
    listener: Listener,
) -> Pictures:
    """Pictures of both sides of every loss. A video that is not there any more goes without, and that is said.

    Args:
        worst: the losses.
        rows: of all sides, masters' too.
        out: folder to keep pictures in.
        settings: name the network that makes heat maps.
        load: how to get it.
        listener: told what goes on.
    """
    wanted: dict[tuple[str, int], tuple[Encode, int]] = {}
    for loss in worst:
        for encode, place in ((loss.anchor, loss.anchor_frame), (loss.test, loss.test_frame)):
            wanted[encode.row.result_id, encode.frame_nums[place]] = (encode, place)
    found = {key: kept for key, one in wanted.items() if (kept := _kept(out, *one)) is not None}
    missing = {key: one for key, one in wanted.items() if key not in found}
    if not missing:
        return found
    judge, contents = load(settings), _Contents(rows)
    listener.loaded(judge)
    with listener.stage("pictures", len(missing)):
        for key, (encode, place) in missing.items():
            try:
                found[key] = _make(encode, place, out, judge, contents)
            except VideoError as error:
                listener.say(f"{error.path}: no picture of its worst moment: {error.reason}")
            listener.advanced(1)
    return found


class _Contents:
    """Content ids of files, as they were when they were judged (`judged`, by path) and as they are."""

    def __init__(self, rows: Iterable[ClipScore]) -> None:
        self.judged: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            self.judged[row.path].add(row.content_id)
        self._now: dict[str, str] = {}

    def now(self, ref: VideoRef) -> str:
        """That of a file as it lies there, read once."""
        if ref.path not in self._now:
            self._now[ref.path] = storage.content_id(ref)
        return self._now[ref.path]


def _kept(out: Path, encode: Encode, place: int) -> Moment | None:
    """The pictures of an earlier run."""
    moment = _moment(encode, place)
    names = [moment.encode, moment.heat_map, *([moment.reference] if moment.reference else [])]
    return moment if all((out / name).exists() for name in names) else None


def _moment(encode: Encode, place: int) -> Moment:
    row = encode.row
    stem = f"pictures/{row.result_id}/{row.mode}-{encode.frame_nums[place]:07d}"
    names = [f"{stem}-{what}.webp" for what in ("encode", "heat", "reference")]
    shown = names[2] if row.reference is not None else None
    number, score = encode.frame_nums[place], float(encode.scores[place])
    return Moment(number, encode.own_time(place), score, names[0], names[1], shown)


def _make(encode: Encode, place: int, out: Path, judge: Judge, contents: _Contents) -> Moment:
    row, number = encode.row, encode.frame_nums[place]
    width, height = (int(side) for side in (row.display or "16x16").split("x"))
    video = _opened(row.path, {row.content_id}, contents)
    reference = None
    if row.reference is not None:
        master = _opened(row.reference, contents.judged[row.reference], contents)
        share_matrix([master, video], master)
        assert master.info is not None
        times = decode.frame_times(master.ref, master.info)
        at = float(encode.times[place])
        nearest = min(range(len(times)), key=lambda i: abs(float(times[i] - times[0]) - at))
        reference = _frame(master, nearest, (width, height))
    picture = _frame(video, number, (width, height))
    assert row.mode is not None
    score = FrameScore(number, encode.own_time(place), float(encode.scores[place]), row.mode)
    return save_moment(Kept(score, picture, reference), judge.heat_map, PictureSink(out), row.result_id)


def _opened(path: str, judged: Collection[str], contents: _Contents) -> Track:
    """A video whose file is the one that was judged: its content id is among these."""
    if "#" in path:
        raise VideoError(path, "a manifest's rendition is not read again for it")
    ref = VideoRef(path)
    if any(judged) and contents.now(ref) not in judged:
        raise VideoError(path, "another file lies there now")
    return Track(0, ref, info=probe.probe(ref))


def _frame(video: Track, number: int, raster: tuple[int, int]) -> RGB:
    """One frame as it is shown, at most as wide as pictures are kept.

    Raises:
        VideoError: it cannot be read any more.
    """
    assert video.info is not None
    try:
        with closing(decode.read_frames(video.ref, video.info, [number], raster=raster, interlaced=set())) as frames:
            for frame in frames:
                return at_most(frame.rgb, WIDTH)
    except ValueError:  # another file lies there now
        pass
    raise VideoError(video.ref.path, f"frame {number} is not there any more")
