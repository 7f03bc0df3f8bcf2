"""Where exports are written: whole files, through links, into pipes; and results that cannot all be read."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
from yoto_video.jobs import cli
from yoto_video.jobs.output import print_scan_table
from yoto_video.pipeline.parts import part_name

from .synthetic_results import clips, scored, write
from .test_cli import COMMAND


@pytest.fixture
def out(tmp_path: Path) -> str:
    return str(write(tmp_path / "out", [clips()]))


def test_a_link_stays_and_what_it_leads_to_is_written(out: str, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert cli.main(["export", out, "--to", str(tmp_path / "link.csv")]) == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("path,")


def test_a_pipe_is_written_to(out: str, tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    assert cli.main(["export", out, "--to", str(pipe)]) == 0
    reader.join(30)
    assert read[0].startswith("path,")
    assert pipe.is_fifo()


def test_standard_output_by_its_name_goes_where_the_shell_sends_it(out: str, tmp_path: Path) -> None:
    with (tmp_path / "both").open("w") as both:
        both.write("before\n")
        both.flush()
        words = [COMMAND, "export", out, "--to", "/dev/fd/1"]
        subprocess.run(words, stdout=both, check=True, timeout=120)
        assert os.fstat(both.fileno()).st_ino == (tmp_path / "both").stat().st_ino
    assert (tmp_path / "both").read_text().startswith("before\npath,")


def test_a_name_too_long_for_any_file_is_one_sentence(out: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", out, "--to", f"/tmp/{'x' * 300}.csv"]) == 2
    assert "cannot be written (File name too long)" in capsys.readouterr().err


@pytest.mark.parametrize("to", [".", "/", "folder"])
def test_a_folder_is_no_place_for_a_file(
    out: str, to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", out, "--to", to]) == 2
    assert "cannot be written (Is a directory)" in capsys.readouterr().err


def test_what_cannot_be_read_passes_no_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The video that would fail may be in it."""
    whole = str(write(tmp_path / "whole", [[scored("/v/a.mp4", "a", "nr", 70)]]))
    out = write(tmp_path / "out", [[scored("/v/a.mp4", "a", "nr", 70)]])
    stranger = out / "clips" / part_name("b")
    stranger.write_bytes((out / "clips" / part_name("a")).read_bytes()[:900])
    to = ["--to", str(tmp_path / "x")]
    assert cli.main(["export", str(out), *to]) == 0
    assert stranger.name in capsys.readouterr().err
    assert cli.main(["export", str(out), *to, "--fail-under", "60"]) == 4
    assert cli.main(["lint", str(out)]) == 4
    assert cli.main(["export", whole, *to, "--baseline", str(out), "--max-regression", "2"]) == 3
    assert f"--baseline {stranger}" in capsys.readouterr().err
    assert cli.main(["lint", whole]) == 0


def test_frames_that_cannot_be_read_are_told_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A damaged page shows only when it is read."""
    out = write(tmp_path / "out", [[scored("/v/a.mp4", "a", "nr", 70)]])
    part = out / "frames" / part_name("a")
    content = bytearray(part.read_bytes())
    content[40:400] = bytes(360)
    part.write_bytes(content)
    for form in ("frames", "libvmaf"):
        to = ["--to", str(tmp_path / form)]
        assert cli.main(["export", str(out), "--format", form, *to, "--fail-under", "10"]) == 4
        assert capsys.readouterr().err.count(str(part)) == 1


def test_results_of_which_nothing_can_be_read_are_not_called_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write(tmp_path / "out", [[scored("/v/a.mp4", "a", "nr", 70)]])
    part = out / "clips" / part_name("a")
    part.write_bytes(part.read_bytes()[:500])
    for command in ("export", "lint"):
        assert cli.main([command, str(out), "--fail-under", "10"]) == 1
        said = capsys.readouterr().err
        assert "no clip of these results can be read" in said
        assert part.name in said


def test_a_closed_pipe_ends_tables_as_it_ends_json(out: str) -> None:
    for form in ("table", "json"):
        read, write_end = os.pipe()
        os.close(read)
        words = [COMMAND, "lint", out, "--format", form]
        done = subprocess.run(words, stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=120)
        os.close(write_end)
        assert (done.returncode, done.stderr) == (141, "")


def test_a_score_of_nought_is_among_the_worst(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [scored(f"/v/{i}.mp4", "a", "nr", 50 + i / 10).clip for i in range(45)]
    dead = scored("/v/dead.mp4", "a", "nr", 90).clip, scored("/v/dead.mp4", "a", "fr", -200).clip
    assert dead[1].score == 0
    print_scan_table([*rows, *dead])
    assert "dead.mp4" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_a_log_whose_disk_fills_up_is_one_line_and_the_scan_goes_on(films: Path, out_dir: Path) -> None:
    words = [COMMAND, "scan", str(films / "empty.mp4"), "--out", str(out_dir), "--log", "/dev/full", "--workers", "0"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 4
    assert done.stderr.count("--log /dev/full: cannot be written any more; the scan goes on") == 1
    assert "Traceback" not in done.stderr
    assert "report:" in done.stdout


def test_junit_tells_what_vanished(tmp_path: Path) -> None:
    both = [scored(f"/v/{name}.mp4", "a", "nr", 70) for name in ("kept", "gone")]
    before = write(tmp_path / "before", [both])
    now = write(tmp_path / "now", [both[:1]])
    gate = ["--baseline", str(before), "--max-regression", "2"]
    assert cli.main(["export", str(now), "--format", "junit", "--to", str(tmp_path / "q.xml"), *gate]) == 0
    *_, suite = ElementTree.parse(tmp_path / "q.xml").getroot()
    assert suite.attrib == {"name": "baseline", "tests": "1", "skipped": "1"}
    assert "/v/gone.mp4 first" in (suite[0][0].get("message") or "")
