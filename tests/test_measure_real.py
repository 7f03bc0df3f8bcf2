"""One ladder of real clips, difficult files among them, and long ones in bounded memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.ladder_result import LadderResult
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.pictures import PictureSink
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipScore, Ladder, Mode, Rendition, VideoRef

from . import clips
from .fakes import FakeJudge
from .measuring import rows, run


def real(folder: Path, *names: str, master: str | None = None) -> Ladder:
    found = tuple(Rendition(VideoRef(str(folder / name))) for name in names)
    return Ladder(folder.name, found, VideoRef(str(folder / master)) if master else None)


def by_name(result: LadderResult) -> dict[tuple[str, Mode | None], ClipScore]:
    rows(result)
    return {(r.clip.path.rsplit("/", 1)[-1], r.clip.mode): r.clip for r in result.results}


def test_real_encodes_are_decoded_in_step_with_their_master(data_dir: Path, out_dir: Path) -> None:
    names = ("ferris-bicubic-bicubic.mp4", "ferris-nearest-nearest.mp4", "ferris-test-sat.mp4")
    some = real(data_dir / "clips" / "fr_pairs", *names, master="ferris-ref.mp4")
    judge = FakeJudge()
    found = by_name(run(some, judge, Settings(display=(320, 180)), pictures=PictureSink(out_dir)))
    assert len(found) == 7
    frames = {c.frames for c in found.values()}
    assert len(frames) == 1  # none was lost, though four decoders ran side by side
    assert judge.encoded == 4 * frames.pop()
    assert not any("could be decoded" in said for c in found.values() for said in c.sentences)
    assert all(c.score is not None and 80 < c.score < 100 for (_, mode), c in found.items() if mode == "fr")
    assert all((out_dir / m.heat_map).stat().st_size > 500 for c in found.values() for m in c.moments)


def test_damage_is_told_up_to_the_next_key_frame_and_of_a_masters_encodes(tmp_path: Path) -> None:
    whole = clips.make(tmp_path / "whole.mp4", frames=60, gop=12)
    hit = clips.tear(whole, tmp_path / "torn.mp4")
    at = float(packet_table(VideoRef(str(whole))).pts[hit] * packet_table(VideoRef(str(whole))).time_base)
    settings = Settings(fps=25, worst_frames=0)
    found = by_name(run(real(tmp_path, "torn.mp4", master="whole.mp4"), settings=settings))
    for mode in ("nr", "fr"):
        (told,) = [f for f in found["torn.mp4", mode].findings if f.kind == "damaged"]  # type: ignore[index]
        assert told.severity == "error"
        assert told.start_s is not None
        assert told.end_s is not None
        assert told.start_s <= at < told.end_s
        assert round(told.end_s / 0.04) % 12 == 0  # a key frame, or the end
    assert not any(f.kind == "damaged" for f in found["whole.mp4", "nr"].findings)
    turned = by_name(run(real(tmp_path, "whole.mp4", master="torn.mp4"), settings=settings))
    assert any(f.kind == "damaged" for f in turned["torn.mp4", "nr"].findings)
    said = [
        f for f in turned["whole.mp4", "fr"].findings if f.sentence.startswith("of its master, pictures are damaged")
    ]
    assert [(f.kind, f.severity) for f in said] == [("poor_source", "warning")]
    assert not any("damaged" in f.sentence for f in turned["whole.mp4", "nr"].findings)


def test_a_real_copy_of_the_master_scores_100_in_every_frame(data_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    shutil.copy(data_dir / "clips" / "fr_pairs" / "carphone_pristine.mp4", copy)
    some = real(data_dir / "clips" / "fr_pairs", "carphone_distorted.mp4", str(copy), master="carphone_pristine.mp4")
    found = by_name(run(some))
    assert found["copy.mp4", "fr"].pools["min"] == 100
    assert found["carphone_distorted.mp4", "fr"].pools["mean"] < 99


def test_a_manifests_renditions_are_scored_from_their_segments(data_dir: Path) -> None:
    folder = data_dir / "clips" / "manifests" / "dash_low_delay"
    parts = ("init.mp4", "1.m4s", "2.m4s", "3.m4s", "4.m4s")
    videos = [
        VideoRef(f"{folder}/Manifest.mpd#{height}", tuple(str(folder / height / part) for part in parts))
        for height in ("1080", "720", "360")
    ]
    result = run(Ladder("dash", tuple(map(Rendition, videos))), settings=Settings(display=(320, 180)))
    assert [(r.clip.status, r.clip.frames, r.clip.duration_s) for r in result.results] == [("ok", 16, 8.0)] * 3
    assert len({tuple(f.frame_num for f in r.frames) for r in result.results}) == 1  # one encoder, the same instants


def test_every_difficult_file_gets_its_row(data_dir: Path) -> None:
    files = [f for f in sorted((data_dir / "clips" / "torture").iterdir()) if f.name != "long_180p_av1.mp4"]
    unscored = {}
    for file in files:
        result = run(real(file.parent, file.name), settings=Settings(display=(64, 48), min_frames=3, fps=0.5))
        rows(result)
        (only,) = result.results
        assert not only.clip.retryable, only.clip.reason
        if only.clip.status != "ok":
            unscored[file.name] = only.clip.reason or ""
    assert set(unscored) == {"encrypted_clearkey.mp4", "sample_audio_only.mp4", "zero_bytes.mp4"}
    assert "encrypted" in unscored["encrypted_clearkey.mp4"]
    assert "audio" in unscored["sample_audio_only.mp4"]
    assert "empty" in unscored["zero_bytes.mp4"]


MEMORY = """
import resource, sys
import numpy as np
import pytest
from fakes import FakeJudge, FakeVideo, FakeVideos, info, times
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.pictures import PictureSink
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

class Glance(FakeJudge):
    def encode(self, frames, turns=None):
        return super().encode([f[:8, :8] for f in frames])

seconds = int(sys.argv[1])
size = info(640, 360, duration_s=float(seconds))
draw = lambda instant, width, height: np.full((height, width, 3), int(instant * 7) % 251, np.uint8)
videos = {f"/{i}.mp4": FakeVideo(times(2 * seconds, 2), size, draw=draw) for i in range(4)}
with pytest.MonkeyPatch.context() as patch:
    FakeVideos(videos, patch)
    refs = [VideoRef(p) for p in videos]
    ladder = Ladder("l", tuple(Rendition(r) for r in refs[1:]), refs[0])
    result = measure_ladder(ladder, Glance(), Settings(), pictures=PictureSink())
print(sum(r.clip.frames for r in result.results), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length_of_the_videos() -> None:
    """A frame here is 0.7 MB: of four videos of two minutes 660 MB are sampled."""

    def peak(seconds: int) -> tuple[int, int]:
        command = [sys.executable, "-c", MEMORY, str(seconds)]
        search = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        where = os.environ | {"PYTHONPATH": os.pathsep.join(search)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=where)
        frames, kilobytes = map(int, done.stdout.split())
        return frames, kilobytes

    short, long = peak(8), peak(120)
    assert long[0] > 10 * short[0]
    assert long[1] - short[1] < 60_000


def test_the_reason_names_a_manifests_missing_files_before_what_comes_of_them(tmp_path: Path) -> None:
    whole = clips.make(tmp_path / "whole.mp4", container_options=clips.FRAGMENTED).read_bytes()
    (tmp_path / "1.m4s").write_bytes(whole[whole.index(b"moof") - 4 :])
    (tmp_path / "whole.mp4").unlink()
    (tmp_path / "list.m3u8").write_text('#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:1.2,\n1.m4s\n#EXT-X-ENDLIST\n')
    (row,) = (result.clip for result in run(discover(str(tmp_path)).ladders[0]).results)
    assert (row.status, row.mode) == ("failed", None)
    assert row.reason is not None
    assert row.reason.startswith(
        "1 of 2 files that its manifest lists are missing (init.mp4 first); truncated: its index"
    )
