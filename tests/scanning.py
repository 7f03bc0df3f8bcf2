"""Scans with a judge that needs no weights, and what they leave behind."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from yoto_video.jobs.options import make_settings
from yoto_video.jobs.request import Listener, Request, ScanResult
from yoto_video.jobs.scan import scan
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.store import Store

from .fakes import FakeJudge

SETTINGS = make_settings(min_frames=3, worst_frames=1, display="64x48")


class Said(Listener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


def run(root: Path, out: Path, settings: Settings = SETTINGS, **more: Any) -> tuple[ScanResult, FakeJudge, list[str]]:
    judge, said = FakeJudge(), Said()
    more.setdefault("workers", 0)
    result = scan(Request(str(root), str(out), settings, **more), said, load=lambda _: judge)
    return result, judge, said.sentences


def rows(out: Path) -> list[dict[str, object]]:
    """Everything the store holds but when it was measured; floats exactly."""
    with Store(out, read_only=True) as store:
        clips = [asdict(clip) | {"measured_at": None} for clip in store.clips()]
        return [clip | {"frame_rows": store.frames(str(clip["path"]), clip["mode"])} for clip in clips]
