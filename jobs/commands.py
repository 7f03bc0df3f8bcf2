"""The commands: each opens, calls one function, prints what it says, and returns the exit code.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ..pipeline.errors import UsageError
from ..pipeline.settings import Settings
from ..pipeline.text import printable
from .flags import GATE, INCOMPLETE, OK
from .options import make_settings

if TYPE_CHECKING:
    from pathlib import Path

    from ..pipeline.values import ClipScore
    from ..reports.results import Results


def _scan(args: argparse.Namespace) -> int:
    from ..pipeline.plan import describe
    from . import output
    from .gates import Gate
    from .log import log_to
    from .progress import Clock
    from .request import Request
    from .scan import make_plan, scan
    from .terminal import Terminal

    as_json = args.format == "json"
    request = Request(
        args.path, args.out, settings_of(args), reference=args.reference, mapping=args.mapping, resume=args.resume,
        workers=args.workers, address=args.address, isolate=args.isolate, command=args.line, budget=args.budget,
    )  # fmt: skip
    if args.dry_run:
        clock = Clock()
        plan = make_plan(request, Terminal())
        end = [output.summary_line((), {"plan": clock.seconds})]
        print(*([*output.plan_lines(plan), *end] if as_json else describe(plan)), sep="\n")
        return OK
    if args.estimate:
        from .estimate import estimate

        clock = Clock()
        found = estimate(request, Terminal())
        end = [output.summary_line((), {"wall": clock.seconds})]
        print(*([json.dumps(found.as_json()), *end] if as_json else found.lines()), sep="\n")
        return OK
    gate = Gate(args.fail_under, args.baseline, args.max_regression)
    gate.check(args.out)
    with log_to(args.log):
        result = scan(request, Terminal(plan_to="stderr" if as_json else "stdout"))
    faults = gate.faults(result.clips, str(result.out), complain)
    if as_json:
        print(*output.clip_lines(result.clips), *output.gate_lines(faults), sep="\n")
        print(output.summary_line(result.clips, result.seconds))
    else:
        output.print_scan(result)
    code = _verdict(result.clips, faults.values())
    return INCOMPLETE if code == OK and result.outdated else code


def _status(args: argparse.Namespace) -> int:
    from .status import lines, status

    found = status(args.out)
    print(*([json.dumps(found)] if args.format == "json" else lines(found)), sep="\n")
    return OK


def _score(args: argparse.Namespace) -> int:
    from . import output
    from .gates import Gate
    from .score import score
    from .terminal import Terminal

    screen = Terminal()
    with screen.stage("judging", 1):
        clips, seconds = score(args.video, args.reference, settings_of(args), screen)
    faults = Gate(args.fail_under).faults(clips, "")
    if args.format == "json":
        print(*output.clip_lines(clips), *output.gate_lines(faults), output.summary_line(clips, seconds), sep="\n")
    else:
        output.print_score_table(clips)
    code = _verdict(clips, faults.values())
    asked_in_vain = args.reference is not None and not any(clip.mode == "fr" for clip in clips)
    return INCOMPLETE if code == OK and asked_in_vain else code


def _compare(args: argparse.Namespace) -> int:
    from . import output
    from .compare import CompareRequest, compare
    from .compare_output import figure_lines, map_lines, note_lines, print_comparison
    from .log import log_to
    from .terminal import Terminal

    request = CompareRequest(
        tuple(args.sides), args.out, settings_of(args), labels=tuple(args.labels.split(",")) if args.labels else (),
        reference=args.reference, mapping=args.mapping, times=args.times, imports=tuple(args.imports),
        resume=args.resume, workers=args.workers, address=args.address, isolate=args.isolate, command=args.line,
    )  # fmt: skip
    with log_to(args.log):
        result = compare(request, Terminal())
    if args.figures is not None:
        from ..reports.figure_files import write_comparison_figures

        write_comparison_figures(result.comparison, result.page.parent / "figures", args.figures)
    if args.format == "json":
        told = [*figure_lines(result.comparison.figures), *note_lines(result.comparison.titles)]
        print(*output.clip_lines(result.clips), *told, *map_lines(result.maps), sep="\n")
        print(output.summary_line(result.clips, result.seconds))
    else:
        print_comparison(result.comparison)
        print(f"page: {result.page}")
    overall = [f for f in result.comparison.figures if f.title is None and f.pool == "mean"]
    compared = {(f.anchor, f.test) for f in overall if f.verdict != "not comparable"}
    left_out = any(note.kind == "left_out" for title in result.comparison.titles for note in title.told)
    if left_out or any((f.anchor, f.test) not in compared for f in overall):
        return INCOMPLETE
    return _verdict(result.clips, ())


def _report(args: argparse.Namespace) -> int:
    from ..reports.pages import build_report

    def figures(results: Results, folder: Path) -> None:
        if args.figures is not None:
            from ..reports.figure_files import write_report_figures

            write_report_figures(results, folder / "figures", args.figures)

    index = build_report(args.out, zipped=args.zip, also=figures)
    print(index if args.zip is None else args.zip)
    return OK


def _lint(args: argparse.Namespace) -> int:
    from .lint import run_lint

    failed, complete = run_lint(
        args.out, fail_under=args.fail_under, max_drop=args.max_drop, fail_on=args.fail_on,
        as_json=args.format == "json", tell=complain,
    )  # fmt: skip
    return GATE if failed else OK if complete else INCOMPLETE


def _export(args: argparse.Namespace) -> int:
    from .export import export
    from .gates import Gate

    gate = Gate(args.fail_under, args.baseline, args.max_regression)
    clips, faults, whole = export(args.out, args.format, args.to, gate, complain)
    if args.format in ("frames", "libvmaf") and not any(clip.status == "ok" for clip in clips):
        complain(f"{args.out}: no video in these results has a score, so there are no frames to write")
        return INCOMPLETE
    code = _verdict(clips if gate.asked else (), faults)
    return INCOMPLETE if code == OK and gate.asked and not whole else code


def _demo(args: argparse.Namespace) -> int:
    from .demo import demo

    return demo(args.out, workers=args.workers, command=args.line)


def _train(args: argparse.Namespace) -> int:
    from .train import run_train
    from .work import model_errors

    with model_errors():
        return run_train(
            data=args.data, out=args.out, model=args.model, steps=args.steps, fold=args.fold, mode=args.mode
        )


def _evaluate(args: argparse.Namespace) -> int:
    from .evaluate import Evaluate, run_evaluate
    from .sanity import run_sanity
    from .work import model_errors

    with model_errors():
        if args.sanity:
            if args.out or args.plot:
                raise UsageError("--sanity compares with no opinions: it takes no --out and no --plot")
            return run_sanity(
                model=args.model, data=args.data, device=args.device, crops=args.crops, format=args.format
            )
        return run_evaluate(Evaluate(**{f: getattr(args, f) for f in Evaluate.__dataclass_fields__}))


COMMANDS = {
    "scan": _scan, "status": _status, "score": _score, "compare": _compare, "report": _report, "lint": _lint,
    "export": _export, "demo": _demo, "train": _train, "evaluate": _evaluate,
}  # fmt: skip


def settings_of(args: argparse.Namespace) -> Settings:
    """How the command's words say that videos are judged."""
    return make_settings(**{name: value for name, value in vars(args).items() if name in Settings.__dataclass_fields__})


def _verdict(clips: Sequence[ClipScore], faults: Collection[str]) -> int:
    """The exit code that the rows deserve; says which ones do not pass the gate, and why."""
    for fault in faults:
        complain(fault)
    if faults:
        return GATE
    foreign = any(finding.foreign for clip in clips for finding in clip.findings)
    return OK if all(clip.status == "ok" for clip in clips) and not foreign else INCOMPLETE


def complain(sentence: str) -> None:
    """One line on stderr."""
    one_line = printable(" ".join(sentence.split()))
    with contextlib.suppress(OSError):  # nobody listens any more
        print(f"yoto-video: {one_line}", file=sys.stderr, flush=True)
