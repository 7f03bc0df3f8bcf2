"""Settings from flags and from Python: what is given, what is left at its default, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from yoto_video.jobs import cli, commands
from yoto_video.jobs.options import make_settings, parse_display
from yoto_video.pipeline.errors import UsageError
from yoto_video.pipeline.settings import Settings


def test_settings_come_from_flags_and_keep_their_defaults() -> None:
    args = cli.parser().parse_args(["scan", "x"])
    assert commands.settings_of(args) == Settings()
    judging = ["--fps", "0.5", "--display", "1280x720", "--model", "m", "--device", "cpu", "--crops", "2"]
    judging += ["--seed", "7"]
    reading = ["--min-frames", "3", "--decode-timeout", "9", "--decoder", "decord", "--worst-frames", "0"]
    reading += ["--time-limit", "11", "--memory-limit", "99"]
    args = cli.parser().parse_args(["scan", "x", *judging, *reading])
    assert commands.settings_of(args) == Settings("m", 0.5, 3, (1280, 720), "decord", "cpu", 2, 0, 9.0, 7, 11.0, 99)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fsp": 2}, "did you mean 'fps'"), ({"fps": float("nan")}, "fps"), ({"min_frames": 0}, "min_frames"),
        ({"decoder": "ffmpeg"}, "pyav and decord"), ({"display": "big"}, "1920x1080"), ({"crops": 0}, "crops"),
        ({"decode_timeout_s": 0}, "time-out"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        make_settings(**options)


def test_a_display_is_read_as_people_write_it() -> None:
    assert parse_display("1920x1080") == parse_display(" 1920X1080") == parse_display((1920, 1080)) == (1920, 1080)
