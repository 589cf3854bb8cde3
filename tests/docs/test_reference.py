"""Promises of what the texts say of options, files and other pages."""

import json
import re
import tomllib
from pathlib import Path

import click
import pytest

from runner.cli.main import root
from tests.docs.pages import PAGES, README, ROOT, anchors, blocks, links
from tests.docs.reference import BEGIN, END, commands, options, reference

FOREIGN = {
    # mypy, pytest and our own scripts
    *("--strict", "--cov", "--cov-report", "--list", "--long", "--smoke"),
    # the cookbook's script
    *("--requests_filepath", "--save_filepath", "--request_url", "--api_key", "--max_attempts"),
    *("--max_requests_per_minute", "--max_tokens_per_minute", "--token_encoding_name"),
    "--logging_level",
    # llm, vllm
    *("--no-stream", "--api-key"),
}
"""Options of other programs."""
HELP = {"-h", "--help", "--version"}


def test_the_reference_is_what_the_commands_have() -> None:
    """The README's tables list every option of every command, and nothing else."""
    text = README.read_text(encoding="utf-8")
    told = text.partition(BEGIN)[2].partition(END)[0]
    assert told == f"{reference()}\n", "write it anew: python -m tests.docs.reference"


@pytest.mark.parametrize("name", commands())
def test_the_help_shows_what_the_reference_lists(name: str) -> None:
    """The names in `--help` are those of the options that the reference is made of."""
    command = commands()[name]
    context = click.Context(
        command, info_name=name, parent=click.Context(root, **root.context_settings)
    )
    starts = re.findall(
        r"^ +((?:-\w, +)?--?[\w-]+(?:, --[\w-]+)*)", command.get_help(context), re.MULTILINE
    )
    shown = {option for start in starts for option in re.findall(r"--?[\w-]+", start)}
    listed = {option for found in options(command) for option in found.opts}
    assert shown - HELP == listed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_real_options(page: Path) -> None:
    """Every option that a page names is one of some command."""
    every = [root, *commands().values()]
    known = {
        name
        for command in every
        for option in options(command)
        for name in (*option.opts, *option.secondary_opts)
    }
    text = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", text))
    assert named - known - FOREIGN - HELP == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every linked file of ours exists, and has the heading that the link names."""
    for link in links(page):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached() -> None:
    """Every page of the guide and every recipe is linked from the README."""
    linked = {(README.parent / link.partition("#")[0]).resolve() for link in links(README)}
    assert {page for page in PAGES if page.parent.name in ("guide", "recipes")} - linked == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_toml_and_json_can_be_read(page: Path) -> None:
    """Every TOML block is TOML, and every JSON block one value a line."""
    for block in blocks(page):
        if block.kind == "toml":
            tomllib.loads(block.text)
        elif block.kind == "json":
            assert [json.loads(line) for line in block.text.splitlines()]
