"""Pages from results: OUT/report/ with an overview, a page a ladder, and the few files they share.

Reads Parquet only. The pages need no network and no server: scripts and styles lie beside them, data is inside them,
and pictures are those that scoring left in OUT/pictures. The report appears whole: it is built aside and swapped in.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from .. import __version__
from ..pipeline.depth import looks
from ..pipeline.errors import YotoVideoError
from ..pipeline.parts import part_name
from ..pipeline.pool import POOLS, worst_second_ci95
from . import figures, finding_figures, ladder_figures, lint, tables
from .changes import since_before
from .clip import MODES, Clip, Series
from .pack import pack
from .read import Fleet, LadderTable, models
from .results import Results, load
from .words import FILTERS

TEMPLATES = Path(__file__).parent / "templates"
ASSETS = (
    *("report.css", "report.js", "dataTables.min.js", "dataTables.LICENSE.txt"),
    *("plotly-cartesian.min.js", "plotly.LICENSE.txt"),
)
STALE_S = 3600.0  # after which nobody is writing pages there any more
WORST_CLIPS = 8  # listed a mode


def build_report(
    out: str | os.PathLike[str],
    *,
    zipped: str | os.PathLike[str] | None = None,
    also: Callable[[Results, Path], None] = lambda _results, _folder: None,
) -> Path | str:
    """Write OUT/report/ from the data sets in OUT, and a zip of it where one is asked for.

    Args:
        out: folder of results, or URI of one in a bucket; then the pages go to the bucket.
        zipped: file for pages and pictures together, on this machine.
        also: writes more into the report's folder, before it appears.

    Returns:
        Path of its index.html; its URI where OUT is in a bucket.

    Raises:
        UsageError: OUT holds no results.
        YotoVideoError: the report cannot be written.
    """
    results = load(out)
    target = results.folder / "report"
    aside = None
    try:
        aside = folder_aside(results.folder, ".report-")
        write_pages(results, aside)
        also(results, aside)
        aside.chmod(0o755)  # mkdtemp's folders are private
        swap(aside, target)
    except OSError as error:
        raise YotoVideoError(
            f"{results.store.place}/report: cannot write the report ({error.strerror or error}); the results are kept: "
            f"once it can be written, yoto-video report {results.store.place}"
        ) from None
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    results.store.replace("report", last="index.html")
    if zipped is not None:
        results.store.fetch("pictures")
        pack(target, zipped)
    remote = results.store.place != str(results.folder)
    return f"{results.store.place}/report/index.html" if remote else target / "index.html"


def write_pages(results: Results, folder: Path) -> None:
    """Write all pages and their assets into an empty folder."""
    write_assets(folder / "assets")
    (folder / "ladders").mkdir()
    fleet = results.fleet
    links = {ladder.name: page_name(ladder.name) for ladder in fleet.ladders}
    pages = environment(fleet)
    names = [ladder.name for ladder in fleet.ladders]
    for i, ladder in enumerate(fleet.ladders):
        near = {
            "before": {"name": names[i - 1], "href": links[names[i - 1]]} if i > 0 else None,
            "after": {"name": names[i + 1], "href": links[names[i + 1]]} if i + 1 < len(names) else None,
        }
        page = _ladder_page(pages, ladder, results.frames(ladder.name), near)
        (folder / "ladders" / links[ladder.name]).write_text(page, encoding="utf-8")
    first = overview(pages, results, links)  # last: it tells of frames that could not be read
    (folder / "index.html").write_text(first, encoding="utf-8")


def write_assets(folder: Path) -> None:
    """The few files that all pages share."""
    folder.mkdir()
    for name in ASSETS:
        shutil.copyfile(TEMPLATES / name, folder / name)


def page_name(ladder: str) -> str:
    """File name of a ladder's page: readable, safe on every file system, another for every ladder."""
    return part_name(ladder).removesuffix(".parquet") + ".html"


def overview(pages: jinja2.Environment, results: Results, names: Mapping[str, str]) -> str:
    """The overview as HTML; `names` are the file names of the ladders' pages."""
    fleet, links = results.fleet, {ladder: f"ladders/{name}" for ladder, name in names.items()}
    by_mode = {m: sum(c.score(m) is not None for c in fleet.clips) for m in MODES}
    several = [len(ladder.clips) > 1 for ladder in fleet.ladders]  # as the plan counts
    count = {
        "clips": len(fleet.clips), "ladders": sum(several), "alone": len(several) - sum(several),
        "masters": any(c.is_master for c in fleet.clips),
        "modes": ", ".join(f"{n} {m.upper()}" for m, n in by_mode.items() if n),
    } | {status: len(fleet.with_status(status)) for status in ("ok", "skipped", "failed")}  # fmt: skip
    folder = fleet.folder or results.store.place
    last = results.runs[-1] if results.runs else None
    root = str(last.settings.get("root", "")) if last else ""  # what was scanned, as it was asked for
    title = next(n for p in (root, folder, results.store.place) if (n := p.rstrip("/.").rsplit("/", 1)[-1]))
    facts = [
        *([root or folder] if title != root else []),
        *([f"last run {last.finished_at:%Y-%m-%d %H:%M} UTC"] if last else []),
        *([said] if (said := looks([row for clip in fleet.clips for row in clip.rows])) else []),
    ]
    boxes = figures.by_size_and_codec(fleet.clips)
    by_title = figures.by_name(fleet.clips, lambda c: c.ladder)
    by_folder = figures.by_name(fleet.clips, fleet.top_folder) if fleet.folders_group else None
    worst = {m: fleet.worst(m, WORST_CLIPS) for m in MODES if by_mode[m]}
    ladders = dict.fromkeys(c.ladder for clips in worst.values() for c in clips)
    return pages.get_template("index.html").render(
        root="", title=title, facts=facts, warnings=results.warnings, count=count, links=links,
        worst=worst, worst_seconds={k: v for name in ladders for k, v in _worst_seconds(results.frames(name)).items()},
        distribution=figures.distribution(fleet.clips, height=boxes.height if boxes else None), by_size=boxes,
        by_name={k: f for k, f in (("title", by_title), ("folder", by_folder)) if f and len(fleet.ladders) > 1},
        unscored=tables.unscored(fleet), lint=[i for ladder in fleet.ladders for i in _lint(ladder)],
        ladder_table=tables.ladder_table(fleet, links), clip_table=tables.clip_table(fleet, links),
        runs=tables.runs(results.runs), changes=since_before(results, links),
    )  # fmt: skip


def _ladder_page(
    pages: jinja2.Environment, ladder: LadderTable, series: Mapping[tuple[str, str], Series], near: Mapping[str, object]
) -> str:
    style = figures.styles(ladder.clips)
    modes = [m for m in MODES if any(c.score(m) is not None for c in ladder.clips)]
    curves = {m: f for m in modes if (f := ladder_figures.rate_quality(ladder, m, style)) is not None}
    rows = [(c, r) for c in ladder.clips for r in c.rows_ok]
    judged_at = dict.fromkeys(r.display for _, r in rows if r.display)
    measured = max((r.measured_at for c in ladder.clips for r in c.rows if r.measured_at), default=None)
    facts = [f"judged at {', '.join(judged_at).replace('x', '×')}"] if judged_at else []
    facts += [f"last measured {measured:%Y-%m-%d %H:%M} UTC"] if measured else []
    return pages.get_template("ladder.html").render(
        root="../", ladder=ladder, facts=facts, styles=style, modes=modes, curves=curves, **near,
        displays=list(judged_at), models=models(ladder.clips),
        tiles=tables.ladder_tiles(ladder), worth=tables.worth(ladder, next(iter(curves))) if curves else None,
        worth_mode=next(iter(curves), None), timeline=ladder_figures.over_time(ladder.clips, series, style),
        drawn=[c for c in ladder.clips if any(len(s[0]) for (path, _), s in series.items() if path == c.path)],
        beside=len(ladder.clips) > 1 and any(r.ci95_frames for _, r in rows),
        lint=_lint(ladder), timed_findings=bool(finding_figures.timed(ladder.clips)),
        with_moments=sorted((c for c in ladder.clips if c.moments), key=_rank),
        pools=[p for p in POOLS if any(p in r.pools for _, r in rows)],
        cuts=ladder_figures.scene_cuts(series), worst_seconds=_worst_seconds(series),
        thinned=any(len(s.times) > ladder_figures.MOST_POINTS for s in series.values()),
        offsets=any(r.offset_s is not None for _, r in rows),
    )  # fmt: skip


def _worst_seconds(series: Mapping[tuple[str, str], Series]) -> dict[tuple[str, str], tuple[float, float] | None]:
    """95 % intervals of the worst second, by path and mode."""
    return {key: worst_second_ci95(s.times, s.scores, s.spans) for key, s in series.items() if len(s.times)}


def _lint(ladder: LadderTable) -> list[lint.Issue]:
    """What lint says, but of missing scores, which pages tell elsewhere."""
    return [issue for issue in lint.of_ladder(ladder) if issue.rule != "unscored"]


def _rank(clip: Clip) -> tuple[bool, float]:
    """Whose worst frames come first: a comparison tells more than a score by itself; then the lower score."""
    row, moment = clip.moments[0]
    return row.mode != "fr", moment.score


def folder_aside(out: Path, prefix: str) -> Path:
    """An empty folder in `out` to write pages into; what a killed report left behind there is removed."""
    for left in out.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_S:
                shutil.rmtree(left)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=out))


def swap(new: Path, target: Path) -> None:
    """Put the finished folder in the old one's place."""
    old = new.with_name(new.name + ".old")
    if target.exists():
        target.replace(old)
    new.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def environment(fleet: Fleet) -> jinja2.Environment:
    """Templates with our filters. Everything is escaped: names and reasons come from other people's files."""
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pages.filters |= FILTERS
    pages.globals |= {
        "models": fleet.models, "shared": fleet.folder, "displays": fleet.displays, "version": __version__,
        "built": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }  # fmt: skip
    return pages
