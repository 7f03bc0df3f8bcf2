"""The three Parquet data sets, column by column; convert.py makes rows of values and values of rows.

    clips    one row per video and mode, also for what could not be scored; a row here says that a result is complete
    frames   one row per judged frame and mode; every pool of `clips` can be computed again from these
    runs     one row per scan

docs/schema.md says the same in prose; a test keeps the two equal. Reading is tolerant towards older files (a column
they lack is null), SCHEMA_VERSION is raised when a column changes its name, type or meaning.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from .pool import POOLS

SCHEMA_VERSION = 2  # 2: findings are structs, were sentences

_TEXT, _REAL, _WHOLE, _FLAG = pa.string(), pa.float64(), pa.int64(), pa.bool_()
_TIME = pa.timestamp("us", tz="UTC")
_POOLS = pa.struct([pa.field(name, _REAL) for name in POOLS])
_DECLARED = pa.struct(
    [
        pa.field("width", _WHOLE),
        pa.field("height", _WHOLE),
        pa.field("bitrate_kbps", _REAL),
        pa.field("codec", _TEXT),
        pa.field("crf", _REAL),
        pa.field("fps", _REAL),
        pa.field("duration_s", _REAL),
    ]
)
FINDING = pa.struct(
    [
        pa.field("kind", _TEXT),
        pa.field("severity", _TEXT),
        pa.field("start_s", _REAL),
        pa.field("end_s", _REAL),
        pa.field("sentence", _TEXT),
    ]
)
_MOMENT = pa.struct(
    [
        pa.field("frame_num", _WHOLE),
        pa.field("pts_time", _REAL),
        pa.field("score", _REAL),
        pa.field("encode", _TEXT),
        pa.field("heat_map", _TEXT),
        pa.field("reference", _TEXT),
    ]
)


def _schema(data_set: str, columns: Iterable[tuple[str, pa.DataType, str]]) -> pa.Schema:
    """A schema whose columns carry their description; one that ends with "!" is never null."""
    made = [
        pa.field(name.rstrip("!"), kind, nullable=not name.endswith("!"), metadata={"description": said})
        for name, kind, said in columns
    ]
    return pa.schema(made, metadata={"yoto_video_data_set": data_set, "schema_version": str(SCHEMA_VERSION)})


FRAMES = _schema(
    "frames",
    [
        ("result_id!", _TEXT, "the result this frame belongs to: clips.result_id"),
        ("path!", _TEXT, "the video: absolute path, URI, or MANIFEST#REPRESENTATION"),
        ("ladder!", _TEXT, "the ladder the video is in"),
        ("mode!", _TEXT, "nr (no reference) or fr (compared with the ladder's master)"),
        ("frame_num!", _WHOLE, "position in presentation order in the whole video, from 0"),
        ("pts_time!", _REAL, "presentation time, seconds from the video's first frame"),
        ("score!", _REAL, "0 to 100, higher is better"),
        (
            "shot",
            _WHOLE,
            "number of its shot, from 0 (pages and `shots.csv` count from 1): cuts between sampled frames up to it; "
            "null in older results",
        ),
        (
            "span_s",
            _REAL,
            "half of its places were looked at so many seconds before; 0: all in this frame; null in older results",
        ),
        ("display", _TEXT, "raster the frame was judged at, WIDTHxHEIGHT"),
        ("model", _TEXT, "name of the network"),
        ("model_sha256", _TEXT, "sha256 of its weights"),
    ],
)

CLIPS = _schema(
    "clips",
    [
        ("path!", _TEXT, "the video: absolute path, URI, or MANIFEST#REPRESENTATION"),
        ("ladder!", _TEXT, "the ladder the video is in"),
        ("mode", _TEXT, "nr (no reference) or fr (compared with the master); null: could not be scored in any mode"),
        ("status!", _TEXT, "ok, skipped (nothing there to score) or failed"),
        ("reason", _TEXT, "why it was skipped or failed, one sentence"),
        ("score", _REAL, "0 to 100, higher is better; the same as pools.mean; null unless ok"),
        ("pools", _POOLS, "every pool over the frames' scores, by name; null unless ok"),
        ("ci95", pa.list_(_REAL), "95 % confidence interval of score, over frames and places: [low, high]"),
        ("frames!", _WHOLE, "number of judged frames: rows in frames"),
        ("display", _TEXT, "raster the frames were judged at, WIDTHxHEIGHT"),
        ("width", _WHOLE, "pixels, as shown: after rotation and sample aspect ratio"),
        ("height", _WHOLE, "pixels, as shown"),
        ("fps", _REAL, "average frames a second; null for a still picture"),
        ("codec", _TEXT, "h264, hevc, vp9, av1, ... (FFmpeg's names)"),
        ("bitrate_kbps", _REAL, "of the video track, measured from its packets; kilobit (1000 bit) a second"),
        ("duration_s", _REAL, "of the video track, seconds"),
        ("is_master!", _FLAG, "true for the ladder's source master"),
        ("reference", _TEXT, "path of the master it was compared with (fr)"),
        ("offset_frames", _WHOLE, "offset_s in frames of the reference"),
        ("offset_s", _REAL, "reference time minus this video's time of a matching pair, seconds (fr)"),
        ("master_score", _REAL, "score of the master by itself, nr (fr): tells a bad source from a bad encode"),
        ("findings!", pa.list_(FINDING), "what is worth knowing beside the score; times are null for the whole video"),
        ("match_confidence", _REAL, "of the offset, 0 to 1 (fr); null: nothing in the pictures to tell it by"),
        ("rate_ratio", _REAL, "seconds of the master in a second of this video: 1 at equal speed (fr)"),
        ("matched_frames", _WHOLE, "sampled frames of the master with a counterpart in this video (fr)"),
        ("unpaired_frames", _WHOLE, "sampled frames of the master without one (fr)"),
        ("ci95_frames", pa.list_(_REAL), "the same over frames alone, to compare encodes; null in older results"),
        ("luma", _REAL, "mean of the judged frames, levels of 0 to 255 as shown; null in older results"),
        ("chroma", _REAL, "mean distance of their pixels' colours from grey, the same levels; null in older results"),
        ("moments!", pa.list_(_MOMENT), "worst frames kept for the report; pictures are paths relative to the folder"),
        ("declared!", _DECLARED, "what its name or manifest says of it; null what it does not say"),
        ("model", _TEXT, "name of the network"),
        ("model_sha256", _TEXT, "sha256 of its weights"),
        ("result_id!", _TEXT, "identifies content, model and settings: equal ids, equal scores"),
        ("content_id!", _TEXT, "identifies the file's bytes; empty when they could not be read"),
        ("retryable!", _FLAG, "failed for a reason that may pass: the next scan tries again"),
        ("depth", _TEXT, "how hard it was looked at: full; first or none by a scan with --budget; null: full"),
        ("measured_at!", _TIME, "when the result was committed, UTC"),
        ("schema_version!", pa.int32(), "version of this table"),
    ],
)

RUNS = _schema(
    "runs",
    [
        ("run_id!", _TEXT, "identifies the run"),
        ("started_at!", _TIME, "UTC"),
        ("finished_at!", _TIME, "UTC"),
        ("command!", _TEXT, "the command line, or the call"),
        ("version!", _TEXT, "of yoto-video"),
        ("settings!", _TEXT, "what was asked for, as a JSON object, and `engine`: what ran the network's encoder"),
        ("ok!", _WHOLE, "rows of clips with this status that the run measured or found"),
        ("skipped!", _WHOLE, "the same"),
        ("failed!", _WHOLE, "the same"),
        ("reused!", _WHOLE, "of these, rows that an earlier run had measured"),
        ("seconds!", pa.map_(_TEXT, _REAL), "time spent, by stage; summed over workers"),
        ("frames", _WHOLE, "frames that went through the network"),
        ("model", _TEXT, "name of the network"),
        ("model_sha256", _TEXT, "sha256 of its weights"),
        ("bytes_read", _WHOLE, "read from object stores; null where the videos are in none"),
        ("bytes_stored", _WHOLE, "of the videos there: what the scan went without is the difference"),
        ("schema_version!", pa.int32(), "version of this table"),
    ],
)
