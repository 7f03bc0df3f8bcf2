"""What the documents say exists: commands, flags, files, pictures; and they say nothing of anybody's machine."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yoto_video
from yoto_video.jobs import cli
from yoto_video.pipeline.decode import DECORD
from yoto_video.reports.lint import RULES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLI_DOC = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.md")])


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command's own parser, by name."""
    (choices,) = (a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(choices.choices)


def flags(parser: argparse.ArgumentParser) -> set[str]:
    """The long flags of one command."""
    return {flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")}


def shell_lines(text: str) -> Iterator[list[str]]:
    """Words of every command in indented or fenced code that calls yoto-video or make; continuations are joined."""
    for line in text.replace("\\\n", " ").splitlines():
        match = re.match(r"^\s*(?:\$ )?((?:yoto-video|make) .*)$", line)
        if match:
            yield shlex.split(match[1], comments=True)


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_help_and_stands_in_the_documents(name: str) -> None:
    parser = commands()[name]
    assert parser.description
    assert f"yoto-video {name}" in README
    assert f"## yoto-video {name}" in CLI_DOC
    for action in parser._actions:
        assert action.help, f"{name}: {action.option_strings or action.dest} has no help"
    section = CLI_DOC.split(f"## yoto-video {name}\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"(?<!\w)--[a-z][a-z-]*", section))
    missing = flags(parser) - documented - {"--help"}
    assert documented <= flags(parser), f"{name} has no {sorted(documented - flags(parser))}"
    assert not missing, f"docs/cli.md says nothing of {name} {sorted(missing)}"


def test_every_rule_of_lint_stands_in_its_table() -> None:
    section = CLI_DOC.split("## yoto-video lint\n")[1].split("\n## ")[0]
    told = {rule for line in section.splitlines() if line.startswith("| `") for rule in re.findall(r"`(\w+)`", line)}
    assert told >= RULES


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_in_the_documents_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    known = commands()
    for words in shell_lines(document.read_text(encoding="utf-8")):
        if words[0] == "make":
            wanted = {word for word in words[1:] if "=" not in word}
            assert wanted <= targets, f"{document.name}: {' '.join(words)}"
            continue
        if words[1].startswith("-"):
            continue
        assert words[1] in known, f"{document.name}: {' '.join(words)}"
        used = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
        assert used <= flags(known[words[1]]), f"{document.name}: {' '.join(words)}"


def test_the_rule_sees_commands() -> None:
    text = "    make demo   # all of it\n```\n$ yoto-video scan x --out y \\\n    --fps 2\n```\n"
    assert list(shell_lines(text)) == [["make", "demo"], ["yoto-video", "scan", "x", "--out", "y", "--fps", "2"]]
    assert any(words[0] == "yoto-video" for words in shell_lines(README))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_benchmark_stands_in_their_document() -> None:
    said = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in (ROOT / "benchmarks").glob("*.py") if path.stem not in said] == []


def test_both_make_commands_stand_at_the_top() -> None:
    top = "\n".join(README.splitlines()[:6])
    assert "make demo" in top
    assert "make test" in top


def test_how_far_decord_is_off_is_said_as_the_finding_says_it() -> None:
    for said in (DECORD, README.replace("\n", " ")):
        assert "scores of small encodes" in said
        assert re.search(r"up to 4 points (off )?in NR and 2\.5 in FR", said)


def test_the_install_section_says_how_to_call_what_make_setup_installs() -> None:
    section = README.split("\n## Install\n")[1].split("\n## ")[0]
    assert section.index("make setup") < section.index(". .venv/bin/activate") < section.index("pip install")


def test_python_examples_use_what_exists() -> None:
    for name in re.findall(r"yoto_video\.([a-z_]+)\(", README):
        assert callable(getattr(yoto_video, name)), name


def test_nothing_committed_names_a_machine() -> None:
    """No path of a home folder or of where this checkout happens to lie."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: there is no list of committed files")
    here = [re.escape(f"{folder}/") for folder in (ROOT, Path.home()) if len(folder.parts) > 1]
    begins = r"(?<![\w/.-])"  # .../data/root/ is no home folder
    machine = re.compile(begins + "(?:" + "|".join([*here, r"/home/[a-z]\w*/", r"/Users/[A-Za-z]\w*/"]) + ")")
    for name in filter(None, listed.stdout.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" in data:
            continue  # a picture or weights
        found = machine.search(data.decode("utf-8", errors="replace"))
        assert found is None, f"{name} names a machine's path: {found[0] if found else ''}"
