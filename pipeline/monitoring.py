"""Results for machines that watch: JUnit XML for continuous integration, OpenMetrics text for monitoring."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TextIO
from xml.etree import ElementTree

from .values import ClipScore

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_METRICS: dict[str, tuple[str, Callable[[ClipScore], float | None]]] = {  # name: (help, the row's value)
    "score": ("Mean score over frames, 0 to 100, higher is better.", lambda c: c.score),
    "score_p5": ("5th percentile of frame scores.", lambda c: c.pools.get("p5")),
    "score_worst_second": ("Lowest mean score over one second.", lambda c: c.pools.get("worst_second")),
    "bitrate_kbps": ("Measured bit rate of the video track, kbit/s.", lambda c: c.bitrate_kbps),
    "duration_seconds": ("Length of the video track.", lambda c: c.duration_s),
}


def write_junit(
    clips: Sequence[ClipScore],
    faults: Mapping[tuple[str, str | None], str],
    file: TextIO,
    lacking: Sequence[str] = (),
) -> None:
    """A test suite a ladder, a test case a row: what could not be scored or compared is an error, a fault a failure.

    `system-out` has the score, and what was found that is a warning or an error.

    Args:
        clips: rows.
        faults: by (path, mode), why a scored row does not pass, a sentence each.
        file: for UTF-8 text.
        lacking: what a baseline has and these rows lack, sentences: test cases that were skipped, in a suite of their
            own.
    """
    root = ElementTree.Element("testsuites", name="yoto-video")
    by_ladder: dict[str, list[ClipScore]] = {}
    for clip in clips:
        by_ladder.setdefault(clip.ladder, []).append(clip)
    for ladder, own in by_ladder.items():
        suite = ElementTree.SubElement(root, "testsuite", name=_text(ladder))
        counts = {"failures": 0, "errors": 0, "skipped": 0}
        for clip in own:
            name = f"{clip.path} ({clip.mode.upper() if clip.mode else 'not scored'})"
            case = ElementTree.SubElement(suite, "testcase", name=_text(name), classname=_text(ladder))
            fault = faults.get((clip.path, clip.mode))
            if clip.status == "skipped":
                _mark(case, "skipped", clip.reason or "", counts, "skipped")
            elif clip.status == "failed":
                _mark(case, "error", clip.reason or "", counts, "errors")
            elif fault is not None:
                _mark(case, "failure", fault, counts, "failures")
            elif foreign := next((f for f in clip.findings if f.foreign), None):
                _mark(case, "error", foreign.sentence, counts, "errors")
            if clip.score is not None:
                said = [f"{f.severity}: {f.dated}" for f in clip.findings if f.severity != "info"]
                ElementTree.SubElement(case, "system-out").text = _text("\n".join([f"score {clip.score:.2f}", *said]))
        suite.attrib |= {"tests": str(len(own))} | {name: str(n) for name, n in counts.items()}
    if lacking:
        number = str(len(lacking))
        suite = ElementTree.SubElement(root, "testsuite", name="baseline", tests=number, skipped=number)
        for sentence in lacking:
            case = ElementTree.SubElement(suite, "testcase", name=_text(sentence), classname="baseline")
            ElementTree.SubElement(case, "skipped", message=_text(sentence))
    file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    ElementTree.indent(root)
    file.write(ElementTree.tostring(root, encoding="unicode"))
    file.write("\n")


def write_openmetrics(clips: Iterable[ClipScore], file: TextIO) -> None:
    """Gauges a row, labelled with path, ladder, mode, codec, height and role; and how many videos have which status.

    Of findings the gauge is how many of a kind a row has, those that are a warning or an error.
    """
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.openmetrics.exposition import generate_latest

    rows = list(clips)
    labels = ["path", "ladder", "mode", "codec", "height", "role"]
    families = [GaugeMetricFamily(f"yoto_video_{name}", said, labels=labels) for name, (said, _) in _METRICS.items()]
    findings = GaugeMetricFamily(
        "yoto_video_findings", "Findings that are a warning or an error.", labels=[*labels, "kind", "severity"]
    )
    for clip in rows:
        if clip.status != "ok":
            continue
        role = "master" if clip.is_master else "rendition"
        what = (clip.path, clip.ladder, clip.mode or "", clip.codec or "", str(clip.height or ""), role)
        own = [_text(text) for text in what]
        for family, (_, of) in zip(families, _METRICS.values(), strict=True):
            if (known := of(clip)) is not None:
                family.add_metric(own, known)
        for kind, number in Counter((f.kind, f.severity) for f in clip.findings if f.severity != "info").items():
            findings.add_metric([*own, *kind], number)
    states = GaugeMetricFamily("yoto_video_videos", "Videos by status.", labels=["status"])
    best = {clip.path: clip.status for clip in sorted(rows, key=lambda c: c.status == "ok")}  # ok in a mode is ok
    for status in ("ok", "skipped", "failed"):
        states.add_metric([status], sum(found == status for found in best.values()))

    class Registry:
        def collect(self) -> list[GaugeMetricFamily]:
            return [*families, findings, states]

    file.write(generate_latest(Registry()).decode())  # type: ignore[no-untyped-call]


def _mark(case: ElementTree.Element, kind: str, message: str, counts: dict[str, int], count: str) -> None:
    ElementTree.SubElement(case, kind, message=_text(message))
    counts[count] += 1


def _text(text: str) -> str:
    """Without what neither XML nor UTF-8 can hold: control characters, halves of surrogates."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
