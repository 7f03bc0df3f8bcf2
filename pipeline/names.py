"""What a file's name says: its title, its rung, and whether it calls itself a source. Pure text, nothing is opened.

A path relative to what was scanned is cut into tokens (separators: space . _ - and brackets). A token is one of

    strong   says a rung wherever it stands: 1080p, 1920x1080, 5000k, tbr_1700, crf23, x264, av1, 30fps, 10bit
    weak     says a rung only at the end of a name: high, low, hd, 720, medium, main10, distorted
    source   calls the file a master when it leads or ends the name: source, master, mezzanine, original, ref, pristine
    title    everything else

The title is what is left. Folders count too: `sources/title.mp4` and `encodes/1080p/title_5000k.mp4` are both "title",
and `title/1080p.mp4` is as well. Words are compared whole, so "preference" and "mastering" say nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from .brackets import cut_out
from .values import Declared
from .words import BARE_LINES, CODECS, JOINING, NAMED_LINES, ROLE_FOLDERS, SOURCE_WORDS, WEAK_WORDS

Kind = Literal["strong", "weak", "source", "role", "title"]


_NUMBER = r"\d+(?:\.\d+)?"
# Tried in this order at each place; a match must stand between characters that are neither letters nor digits.
_STRONG = "|".join(
    [
        r"(?P<size>\d{2,5}[x×]\d{2,5})",
        r"(?P<lines>\d{3,4}[pi](?:\d{2,3}(?:\.\d+)?)?)",
        r"(?P<named>" + "|".join(NAMED_LINES) + ")",
        rf"(?:tbr|vbr|abr|cbr|br|bitrate|maxrate)[-_= ]?(?P<tagged_rate>{_NUMBER})"
        r"(?P<tagged_unit>k(?:bps|bits?)?|m(?:bps|bits?)?)?",
        rf"(?P<rate>(?!\d\dk(?![^\W_])|\dk(?![^\W_])){_NUMBER})(?P<unit>k|kbps|kbits?|kb|mbps|mbits?)",
        rf"(?:crf|cqp|cq|qp)[-_= ]?(?P<crf>{_NUMBER})",
        r"(?P<fps>\d{1,3}(?:\.\d{1,3})?fps|fps[-_=]?\d{1,3}(?:\.\d{1,3})?)",
        *(rf"(?P<codec_{name}>{pattern})" for name, pattern in CODECS.items()),
        r"(?P<other>nvenc|qsv|vaapi|videotoolbox|amf|(?:8|10|12)[-_]?bits?|yuv4\d\dp(?:\d+(?:le)?)?|(?:1|2|two)[-_]?pass)",
        r"(?P<preset>preset[-_=]?\d{1,2})",
    ]
)
_TOKEN = re.compile(rf"(?<![^\W_])(?:{_STRONG})(?![^\W_])|(?P<word>[^\s._\-\[\](){{}},+;=~/]+)", re.IGNORECASE)
# 5m (megabits or minutes), an SVT preset, 10k (a run), q28
_WEAK_PATTERN = re.compile(r"q\d{1,3}|\d+(?:\.\d+)?mb?|p(?:\d|1[0-3])|\d\d?k", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """A relative path, understood.

    `key` is equal for files that the names say belong together. `strong` is False when the rung rests on weak words or
    on nothing at all: then the content may overrule the name.
    """

    key: tuple[str, ...]
    title: str  # as written; empty when the name says only the rung
    folders: tuple[str, ...]  # as written, without the folders that say a rung or a role
    declared: Declared = field(default_factory=Declared)
    source_words: int = 0  # 0 to 3: one for the folders, one for each end of the file's own name
    strong: bool = False
    in_masters: bool = False  # a folder of its path says so
    wide: tuple[str, ...] = ()  # the key with the folders that are a number of lines, or a title: 144, 1080


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int
    kind: Kind
    facts: Declared = field(default_factory=Declared)


def parse(relative: str) -> Name:
    """Understand a path relative to what was scanned (forward slashes). Never fails; unknown words are title words."""
    *folders, file = [unicodedata.normalize("NFC", part) for part in relative.split("/") if part] or [""]
    stem = file.rsplit(".", 1)[0] if "." in file.lstrip(".") else file
    tokens = _classify(_joined(_tokens(stem)))
    # What is said last is of the encode; what comes before may be of its source: title_3840x2160_..._1080p_4000k.
    facts, strong, in_folder = [t.facts for t in reversed(tokens)], any(t.kind == "strong" for t in tokens), False
    kept: list[str] = []
    path: list[tuple[str, bool]] = []  # and whether it is but a number
    for folder in folders:
        found = _classify(_tokens(folder, folder=True))
        if found and all(t.kind != "title" for t in found):
            in_folder |= any(t.kind == "source" for t in found)
            strong |= any(t.kind == "strong" for t in found)
            facts.extend(t.facts for t in found)  # the file's own name wins: it comes first
            path += [(found[0].text, True)] if len(found) == 1 and found[0].text in BARE_LINES else []
        else:
            kept.append(folder)
            path.append((_normal(folder), False))
    title_tokens = [t for t in tokens if t.kind == "title"]
    sources = [t for t in tokens if t.kind == "source"]
    path += [(" ".join(t.text.casefold() for t in title_tokens), False)] if title_tokens else []
    while path and path[-1][1]:  # title/1080/high.mp4
        path.pop()
    return Name(
        key=_once(part for part, number in path if not number),
        title=_as_written(stem, title_tokens),
        folders=tuple(kept),
        declared=_merge(facts),
        source_words=in_folder + len({t.start > title_tokens[0].start if title_tokens else 0 for t in sources}),
        strong=strong,
        in_masters=in_folder,
        wide=_once(part for part, _ in path),
    )


def _once(parts: Iterable[str]) -> tuple[str, ...]:
    """Without repetitions: title/title_1080p.mp4."""
    return tuple(part for part, _ in groupby(parts))


def title_key(name: Name) -> str:
    """The last part of the key: the title alone, whatever folder it is in."""
    return name.key[-1] if name.key else ""


def title_words(name: Name) -> tuple[str, ...]:
    """Of the title, for comparison."""
    return tuple(t.text.casefold() for t in _tokens(name.title))


def common_title(titles: list[str]) -> str:
    """The words all these titles begin with, as the first one writes them; empty when there are none."""
    cut = [_tokens(title) for title in titles]
    shared = 0
    for column in zip(*cut, strict=False):
        if len({t.text.casefold() for t in column}) > 1:
            break
        shared += 1
    return cut_out(titles[0], [(t.start, t.end) for t in cut[0][:shared]], whole=True) if shared else ""


def _tokens(text: str, folder: bool = False) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text):
        word = match["word"]
        if word is None:
            found.append(_Token(match[0], match.start(), match.end(), "strong", _facts(match)))
            continue
        lower = word.casefold()
        kind: Kind = "title"
        facts = Declared()
        if lower in SOURCE_WORDS:
            kind = "source"
        elif folder and lower in ROLE_FOLDERS:
            kind = "role"
        elif lower in BARE_LINES:
            kind, facts = "weak", Declared(height=int(lower))
        elif lower in WEAK_WORDS or _WEAK_PATTERN.fullmatch(lower):
            kind = "weak"
        found.append(_Token(word, match.start(), match.end(), kind, facts))
    return found


def _facts(match: re.Match[str]) -> Declared:
    if size := match["size"]:
        width, height = re.split("[x×X]", size)
        return Declared(width=int(width), height=int(height))
    if lines := match["lines"]:
        height, kind, rate = re.fullmatch(r"(\d+)([piPI])(.*)", lines).groups()  # type: ignore[union-attr]
        return Declared(height=int(height), fps=float(rate) if rate and kind in "pP" else None)  # 1080i50 counts fields
    if fps := match["fps"]:
        return Declared(fps=float(re.sub(r"[^\d.]", "", fps)))
    if named := match["named"]:
        return Declared(height=NAMED_LINES[named.lower()])
    if rate := match["rate"] or match["tagged_rate"]:
        unit = (match["unit"] or match["tagged_unit"] or "k").lower()
        return Declared(bitrate_kbps=float(rate) * (1000 if unit.startswith("m") else 1))
    if crf := match["crf"]:
        return Declared(crf=float(crf))
    codec = next((name for name in CODECS if match[f"codec_{name}"]), None)
    return Declared(codec=codec)


def _joined(tokens: list[_Token]) -> list[_Token]:
    """ "Master of None" and "The Original" are titles: what joins a word to others says that it is no role."""
    words = ["", *(t.text.casefold() for t in tokens), ""]
    return [
        replace(t, kind="title") if t.kind == "source" and (before == "the" or after in JOINING) else t
        for t, before, after in zip(tokens, words, words[2:], strict=False)
    ]


def _classify(tokens: list[_Token]) -> list[_Token]:
    """Words that say something only at one end of a name become title words when they stand elsewhere."""
    titles = [i for i, t in enumerate(tokens) if t.kind == "title"]
    # Without any title word the whole name is the rung or the role: `1080p.mp4`, `high.mp4`, `source.mp4`.
    first, last = (titles[0], titles[-1]) if titles else (len(tokens), -1)
    return [
        replace(t, kind="title", facts=Declared())
        if (t.kind == "weak" and i < last) or (t.kind == "source" and first < i < last)
        else t
        for i, t in enumerate(tokens)
    ]


def _merge(facts: list[Declared]) -> Declared:
    """The first that says it wins."""
    height = next((f.height for f in facts if f.height), None)
    return Declared(
        width=next((f.width for f in facts if f.width and f.height == height), None),
        height=height,
        bitrate_kbps=next((f.bitrate_kbps for f in facts if f.bitrate_kbps), None),
        codec=next((f.codec for f in facts if f.codec), None),
        crf=next((f.crf for f in facts if f.crf is not None), None),
        fps=next((f.fps for f in facts if f.fps), None),
    )


def _normal(text: str) -> str:
    return " ".join(t.text.casefold() for t in _tokens(text)) or text.casefold()


def _as_written(stem: str, titles: list[_Token]) -> str:
    """The title words as they stand in the name, with their brackets: one slice where they stand together."""
    if not titles:
        return ""
    together = len(_tokens(stem[titles[0].start : titles[-1].end])) == len(titles)
    return cut_out(stem, [(t.start, t.end) for t in titles], whole=together)
