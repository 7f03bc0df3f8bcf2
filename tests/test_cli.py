"""The command line's manners: exit codes, streams, one-line errors, JSON that other programs can read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yoto_video
from PIL import Image
from yoto_video.jobs import cli, commands
from yoto_video.jobs.output import print_score_table
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.pool import POOLS
from yoto_video.pipeline.values import ClipScore

from .clips import make
from .fakes import FakeJudge
from .synthetic_results import scored, write

KEYS = [
    *("type", "path", "ladder", "mode", "status", "reason", "score", "pools", "ci95", "frames", "display", "width"),
    *("height", "codec", "bitrate_kbps", "duration_s", "offset_frames", "offset_s", "match_confidence"),
    *("master_score", "findings", "model", "model_sha256"),
]
COMMAND = str(Path(sys.executable).parent / "yoto-video")


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> FakeJudge:
    """No weights are needed where it is not about them."""
    fake = FakeJudge()
    monkeypatch.setattr("yoto_video.models.judge.Judge.load", lambda *_, **__: fake)
    return fake


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ladder of one encode and its master."""
    folder = tmp_path_factory.mktemp("film")
    make(folder / "film_master.mp4", size=(96, 64), frames=8)
    make(folder / "film_64p_40k.mp4", size=(96, 64), frames=8, options={"crf": "45"})
    return folder


def objects(text: str) -> list[dict[str, Any]]:
    """JSON lines, strictly: no NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_help_is_there_at_once() -> None:
    """Nothing that takes long to import is imported for it."""
    heavy = [
        "torch", "timm", "ray", "av", "decord", "numpy", "scipy", "pyarrow", "plotly", "openvino", "matplotlib", "rich",
    ]  # fmt: skip
    code = (
        "import contextlib, sys\n"
        "from yoto_video.jobs.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "scan" in said.stdout
    assert said.stderr.splitlines()[-1] == "[]"


COMMANDS = ["scan", "status", "score", "compare", "report", "lint", "export", "demo", "train", "evaluate"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_defaults_and_ends_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"examples:\n  yoto-video {command}" in text
    if command != "report":
        assert "(default: " in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == f"yoto-video {yoto_video.__version__}"


@pytest.mark.parametrize("module", ["yoto_video", "yoto_video.jobs.cli"])
def test_python_runs_it_as_a_module(module: str, tmp_path: Path) -> None:
    said = [
        subprocess.run([sys.executable, "-m", module, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        for words in (["--version"], ["status", "nowhere"])
    ]
    assert [done.returncode for done in said] == [0, 2]
    assert said[0].stdout == f"yoto-video {yoto_video.__version__}\n"
    assert re.fullmatch(r"yoto-video: error: [^\n]+\n", said[1].stderr)


@pytest.mark.parametrize(
    "words",
    [
        [], ["scann", "x"], ["scan"], ["scan", "x", "--fps", "fast"], ["scan", "x", "--fps", "0"],
        ["scan", "x", "--display", "1080p"], ["scan", "x", "--display", "4x4"], ["scan", "x", "--workers", "-1"],
        ["scan", "x", "--format", "xml"], ["scan", "x", "--nonsense"], ["scan", "/does/not/exist"],
        ["scan", "/does/not/exist", "--dry-run"], ["score", "/does/not/exist.mp4"], ["score", "/"],
        ["scan", "nowhere://bucket/x"], ["report", "/does/not/exist"], ["scan", "x", "--crops", "0"],
        ["scan", "https://example.com/a.mp4"], ["scan", ""], ["score", ""], ["scan", "x", "--reference", ""],
        ["scan", "x", "--dry-run", "--estimate"], ["score", "x/a.mp4", "--reference", "x"],
    ],
)  # fmt: skip
def test_a_wrong_request_is_one_line_and_code_2(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    make(tmp_path / "x" / "a.mp4", frames=2)
    try:
        code: Any = cli.main(words)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert re.fullmatch(r"yoto-video: error: [^\n]+\n", said.err), said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "yoto-out").exists()


def test_what_a_command_does_not_know_points_to_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["score", "a.mp4", "--workers", "2"])
    assert "unrecognized arguments: --workers 2 (see yoto-video score --help)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "flag", "value", "said"),
    [
        ("scan", "--fps", "0", "above 0"), ("score", "--fps", "nan", "above 0"), ("scan", "--fps", "inf", "above 0"),
        ("scan", "--time-limit", "0", "above 0"), ("score", "--decode-timeout", "-1", "above 0"),
        ("scan", "--fail-under", "700", "0 to 100"), ("score", "--fail-under", "-1", "0 to 100"),
        ("lint", "--fail-under", "nan", "0 to 100"), ("lint", "--max-drop", "-1", "0 or more"),
        ("scan", "--max-regression", "-2", "0 or more"), ("export", "--max-regression", "nan", "0 or more"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_said_with_its_flag(
    command: str, flag: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "x", flag, value])
    assert stop.value.code == 2
    wrong = f"yoto-video: error: argument {flag}: '{value}' is not [^\n]*{said}[^\n]*\n"
    assert re.fullmatch(wrong, capsys.readouterr().err)


def test_what_nobody_foresaw_is_one_line_and_a_traceback_only_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> int:
        raise TypeError("not this\nway")

    monkeypatch.setitem(commands.COMMANDS, "lint", broken)
    monkeypatch.delenv("YOTO_DEBUG", raising=False)
    assert cli.main(["lint", "x"]) == 1
    said = capsys.readouterr().err
    line = r"yoto-video: error: a fault in yoto-video[^\n]+TypeError: not this way[^\n]+YOTO_DEBUG=1[^\n]+\n"
    assert re.fullmatch(line, said)
    monkeypatch.setenv("YOTO_DEBUG", "1")
    assert cli.main(["lint", "x"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_unwritable_out_is_said_before_anything_is_measured(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["scan", str(film), "--out", str(tmp_path / "file" / "out")]) == 2
    assert re.fullmatch(r"yoto-video: error: [^\n]+\n", capsys.readouterr().err)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").touch()
    assert cli.main(["scan", str(film), "--out", str(tmp_path / "theirs")]) == 2
    assert "--out" in capsys.readouterr().err


def test_models_that_cannot_be_had(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video, out = str(film / "film_64p_40k.mp4"), str(tmp_path / "out")
    (tmp_path / "bad.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{broken}")
    for model, code, word in (
        ("yoto_mobilnetv2", 2, "yoto_mobilenetv2"),
        ("nope", 2, "path of any .safetensors file"),
        (str(tmp_path / "none.safetensors"), 2, "none.safetensors"),
        (str(tmp_path / "bad.safetensors"), 1, "bad.safetensors"),
    ):
        for words in (["score", video], ["scan", str(film), "--out", out, "--workers", "0", "--format", "json"]):
            assert cli.main([*words, "--model", model]) == code, model
            said = capsys.readouterr()
            assert said.out == ""
            assert re.fullmatch(r"yoto-video: error: [^\n]+\n", said.err)  # told before anything is looked for
            assert word in said.err
    assert cli.main(["scan", str(film), "--out", out, "--device", "gpu7"]) == 2
    assert re.fullmatch(
        r"yoto-video: error: the device 'gpu7' cannot be used: there is no such kind[^\n]+\n", capsys.readouterr().err
    )
    assert not Path(out).exists()


@pytest.mark.usefixtures("judge")
def test_score_prints_a_line_a_mode(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encode, master = str(film / "film_64p_40k.mp4"), str(film / "film_master.mp4")
    assert cli.main(["score", encode]) == 0
    table = capsys.readouterr().out
    assert "NR" in table
    assert "FR" not in table
    assert cli.main(["score", encode, "--reference", master, "--display", "48x32"]) == 0
    table = capsys.readouterr().out
    assert [line.split()[0] for line in table.splitlines() if line[:2] in ("NR", "FR")] == ["NR", "FR"]
    assert "48x32" in table

    assert cli.main(["score", encode, "--reference", master, "--format", "json"]) == 0
    *clips, summary = objects(capsys.readouterr().out)
    assert [(clip["mode"], clip["path"]) for clip in clips] == [("nr", encode), ("fr", encode)]
    assert all(list(clip) == KEYS for clip in clips)
    assert all(clip["score"] == clip["pools"]["mean"] for clip in clips)
    assert {name: summary[name] for name in ("type", "ok", "skipped", "failed")} == {
        "type": "summary", "ok": 2, "skipped": 0, "failed": 0,
    }  # fmt: skip
    assert summary["seconds"]["inference"] >= 0


@pytest.mark.usefixtures("judge")
@pytest.mark.parametrize(("size", "small"), [((8, 8), True), ((223, 223), True), ((224, 8), False)])
def test_what_is_smaller_than_a_place_is_said_to_be(
    size: tuple[int, int], small: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.effect_noise(size, 60).save(tmp_path / "p.png")
    assert cli.main(["score", str(tmp_path / "p.png"), "--format", "json"]) == 0
    (clip, _) = objects(capsys.readouterr().out)
    said = [
        f["sentence"] for f in clip["findings"] if f["kind"] == "note" and "smaller than one place" in f["sentence"]
    ]
    assert len(said) == small
    assert all(sentence.startswith(f"judged at {size[0]}x{size[1]}, ") for sentence in said)


@pytest.mark.usefixtures("judge")
def test_a_reference_that_is_of_no_use_is_code_4(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video" * 100)
    assert cli.main(["score", str(film / "film_64p_40k.mp4"), "--reference", str(broken)]) == 4
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "not compared with its master broken" in line)
    assert line.startswith("warning")


@pytest.mark.usefixtures("judge")
def test_a_video_that_cannot_be_scored_is_one_object_and_code_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.mp4").touch()
    assert cli.main(["score", str(tmp_path / "empty.mp4"), "--format", "json"]) == 4
    clip, summary = objects(capsys.readouterr().out)
    assert (clip["mode"], clip["status"], clip["score"], clip["pools"]) == (None, "failed", None, None)
    assert "0 bytes" in clip["reason"]
    assert summary["failed"] == 1
    assert cli.main(["score", str(tmp_path / "empty.mp4")]) == 4
    assert "0 bytes" in capsys.readouterr().out


@pytest.mark.usefixtures("judge")
@pytest.mark.parametrize("name", ["film.m3u8", "film.MPD"])
def test_a_manifest_is_said_to_be_one_for_scan(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {"film.m3u8": "#EXTM3U\n#EXTINF:2,\nfilm0.ts\n", "film.MPD": "<?xml version='1.0'?><MPD></MPD>"}
    (tmp_path / name).write_text(texts[name])
    assert cli.main(["score", str(tmp_path / name)]) == 4
    said = capsys.readouterr().out
    assert "skipped: a manifest, not a video: `yoto-video scan` on it judges what it lists" in said


@pytest.mark.usefixtures("judge")
def test_a_scaling_that_cannot_be_done_is_said_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (3, 5000), (90, 120, 30)).save(tmp_path / "thin.png")
    assert cli.main(["score", str(tmp_path / "thin.png"), "--display", "16384x16"]) == 4
    said = "failed: its pictures of 3x5000 pixels cannot be scaled to 16384x16; choose another --display"
    assert said in capsys.readouterr().out.splitlines()


def test_findings_stand_below_the_scores_once_the_gravest_first(capsys: pytest.CaptureFixture[str]) -> None:
    found = (
        Finding("a note"),
        Finding("dull", "black", "warning", 3.0, 4.0),
        Finding("torn", "damaged", "error", 7.0, 8.5),
    )
    common = {"path": "/a.mp4", "ladder": "a", "status": "ok", "pools": dict.fromkeys(POOLS, 50.0), "frames": 4}
    clips = [ClipScore(mode=mode, findings=found, **common) for mode in ("nr", "fr")]  # type: ignore[arg-type]
    print_score_table(clips)
    told = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line.split()[0] for line in told[:3]] == ["mode", "NR", "FR"]
    assert [line.split("  ")[-1].strip() for line in told[4:]] == ["finding", "torn", "dull", "a note"]
    assert [line[10:22].strip() for line in told[5:]] == ["7.0 to 8.5", "3.0 to 4.0", ""]


@pytest.mark.usefixtures("judge")
def test_the_gate(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encode = str(film / "film_64p_40k.mp4")
    assert cli.main(["score", encode, "--fail-under", "0"]) == 0
    assert cli.main(["score", encode, "--fail-under", "100"]) == 3
    assert f"below 100: {encode} (NR " in capsys.readouterr().err
    words = ["scan", str(film), "--out", str(tmp_path / "out"), "--fail-under", "100"]
    assert cli.main(words) == 3
    said = capsys.readouterr().err
    assert f"{encode} (FR " in said
    assert "film_master" not in said.split("yoto-video: below")[1]
    for command in (["score", encode, "--fail-under", "100"], words):
        assert cli.main([*command, "--format", "json"]) == 3
        *_, gate, summary = map(json.loads, capsys.readouterr().out.splitlines())
        assert (gate["type"], gate["path"], summary["type"]) == ("gate", encode, "summary")
        assert gate["reason"].startswith("below 100")


@pytest.mark.usefixtures("judge")
def test_scan_keeps_the_streams_apart(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(shutil.copytree(film, tmp_path / "film"))
    (folder / "empty.mp4").touch()
    words = ["scan", str(folder), "--out", str(tmp_path / "out"), "--format", "json"]
    assert cli.main(words) == 4
    said = capsys.readouterr()
    *clips, summary = objects(said.out)
    assert all(list(clip) == KEYS for clip in clips)
    assert [clip["mode"] for clip in clips if clip["path"].endswith("empty.mp4")] == [None]
    assert (summary["type"], summary["ok"], summary["failed"]) == ("summary", 3, 1)
    assert len(clips) == 4
    assert "film_64p_40k.mp4" in said.err  # the plan
    assert "\x1b" not in said.err + said.out

    assert cli.main(words[:-2]) == 4
    said = capsys.readouterr()
    assert "film_64p_40k.mp4" in said.out
    assert "nothing to measure; up to date: 4 results" in said.err
    assert "3 videos: 2 scored (1 FR, 2 NR), 0 skipped, 1 failed\n0 results measured in " in said.out
    assert cli.main(["status", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "results     3 rows scored, 0 skipped, 1 failed" in told
    assert "a minute" not in told  # of files that were only looked up
    assert said.out.splitlines()[-1] == f"report: {tmp_path / 'out' / 'report' / 'index.html'}"
    assert max(map(len, said.out.splitlines())) > 80  # nothing is cut where there is no terminal

    assert cli.main(["report", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "report" / "index.html")


def test_a_dry_run_shows_the_plan_and_touches_nothing(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["scan", str(film), "--out", str(out), "--dry-run"]) == 0
    assert "film_master.mp4" in capsys.readouterr().out
    assert cli.main(["scan", str(film), "--out", str(out), "--dry-run", "--format", "json"]) == 0
    line, summary = objects(capsys.readouterr().out)
    assert {**summary, "seconds": list(summary["seconds"])} == {
        "type": "summary", "ok": 0, "skipped": 0, "failed": 0, "seconds": ["plan"],
    }  # fmt: skip
    assert line["type"] == "ladder"
    assert line["master"] == str(film / "film_master.mp4")
    assert line["renditions"] == [str(film / "film_64p_40k.mp4")]
    assert not out.exists()


@pytest.mark.usefixtures("judge")
def test_an_estimate_too_ends_in_a_summary(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["scan", str(film), "--out", str(tmp_path / "out"), "--workers", "0", "--estimate", "--format", "json"]
    assert cli.main(words) == 0
    line, summary = objects(capsys.readouterr().out)
    assert (line["type"], summary["type"], summary["ok"]) == ("estimate", "summary", 0)
    assert summary["seconds"]["wall"] > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_a_full_disk_below_the_output_is_one_sentence(film: Path) -> None:
    with open("/dev/full", "w") as full:
        words = [COMMAND, "scan", str(film), "--dry-run"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.stderr == "yoto-video: error: the output cannot be written (No space left on device)\n"
    assert done.returncode == 1


def test_names_of_any_script_pass_whatever_the_locale(tmp_path: Path) -> None:
    write(tmp_path / "out", [[scored("/v/Käse/été.mp4", "Käse", "nr", 60)]])
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = [COMMAND, "export", str(tmp_path / "out"), "--format", "csv"]
    done = subprocess.run(words, capture_output=True, env=os.environ | plain, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "/v/Käse/été.mp4" in done.stdout.decode("utf-8")


def test_a_reader_that_leaves_gets_no_traceback(film: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [COMMAND, "scan", str(film), "--dry-run"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 141
