"""Promises of the wheel and the source archive: complete, the same, and at work once installed."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Mapping
from email import message_from_bytes
from pathlib import Path

import pytest

from runner import __version__

ROOT = Path(__file__).parents[2]
SOURCES = ("runner", "tests", "samples", "jobs")
FILES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md")
NAME = f"jsonl_runner-{__version__}"
INFO = f"{NAME}.dist-info"


def run(
    *command: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command that must end well."""
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, as a clean checkout has them: building leaves files behind."""
    copy = tmp_path_factory.mktemp("sources")
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=unwanted)
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def archive(tree: Path) -> Path:
    """The source archive and the wheel that is made of it, in one folder."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tree / "dist", cwd=tree)
    return tree / "dist" / f"{NAME}.tar.gz"


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    """The wheel made of the sources themselves."""
    folder = tree / "direct"
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation")
    run(*build, "--outdir", folder, cwd=tree)
    return folder / f"{NAME}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--quiet")
    # Else pip might find there a runner that is installed already.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=folder, env=env)
    (site,) = folder.glob("lib/python*/site-packages")
    paths = sysconfig.get_paths()
    dependencies = dict.fromkeys([paths["purelib"], paths["platlib"]])
    # A folder named in a .pth file is looked into last, and what it says of an editable runner is
    # not obeyed.
    (site / "dependencies.pth").write_text("\n".join(dependencies), encoding="utf-8")
    return folder / "bin"


def names(wheel: Path) -> set[str]:
    """Give the files in a wheel."""
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every file of the package is in it, scenarios, page and py.typed included, and no test."""
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "runner").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {name for name in names(wheel) if not name.startswith(f"{INFO}/")} == package
    assert {"runner/py.typed", "runner/simulator/scenarios/steady.toml"} <= package
    assert "runner/reading/report/page/report.css" in package


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Its metadata name version, licence, the Python it needs, the README and the program."""
    with zipfile.ZipFile(wheel) as opened:
        told = message_from_bytes(opened.read(f"{INFO}/METADATA"))
        programs = opened.read(f"{INFO}/entry_points.txt").decode()
    assert (told["Name"], told["Version"]) == ("jsonl-runner", __version__)
    assert (told["License-Expression"], told["Requires-Python"]) == ("MIT", ">=3.11")
    assert told["Description-Content-Type"] == "text/markdown"
    assert programs.split("\n")[:2] == ["[console_scripts]", "runner = runner.__main__:main"]
    assert f"{INFO}/licenses/LICENSE" in names(wheel)


def test_the_source_archive_makes_the_same_wheel(archive: Path, wheel: Path) -> None:
    """The wheel made of the archive holds the files that the one made of the sources holds."""
    assert names(archive.parent / wheel.name) == names(wheel)


def test_the_source_archive_can_be_checked(archive: Path, tree: Path) -> None:
    """It holds all sources, so that `sh tests/check` works in it, and no results of runs."""
    with tarfile.open(archive) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    sources = {
        path.relative_to(tree).as_posix()
        for folder in SOURCES
        for path in (tree / folder).rglob("*")
        if path.is_file() and not (folder == "jobs" and ".results." in path.name)
    }
    assert sources | set(FILES) <= held
    assert not [name for name in held if name.startswith("jobs/") and ".results." in name]


def test_the_installed_program_works(installed: Path, tmp_path: Path) -> None:
    """From the wheel alone: the version, a batch at the practice server, and its report's page."""
    env = {"HOME": str(tmp_path), "PATH": f"{installed}:{os.defpath}", "RUNNER_MODEL": "sim/steady"}
    (tmp_path / "jobs.jsonl").write_text('{"prompt": "Hi!"}\n', encoding="utf-8")
    where = run(
        installed / "python", "-c", "import runner; print(runner.__file__)", cwd=tmp_path, env=env
    )
    assert Path(where.stdout.strip()).is_relative_to(installed.parent)
    version = run("runner", "--version", cwd=tmp_path, env=env)
    assert version.stdout == f"runner {__version__}\n"
    batch = run("runner", "batch", "jobs.jsonl", cwd=tmp_path, env=env)
    assert "1 of 1 answered" in batch.stderr
    page = tmp_path / "report.html"
    run("runner", "report", "jobs.results.jsonl", "--html", page, cwd=tmp_path, env=env)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_changelog_tells_of_this_version() -> None:
    """Its first version, below what is not released yet, is the package's, with a date."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(__version__)} - \d{{4}}-\d\d-\d\d", headings[1])
