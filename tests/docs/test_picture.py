"""Promises of the README's picture: small, whole, the same with and without motion."""

import re
from xml.etree import ElementTree

import pytest

from tests.docs.drawing import Shot, svg
from tests.docs.pages import README
from tests.docs.picture import ABOUT, COMMAND, PICTURE, PROMPT

_TEXT = "{http://www.w3.org/2000/svg}text"
_TITLE = "{http://www.w3.org/2000/svg}title"

SHOTS = [
    Shot(0.0, ["$ a & b"]),
    Shot(1.0, ["$ a & b", " 10%"]),
    Shot(1.5, ["$ a & b", " 20%"]),
    Shot(2.0, ["$ a & b", "done"]),
]


def texts(drawn: str) -> list[tuple[str, str, str]]:
    """Give every text with its classes and its animation."""
    found = ElementTree.fromstring(drawn).iter(_TEXT)
    return [(t.text or "", t.get("class", ""), t.get("style", "")) for t in found]


def test_without_motion_the_last_screen_stands_there() -> None:
    """The last screen is visible from the start, what passes only in its time."""
    assert texts(svg(SHOTS, "About.", columns=20, prompt="$ ")) == [
        ("$ a & b", "typed", ""),
        (" 10%", "passing", "animation: shown 0.50s 1.00s"),
        (" 20%", "passing", "animation: shown 0.50s 1.50s"),
        ("done", "", "animation: absent 2.00s"),
    ]


def test_the_picture_is_small_and_complete_in_itself() -> None:
    """It is well below 100 kB, says in words what it shows, and loads nothing."""
    drawn = PICTURE.read_text(encoding="utf-8")
    assert len(drawn) < 60_000
    assert ElementTree.fromstring(drawn).findtext(_TITLE) == ABOUT
    assert f'alt="{ABOUT}"' in README.read_text(encoding="utf-8")
    assert not re.search(r"url\(|href|@import|<script", drawn)


def test_the_picture_tells_nothing_of_the_machine() -> None:
    """No folder and no address of the machine that recorded it stands in it."""
    assert not re.search(r"/(tmp|home|root|Users)/|127\.0\.0\.1", PICTURE.read_text("utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        f"{PROMPT}{COMMAND}",
        r"Stopped by Ctrl-C: \d+ of 240 answered, \d+ to do; \$0\.\d+ spent\.",
        r"reviews\.jsonl: 240 of 240 answered in [\d.]+s",
    ],
)
def test_the_picture_ends_with_the_whole_story(line: str) -> None:
    """The last screen shows the command, how it was stopped, and how it ended."""
    pattern = re.escape(line) if line.startswith(PROMPT) else line
    last = [t for t, classes, _ in texts(PICTURE.read_text("utf-8")) if "passing" not in classes]
    assert any(re.fullmatch(pattern, text) for text in last)
