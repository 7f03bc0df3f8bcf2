"""A network that does not run as it is meant to here: every command that judges says so on stderr, once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yoto_video
from PIL import Image
from yoto_video.jobs import cli

from .clips import make
from .fakes import FakeJudge

SENTENCE = "none runs the network, more slowly: it has no wheels"
COMMANDS = {
    "score": "score a/film_64p_40k.mp4 --format json",
    "scan": "scan a --out out --workers 0 --format json",
    "estimate": "scan a --out out --workers 0 --estimate",
    "compare": "compare a b --out out --workers 0 --format json",
    "evaluate": "evaluate --table rated.csv --no-peers --format json",
    "cross": "evaluate --cross one.safetensors two.safetensors --data nowhere",
    "sanity": "evaluate --sanity --data pictures --format json",
}


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeJudge:
    """One that runs as it should, and videos and pictures to judge in the folder one is in."""
    for side in ("a", "b"):
        (tmp_path / side).mkdir()
        make(tmp_path / side / "film_64p_40k.mp4", size=(96, 64), frames=8, options={"crf": "40"})
    (tmp_path / "pictures/pristine/kodak24").mkdir(parents=True)
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "pictures/pristine/kodak24/one.png")
    (tmp_path / "rated.csv").write_text("image,mos\npictures/pristine/kodak24/one.png,3\n")
    monkeypatch.chdir(tmp_path)
    fake = FakeJudge()
    monkeypatch.setattr("yoto_video.models.judge.Judge.load", lambda *_, **__: fake)
    monkeypatch.setattr("yoto_video.jobs.evaluate._check_cross", lambda *_: None)
    monkeypatch.setattr("yoto_video.jobs.sanity.examine", lambda *_: [])
    return fake


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_every_command_that_judges_says_it(words: str, judge: FakeJudge, capsys: pytest.CaptureFixture[str]) -> None:
    judge.fallback = "it has no wheels"
    cli.main(words.split())
    printed = capsys.readouterr()
    assert printed.err.count(SENTENCE) == 1
    assert SENTENCE not in printed.out


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_none_does_where_all_is_well(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(words.split())
    assert "more slowly" not in capsys.readouterr().err


def test_programs_read_it_in_the_log(judge: FakeJudge, caplog: pytest.LogCaptureFixture) -> None:
    judge.fallback = "it has no wheels"
    with caplog.at_level(logging.INFO, "yoto_video"):
        yoto_video.score("a/film_64p_40k.mp4")
    assert [record.getMessage() for record in caplog.records] == [SENTENCE]
