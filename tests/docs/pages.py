"""The Markdown of this repository: its pages, their fenced blocks, links and headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDE = sorted((ROOT / "samples" / "guide").glob("*.md"))
RECIPES = sorted((ROOT / "samples" / "recipes").glob("[a-z]*.md"))
PAGES = (
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "samples" / "README.md",
    *GUIDE,
    ROOT / "samples" / "recipes" / "README.md",
    *RECIPES,
)

_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\]\((?P<to>[^)\s]+)\)|(?:src|href)=\"(?P<quoted>[^\"]+)\"")
_HEADING = re.compile(r"^#+ (?P<words>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block."""

    kind: str
    """What stands after the fence: `sh`, `console`, `toml`, ..."""
    text: str
    line: int
    """Of the fence, from 1."""
    mark: str | None
    """The comment on the line before the fence; a reader of the page does not see it."""


def blocks(page: Path) -> Iterator[Block]:
    """Give the fenced blocks in their order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("kind")) + 1
        yield Block(kind=found["kind"], text=found["text"], line=line, mark=found["mark"])


def links(page: Path) -> Iterator[str]:
    """Give where the page's links and pictures lead."""
    for found in _LINK.finditer(_without_blocks(page)):
        yield found["to"] or found["quoted"]


def anchors(page: Path) -> set[str]:
    """Give the names of the page's headings in links, as GitHub makes them."""
    headings = _HEADING.finditer(_without_blocks(page))
    return {re.sub(r"[^\w\- ]", "", found["words"].lower()).replace(" ", "-") for found in headings}


def _without_blocks(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
