"""Published layouts read from disk: the table they give, which way round the scores go, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from yoto_video.models.training.datasets.known import PUBLISHED, read
from yoto_video.models.training.tables import DataError, Label, listing

from . import published_sets as sets

WITH_REFERENCES = ("live", "csiq", "tid2013", "kadid10k", "pipal")


def built(name: str, root: Path, builder: Callable[[Path], None] | None = None) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (builder or sets.BUILDERS[name])(root)
    return root


def test_every_set_is_built_here() -> None:
    assert set(sets.BUILDERS) == set(PUBLISHED)


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_a_published_layout_becomes_the_table(name: str, tmp_path: Path) -> None:
    found = read(name, built(name, tmp_path))
    assert not found.skipped
    samples = found.samples
    assert len(samples) == (10 if name == "live" else 4)
    assert all(1 <= s.mos <= 5 and s.display == sets.SIZE and s.dataset == name and s.unseen() for s in samples)
    assert all(s.image.is_file() for s in samples)
    with_reference = name in WITH_REFERENCES
    assert all((s.reference is not None) is with_reference for s in samples)
    if with_reference:
        assert all(s.reference is not None and s.reference.is_file() for s in samples)
        assert len({s.content for s in samples}) == (1 if name == "live" else 2)
    else:
        assert len({s.content for s in samples}) == len(samples)  # every picture its own content
    # The right way round: the mild ones are the good ones, and the tables' figures are where they belong.
    assert {round(s.mos, 3) for s in samples} == ({1.4, 4.6} if name == "csiq" else {1.8, 4.2})
    spread = {s.image: float(np.asarray(Image.open(s.image)).std()) for s in samples}  # blur takes it away
    assert min(spread[s.image] for s in samples if s.mos > 3) > max(spread[s.image] for s in samples if s.mos < 3)


@pytest.mark.parametrize(
    "builder", [sets.csiq, sets.csiq_as_csv, sets.csiq_as_workbook], ids=["label file", "CSV", "workbook"]
)
def test_csiq_in_each_of_its_label_files(builder: Callable[[Path], None], tmp_path: Path) -> None:
    if builder is sets.csiq_as_workbook:
        pytest.importorskip("openpyxl", reason="extra `train` is not installed")
    samples = read("csiq", built("csiq", tmp_path, builder)).samples
    assert {(s.image.name, round(s.mos, 3)) for s in samples} == {
        ("1600.BLUR.1.png", 4.6), ("1600.BLUR.5.png", 1.4), ("boston.BLUR.1.png", 4.6), ("boston.BLUR.5.png", 1.4),
    }  # fmt: skip
    assert {s.group for s in samples} == {"blur"}


def test_lines_of_csiqs_labels_that_are_none(tmp_path: Path) -> None:
    flat = built("csiq", tmp_path / "flat") / "csiq_label.txt"
    whole = flat.read_text()
    flat.write_text(whole.replace("1600.BLUR.1.png", "1600.BLUR1") + "\n1600.BLUR.5.png\n")
    skipped = {s.image.name: s.reason for s in read("csiq", tmp_path / "flat").skipped}
    assert skipped == {
        "1600.BLUR1": "cannot be read as a picture: there is no such file",
        "1600.BLUR.5.png": "its opinion score is not a number",
    }
    _, *lines = whole.replace("1600.BLUR.1.png", "1600").splitlines()
    flat.write_text("\n".join(lines))  # without a heading
    assert [s.image.name for s in read("csiq", tmp_path / "flat").skipped] == ["1600"]
    sheet = built("csiq", tmp_path / "sheet", sets.csiq_as_csv) / "csiq.DMOS.csv"
    text = sheet.read_text()
    sheet.write_text(text.rstrip() + "\n\n,\n \n")
    assert len(read("csiq", tmp_path / "sheet").samples) == 4
    sheet.write_text(text.rstrip() + "\n,1600\n,1600,,1600\n")
    with pytest.raises(DataError, match=r"csiq\.DMOS\.csv: '' is none of CSIQ's distortions"):
        read("csiq", tmp_path / "sheet")
    sheet.write_bytes(text.encode("utf-16"))
    with pytest.raises(DataError, match=r"csiq\.DMOS\.csv: not a CSV file in UTF-8"):
        read("csiq", tmp_path / "sheet")


def test_a_name_too_long_for_any_file_is_skipped(tmp_path: Path) -> None:
    sets.save(tmp_path / "p.png", 1)
    labels = [Label(tmp_path / name, None, 3.0, "c", "g") for name in ("p.png", "p" * 999 + ".png")]
    found = listing("t", labels)
    assert len(found.samples) == 1
    assert [s.reason for s in found.skipped] == ["cannot be read as a picture; fetch it again, or name a picture"]


def test_groups_are_distortions(tmp_path: Path) -> None:
    assert {s.group for s in read("tid2013", built("tid2013", tmp_path / "t")).samples} == {"08 Gaussian blur"}
    assert {s.group for s in read("kadid10k", built("kadid10k", tmp_path / "k")).samples} == {"01 Gaussian blur"}
    live = read("live", built("live", tmp_path / "l")).samples
    assert {s.group for s in live} == {"jp2k", "jpeg", "wn", "gblur", "fastfading"}
    assert {s.group for s in read("live-fb", built("live-fb", tmp_path / "f")).samples} == {"voc_emotic_ava"}


def test_live_prefers_its_realigned_scores(tmp_path: Path) -> None:
    root = built("live", tmp_path)
    originals = [[0, 0, 1] * 5]
    savemat(root / "dmos_realigned.mat", {"dmos_new": [[10.0, 90.0, 0.0] * 5], "orgs": originals})
    assert {round(s.mos, 3) for s in read("live", root).samples} == {4.6, 1.4}
    savemat(root / "dmos_realigned.mat", {"dmos_new": [[10.0, 90.0]], "orgs": originals})
    with pytest.raises(DataError, match=r"2 scores, 15 reference names and 15 pictures do not belong together"):
        read("live", root)


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_missing_and_broken_pictures_are_named_and_skipped(name: str, tmp_path: Path) -> None:
    root = built(name, tmp_path)
    first, second, *rest = read(name, root).samples
    first.image.unlink()
    second.image.write_bytes(b"no picture")
    found = read(name, root)
    assert [s.image for s in found.samples] == [s.image for s in rest]
    assert {s.image.name.lower() for s in found.skipped} == {first.image.name.lower(), second.image.name.lower()}
    reasons = sorted(s.reason for s in found.skipped)
    assert "there is no such file" in reasons[0]
    assert "cannot be read as a picture; fetch" in reasons[1]
    for sample in rest:
        sample.image.unlink()
    with pytest.raises(DataError, match=rf"{name}: none of its {len(rest) + 2} pictures can be used; the first, .*"):
        read(name, root)


@pytest.mark.parametrize("name", WITH_REFERENCES)
def test_references_of_another_size_or_missing(name: str, tmp_path: Path) -> None:
    root = built(name, tmp_path)
    samples = read(name, root).samples
    reference = samples[0].reference
    assert reference is not None
    Image.open(reference).resize((48, 32)).save(reference)
    if name == "live":  # the other content has only undistorted copies
        with pytest.raises(DataError, match=r"is 96x64, its reference ref1\.bmp is 48x32; both must have one size"):
            read(name, root)
        return
    found = read(name, root)
    assert len(found.skipped) == len(found.samples) == 2
    assert all("is 96x64, its reference" in s.reason for s in found.skipped)
    reference.unlink()
    assert {s.reason.split(": ", 1)[1] for s in read(name, root).skipped} == {
        "cannot be read as a picture: there is no such file"
    }


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_a_folder_that_is_not_the_set_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing|no label files") as caught:
        read(name, tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_labels(tmp_path: Path) -> None:
    root = built("kadid10k", tmp_path / "k")
    text = (root / "dmos.csv").read_text()
    (root / "dmos.csv").write_text(text.replace("4.2", "good", 1))
    (skipped,) = read("kadid10k", root).skipped
    assert skipped.reason == "its opinion score is not a number"
    (root / "dmos.csv").write_text(text.replace("ref_img", "original"))
    with pytest.raises(DataError, match=r"dmos\.csv: has no column ref_img; it has dist_img, original"):
        read("kadid10k", root)
    (root / "dmos.csv").write_bytes(b"\xff\xfe\x00" * 9)
    with pytest.raises(DataError, match="not a CSV file"):
        read("kadid10k", root)
    tid = built("tid2013", tmp_path / "t")
    (tid / "mos_with_names.txt").write_text("5.5 somewhere.bmp\n")
    with pytest.raises(DataError, match=r"'5\.5 somewhere\.bmp' is not a score"):
        read("tid2013", tid)
    wild = built("live-challenge", tmp_path / "w")
    (wild / "Data/AllMOS_release.mat").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"AllMOS_release\.mat: cannot be read as a MATLAB file"):
        read("live-challenge", wild)
    savemat(wild / "Data/AllMOS_release.mat", {"other": [1.0]})
    with pytest.raises(DataError, match="has no variable 'AllMOS_release'"):
        read("live-challenge", wild)


def test_unknown_sets_name_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean 'kadid10k'"):
        read("KADID", tmp_path)


def test_koniq_prefers_its_large_pictures(tmp_path: Path) -> None:
    root = built("koniq10k", tmp_path)
    (root / "512x384").rename(root / "1024x768")
    assert {s.image.parent.name for s in read("koniq10k", root).samples} == {"1024x768"}


def test_koniq_with_the_labels_beside_its_authors_code(tmp_path: Path) -> None:
    """Its column MOS is 0 to 100, and not the mean of the answers at that: "MOS" of 77.4 where they answered 3.83."""
    root = built("koniq10k", tmp_path)
    names = [s.image.name for s in read("koniq10k", root).samples]
    (root / "koniq10k_scores_and_distributions.csv").unlink()
    head = ("image_name", "c1", "c2", "c3", "c4", "c5", "c_total", "MOS", "SD", "set")
    good, bad = (0, 0, 0.238, 0.695, 0.067, 105, 77.38, 0.5, "training"), (0.4, 0.6, 0, 0, 0, 100, 15.2, 0.6, "test")
    sets.table(root / "koniq10k_distributions_sets.csv", head, [(names[0], *good), (names[1], *bad)])
    assert [round(s.mos, 3) for s in read("koniq10k", root).samples] == [3.829, 1.6]
    sets.table(root / "koniq10k_distributions_sets.csv", ("image_name", "MOS"), [(names[0], 77.38)])
    with pytest.raises(DataError, match=r"distributions_sets\.csv: has no column c1"):
        read("koniq10k", root)


def test_pipal_as_it_is_downloaded(tmp_path: Path) -> None:
    root = built("pipal", tmp_path)
    for i, picture in enumerate(sorted((root / "Train_Dist").iterdir()), 1):
        (root / f"Distortion_{i}").mkdir()
        picture.rename(root / f"Distortion_{i}" / picture.name)
    (root / "Train_Dist").rmdir()
    found = read("pipal", root)
    assert len(found.samples) == 4
    assert not found.skipped


def test_live_fb_beside_its_labels(tmp_path: Path) -> None:
    root = built("live-fb", tmp_path)
    (root / "database" / "voc_emotic_ava").rename(root / "voc_emotic_ava")
    (root / "database").rmdir()
    assert len(read("live-fb", root).samples) == 4


def test_a_smaller_picture_of_its_references_shape_is_shown_at_the_references_size(tmp_path: Path) -> None:
    sets.save(tmp_path / "r.png", 1)
    sets.picture(1).resize((48, 32)).save(tmp_path / "half.png")
    sets.picture(1).resize((48, 48)).save(tmp_path / "square.png")
    labels = [Label(tmp_path / f"{name}.png", tmp_path / "r.png", 3.0, "c", "g") for name in ("half", "square")]
    found = listing("t", labels, scaled=True)
    assert [s.display for s in found.samples] == [sets.SIZE]
    assert found.skipped[0].reason.endswith("both must have one size, or a display raster")
    shown = [Label(tmp_path / "square.png", tmp_path / "r.png", 3.0, "c", "g", (640, 360))]
    assert listing("t", shown).samples[0].display == (640, 360)
