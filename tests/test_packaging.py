"""What is installed is what is in the checkout: packages, data files, version, and a wheel that runs elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
import yoto_video
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
NOT_SHIPPED = {"tests", "benchmarks", "docs", "build", "dist", "out", "runs"}


def package_folders() -> dict[str, Path]:
    """Dotted name to folder of every package in the checkout, found by its `__init__.py`."""
    tops = [p for p in ROOT.iterdir() if p.is_dir() and p.name not in NOT_SHIPPED and not p.name.startswith(".")]
    inits = [init for top in tops for init in top.rglob("__init__.py")]
    folders = [ROOT, *(init.parent for init in inits)]
    return {".".join(["yoto_video", *folder.relative_to(ROOT).parts]): folder for folder in folders}


def test_every_package_is_listed() -> None:
    assert sorted(SETUPTOOLS["packages"]) == sorted(package_folders())


def test_every_data_file_is_listed() -> None:
    """Each file beside the code that is not code is matched by a pattern, and each pattern matches something."""
    folders = package_folders()
    patterns = {name: SETUPTOOLS["package-data"].get(name, []) for name in folders}
    assert not set(SETUPTOOLS["package-data"]) - set(folders), "package-data names a package that is not there"
    listed = {file for name, globs in patterns.items() for glob in globs for file in folders[name].glob(glob)}
    present = {
        file
        for name, folder in folders.items()
        if name != "yoto_video"  # the root also holds the project's own files
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc", ".md")
    }
    assert present <= listed, f"not in the wheel: {sorted(str(p.relative_to(ROOT)) for p in present - listed)}"
    for name, globs in patterns.items():
        for glob in globs:
            assert list(folders[name].glob(glob)), f"package-data of {name}: {glob} matches nothing"


def test_every_dependency_has_a_tested_version() -> None:
    """constraints.txt pins each library that pyproject names, to a version that pyproject allows."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [Requirement(text) for text in sum(extras, PROJECT["project"]["dependencies"])]
    for requirement in wanted:
        assert requirement.name in pins, f"constraints.txt does not pin {requirement.name}"
        assert requirement.specifier.contains(pins[requirement.name]), f"the pin of {requirement} is not allowed by it"
    assert set(pins) - {r.name for r in wanted} == {"torchvision"}  # comes with timm, and must fit torch


def test_the_pinned_torch_is_the_one_under_test() -> None:
    import torch

    pin = re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert pin is not None
    if torch.__version__.split("+")[0] != pin[1]:
        pytest.skip(f"this environment has torch {torch.__version__}, the release was tested with {pin[1]}")
    if sysconfig.get_platform() == "linux-x86_64" and shutil.which("nvidia-smi") is None:
        assert torch.version.cuda is None, "a machine without a GPU downloaded CUDA packages"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: building in the checkout would leave files there, and use stale ones."""
    scratch = tmp_path_factory.mktemp("wheel")
    hidden = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", *NOT_SHIPPED)
    shutil.copytree(ROOT, scratch / "source", ignore=hidden)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    pip += ["--no-index", "--no-build-isolation", "--wheel-dir", str(scratch / "dist"), str(scratch / "source")]
    built = subprocess.run(pip, capture_output=True, text=True, timeout=240)
    assert built.returncode == 0, built.stderr
    (file,) = (scratch / "dist").glob("*.whl")
    return file


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        "/".join(["yoto_video", *file.relative_to(ROOT).parts])
        for name, folder in package_folders().items()
        for pattern in ["*.py", *SETUPTOOLS["package-data"].get(name, [])]
        for file in folder.glob(pattern)
    }
    assert names == expected


def test_a_wheel_installed_elsewhere_runs(wheel: Path, tmp_path: Path) -> None:
    """An environment of its own, without network: the libraries are borrowed, the package is the wheel's."""
    home = tmp_path / "elsewhere"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True, timeout=120)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True, timeout=120)
    site = next((home / "lib").glob("python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")  # libraries, not their .pth files

    quiet = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(home / "bin" / "yoto-video"), "--version"]
    said = subprocess.run(command, cwd=tmp_path, env=quiet, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr
    assert yoto_video.__version__ in said.stdout

    code = "import yoto_video.jobs.cli as cli; print(cli.__file__)"
    where = subprocess.run(
        [str(python), "-c", code], cwd=tmp_path, env=quiet, capture_output=True, text=True, timeout=60
    )
    assert Path(where.stdout.strip()).is_relative_to(home), where.stderr


def test_the_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(yoto_video.__version__)}\b", text, re.MULTILINE)
