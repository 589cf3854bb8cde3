"""Promises of the recipes and the README: each block does in a real shell what the page says."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, README, RECIPES, ROOT, blocks
from tests.docs.playing import fits, play
from tests.processes.running import pointing_at
from tests.simulated import Endpoints, simulator

SETTINGS = """
[providers.openai]
flex = true
[providers.openai.models."gpt-5-mini"]
prices = { input = 0.25, cached_input = 0.025, output = 2.0 }

[providers.anthropic.models."claude-haiku-4-5"]
prices = { input = 1.0, output = 5.0 }
"""
"""What is known of OpenAI's and Anthropic's own addresses, and not of the practice server's."""


@pytest.fixture(scope="module")
def practice() -> Iterator[Endpoints]:
    """One server, with answers that fit the recipes."""
    with simulator(Path(__file__).with_name("answers.toml")) as endpoints:
        yield endpoints


@pytest.fixture
def env(practice: Endpoints, tmp_path: Path) -> Mapping[str, str]:
    """A home of a test's own, and the practice server in place of the providers."""
    settings = tmp_path / "config" / "runner" / "runner.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS, encoding="utf-8")
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return {**pointing_at(practice), **home}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to work in."""
    work = tmp_path / "work"
    work.mkdir()
    return work


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_works_as_it_stands(
    page: Path, practice: Endpoints, env: Mapping[str, str], folder: Path
) -> None:
    """Each block of the recipe ends well, and writes what the page shows after it."""
    instead = {
        "http://127.0.0.1:8000/v1": practice.openai_base_url,
        "http://127.0.0.1:11434/v1": practice.openai_base_url,
    }
    for played in play(page, folder, env, instead):
        if played.shown is not None:
            where = f"{page.name}:{played.block.line}"
            assert fits(played.shown, played.written), f"{where} wrote:\n{played.written}"


def test_the_readme_works_as_it_stands(env: Mapping[str, str], folder: Path) -> None:
    """Each of the README's blocks that needs no download ends well, over the jobs that it shows."""
    jobs = next(block.text for block in blocks(README) if block.kind == "json")
    (folder / "jobs.jsonl").write_text(jobs, encoding="utf-8")
    shutil.copy(ROOT / "jobs" / "messages.csv", folder / "rows.csv")
    if shutil.which("git"):
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    written = "".join(played.written for played in play(README, folder, env, {}))
    assert "jobs.jsonl: 3 of 3 answered" in written
    assert "rows.csv: 3 of 3 answered" in written
    assert "Error" not in written
    assert (folder / "answers.csv").read_text(encoding="utf-8").count("succeeded") == 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_is_not_run_says_why(page: Path) -> None:
    """A shell block is run by the tests above, or the line before it says why not."""
    for block in blocks(page):
        if block.kind == "sh" and page not in (README, *RECIPES):
            assert (block.mark or "").startswith("not run: "), f"{page.name}:{block.line}"


@pytest.mark.parametrize(
    ("shown", "written", "fit"),
    [
        ("done in 1.2s", "done in 340ms\n", True),
        ("done in 1.2s", "done in vain\n", False),
        ("...\nb\n", "a\n\na\nb\n", True),
        ("...\nb\n", "b\n", True),
        ("...\nb\n", "a\nb\nc\n", False),
        ("batch (...), until", "batch (b1), until\n", True),
        ("batch (...)", "batch (b1\n)\n", False),
        ("at 2026-01-02 03:04:05Z", "at 2025-11-12 13:14:15Z\n", True),
        ("2 of 2", "1 of 2\n", False),
    ],
)
def test_what_is_shown_is_compared(shown: str, written: str, *, fit: bool) -> None:
    """Only times and what `...` stands for may differ from what a page shows."""
    assert fits(shown, written) is fit
