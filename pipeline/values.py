"""The nouns of the pipeline: frozen values that check themselves at birth and are cheap to send between workers.

Ladders and rows, and what they are made of, have slots: a scan holds its whole plan and all that it has committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .findings import Finding

Mode = Literal["nr", "fr"]
Status = Literal["ok", "skipped", "failed"]
Depth = Literal["none", "first", "full"]
RGB = NDArray[np.uint8]  # (height, width, 3), full-range sRGB-like R'G'B', display matrix already applied


@dataclass(frozen=True, slots=True)
class VideoRef:
    """Where a video's bytes are.

    `path` is what the `path` column says: an absolute local path, an object-store URI, or `MANIFEST#REPRESENTATION`.
    `parts` are the objects to read one after the other as a single byte stream (initialisation and media segments of
    a manifest's rendition); empty for an ordinary file, which is read at `path` itself.
    """

    path: str
    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # what of it is not there, a sentence each: "1 of 5 listed files is missing"

    @property
    def name(self) -> str:
        """Last component of the path, for people."""
        return self.path.rstrip("/").rsplit("/", 1)[-1]


@dataclass(frozen=True)
class VideoInfo:
    """What probing found, without decoding the whole file. `*_from_header` may lie; the others were measured."""

    codec: str  # FFmpeg's decoder-independent name: h264, hevc, vp9, av1, ...
    coded_width: int
    coded_height: int
    width: int  # as displayed: after sample aspect ratio and display-matrix rotation
    height: int
    fps: Fraction | None  # average rate; None for a still picture
    duration_s: float | None  # of the video track, seconds; None when it cannot be known (a still picture)
    start_time_s: float  # presentation time of the first frame, seconds
    bitrate_kbps: float | None  # video track's bytes x 8 / duration / 1000, measured from its packets
    pixel_format: str
    bit_depth: int
    color_space: str  # matrix, FFmpeg's name ("bt709", ...); what was assumed when the file does not say
    color_range: str  # "tv" or "pc"
    color_transfer: str  # "bt709", "smpte2084" (PQ), "arib-std-b67" (HLG), ...; "unknown" when not said
    rotation_degrees: int = 0  # clockwise turn that was applied to show the frame upright
    mirrored: bool = False
    still: bool = False
    interlaced: bool = False  # coded as fields; each picture may show one moment or two
    telecine: bool = False  # film woven into fields, whatever its pictures are marked as
    notes: tuple[str | Finding, ...] = ()  # a sentence is an assumption ("colour matrix not stated, bt709 assumed")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a manifest or a name says of a rendition. Names lie: used for grouping and lint, never as a measurement."""

    width: int | None = None
    height: int | None = None
    bitrate_kbps: float | None = None
    codec: str | None = None
    crf: float | None = None
    fps: float | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rendition:
    """One encode of a title."""

    video: VideoRef
    declared: Declared = field(default_factory=Declared)
    findings: tuple[Finding, ...] = ()  # what grouping saw, of the kinds in `findings.PLANNED`


@dataclass(frozen=True, slots=True)
class Ladder:
    """All encodes of one title, and their source master where there is one. The unit of work.

    `name` is unique in a run and readable: the title's folder and stem relative to what was scanned.
    `grouped_by` says why these belong together: "manifest", "name", "folder", "mapping", "single".
    The master is scored too (NR only); it is not repeated in `renditions`.
    """

    name: str
    renditions: tuple[Rendition, ...]
    master: VideoRef | None = None
    grouped_by: str = "single"

    def __post_init__(self) -> None:
        if not self.renditions and self.master is None:
            raise ValueError(f"ladder {self.name!r} holds no video")

    @property
    def videos(self) -> tuple[VideoRef, ...]:
        """Every video to score: the master first, then the renditions."""
        return (() if self.master is None else (self.master,)) + tuple(r.video for r in self.renditions)


@dataclass(frozen=True)
class Own:
    """A frame as it is stored, upright, where it is shown larger."""

    octaves: float  # how many times its sides are doubled for the display
    picture: Callable[[], RGB]  # converts it

    def converted(self) -> Own:
        """The same, converted now: a decoder's frames are for its own thread."""
        rgb = self.picture()
        return Own(self.octaves, lambda: rgb)


@dataclass(frozen=True)
class Frame:
    """One decoded frame as it is to be shown."""

    index: int  # 0-based position in presentation order in the whole stream
    pts_s: Fraction  # exact presentation time, seconds, as in the file (not shifted to start at zero)
    rgb: RGB
    shot: int = 0  # number of the shot it is in, as far as the frames given before it tell
    transparent: bool = False  # anywhere, before it was shown over black
    own: Own | None = None  # None: it is not shown larger, or was not asked for so
    stored: tuple[int, int] | None = None  # (width, height) as the decoder gave it; None: not told

    def __repr__(self) -> str:
        return f"Frame(index={self.index}, pts_s={float(self.pts_s):.6f}, rgb={self.rgb.shape})"


@dataclass(frozen=True, slots=True)
class FrameScore:
    """One row of `frames`."""

    frame_num: int
    pts_time: float  # seconds from the stream's first frame
    score: float  # 0 to 100
    mode: Mode
    shot: int | None = None  # number of the shot it is in, from 0; None: not looked for
    span_s: float | None = 0.0  # how old what it says of half of its places is; 0, and None of old: all of this frame


@dataclass(frozen=True, slots=True)
class Moment:
    """A worst frame kept for the report: pictures are paths relative to OUT."""

    frame_num: int
    pts_time: float
    score: float
    encode: str
    heat_map: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ClipScore:
    """One row of `clips`: a video in one mode, or (mode None) a video that could not be scored."""

    path: str
    ladder: str
    mode: Mode | None
    status: Status
    reason: str | None = None
    is_master: bool = False
    pools: dict[str, float] = field(default_factory=dict)  # empty unless status is ok
    ci95: tuple[float, float] | None = None
    frames: int = 0
    display: str | None = None  # "1920x1080"
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    codec: str | None = None
    bitrate_kbps: float | None = None
    duration_s: float | None = None
    reference: str | None = None  # path of the master it was compared with (fr)
    offset_frames: int | None = None
    offset_s: float | None = None
    match_confidence: float | None = None
    master_score: float | None = None  # the master's own NR score (fr): a bad source is no bad encode
    findings: tuple[Finding, ...] = ()
    rate_ratio: float | None = None  # seconds of the master in a second of this video
    matched_frames: int | None = None  # sampled frames of the master with a counterpart (fr)
    unpaired_frames: int | None = None
    ci95_frames: tuple[float, float] | None = None  # what ci95 is over frames alone; None: an older result's ci95 is
    luma: float | None = None  # mean of its judged frames, 0 to 255
    chroma: float | None = None  # mean distance of their colours from grey, 0 to 255
    moments: tuple[Moment, ...] = ()
    declared: Declared = field(default_factory=Declared)  # what its name or manifest says of it
    model: str | None = None
    model_sha256: str | None = None
    result_id: str = ""  # content, model and settings: identifies a result
    content_id: str = ""  # of the file's bytes (storage.content_id)
    retryable: bool = False  # failed for a reason that may pass: the next run tries again
    depth: Depth = "full"  # "first": a first look, of a scan with a budget; "none": not looked at yet
    measured_at: datetime | None = None  # UTC; filled in by the store when it commits

    def __post_init__(self) -> None:
        if self.status == "ok" and (self.mode is None or not self.pools):
            raise ValueError(f"{self.path}: a scored clip needs its mode and pools")
        if self.status != "ok" and not self.reason:
            raise ValueError(f"{self.path}: a clip that was not scored needs a reason")

    @property
    def score(self) -> float | None:
        """The mean over frames; None when not scored."""
        return self.pools.get("mean")

    @property
    def ci95_beside(self) -> tuple[float, float] | None:
        """To compare it with an encode of its ladder: both are judged at the same places, so frames alone count."""
        return self.ci95_frames or self.ci95

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the findings say."""
        return tuple(finding.sentence for finding in self.findings)


@dataclass(frozen=True, slots=True)
class ClipResult:
    """A row of `clips` with the rows of `frames` it was pooled from (none for a video that could not be scored)."""

    clip: ClipScore
    frames: tuple[FrameScore, ...] = ()
