"""The report's page in a real browser: complete in itself, usable by everybody, on any screen."""

import base64
import json
from pathlib import Path

import pytest

from tests.browser.chromium import Browser, Page

LOOKS = (
    *(("busy", view) for view in ("desktop", "phone", "dark")),
    *(("compared", "phone"), ("hostile", "desktop"), ("empty", "dark")),
)
"""Which page is looked at how; each takes a second or two."""
_VIOLATIONS = """
axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.map((one) =>
  `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html).join(" ")}`))
"""
_SHOWN = "document.querySelectorAll('.sample tbody tr:not([hidden])').length"


def look(page: Page, view: str) -> None:
    """Look at what comes on a desktop, on a phone, or as somebody who wants dark pages."""
    page.size(390 if view == "phone" else 1280, phone=view == "phone")
    if view == "dark":
        page.dark()


@pytest.mark.parametrize(("name", "view"), LOOKS)
def test_a_page_is_whole_and_open_to_everybody(
    name: str, view: str, browser: Browser, pages: dict[str, Path], axe: str
) -> None:
    """No console error, no request to anywhere, nothing too wide, and axe finds no violation."""
    with browser.page() as page:
        look(page, view)
        page.open(pages[name])
        assert page.run("document.scripts.length") == 1
        wide = page.run("document.documentElement.scrollWidth - innerWidth")
        page.run(f"{axe}; 1")
        violations = page.run(_VIOLATIONS)
        assert (violations, page.complaints) == ([], [])
        assert page.requests == [pages[name].as_uri()]
        assert wide <= 0


def test_dark_is_dark(browser: Browser, pages: dict[str, Path]) -> None:
    """Who wants dark pages gets one, who does not does not."""
    found = {}
    for view in ("desktop", "dark"):
        with browser.page() as page:
            look(page, view)
            page.open(pages["busy"])
            found[view] = page.run("getComputedStyle(document.body).backgroundColor")
    assert found == {"desktop": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 30)"}


def test_hostile_texts_stay_texts(browser: Browser, pages: dict[str, Path]) -> None:
    """An id, a model or an answer full of markup is shown as it is, its marks as escapes."""
    with browser.page() as page:
        page.open(pages["hostile"])
        shown = page.run("document.body.innerText")
        assert page.run("document.images.length") == 0
    assert shown.count("<script>alert(1)</script>") >= 4
    assert "\\u202e\\x1b[31m" in shown
    assert "\u202e" not in shown


def test_a_script_that_got_in_would_not_run(browser: Browser, pages: dict[str, Path]) -> None:
    """The page allows its own script and style, and nothing else."""
    with browser.page() as page:
        page.open(pages["busy"])
        page.run(
            "document.body.append(Object.assign(document.createElement('script'),"
            " {textContent: 'window.bad = 1'})); document.body.append(Object.assign("
            "document.createElement('img'), {src: 'http://127.0.0.1:9/x.png'})); 1"
        )
        assert page.run("window.bad === undefined")
        assert len(page.complaints) == 2
        assert all("Content Security Policy" in told for told in page.complaints)


def test_the_sample_is_filtered_with_the_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    """Tab leads to the filter; typing leaves the records that have all the words, and says it."""
    with browser.page() as page:
        page.open(pages["busy"])
        everything = page.run(_SHOWN)
        for _ in range(40):
            page.press("Tab")
            if page.run("document.activeElement.name") == "words":
                break
        page.call("Input.insertText", text="timeout FAILED")
        left = page.run(_SHOWN)
        said = page.run("document.querySelector('output').textContent")
        kinds = page.run(
            "[...new Set([...document.querySelectorAll('.sample tbody tr:not([hidden])')]"
            ".map((row) => row.cells[3].textContent))]"
        )
    assert 0 < left < everything
    assert said == f"{left} of {everything} shown"
    assert kinds == ["timeout"]


def test_the_sample_is_filtered_by_how_jobs_ended(browser: Browser, pages: dict[str, Path]) -> None:
    """Each choice leaves its own records, which together are all of them."""
    with browser.page() as page:
        page.open(pages["busy"])
        everything = page.run(_SHOWN)
        states = page.run("[...document.querySelector('select').options].map((one) => one.value)")
        shown = []
        for state in states[1:]:
            page.run(
                f"document.querySelector('select').value = {json.dumps(state)};"
                "document.querySelector('form').dispatchEvent(new Event('input')); 1"
            )
            shown.append(page.run(_SHOWN))
    assert sum(shown) == everything
    assert min(shown) > 0


def test_failures_come_first(browser: Browser, pages: dict[str, Path]) -> None:
    """Then what was broken off, then answers that were cut off, then the others."""
    with browser.page() as page:
        page.open(pages["busy"])
        states = page.run(
            "[...document.querySelectorAll('.sample tbody tr')].map((row) => row.dataset.state)"
        )
    assert list(dict.fromkeys(states)) == ["failed", "broken off", "cut off", "answered"]
    assert states == sorted(states, key=list(dict.fromkeys(states)).index)


def test_every_plot_is_told_in_words(browser: Browser, pages: dict[str, Path]) -> None:
    """A screen reader hears each plot's title and what is to be seen, and finds its figures."""
    with browser.page() as page:
        page.open(pages["busy"])
        told = page.run(
            "[...document.querySelectorAll('svg[role=img]')].map((plot) => plot.ariaLabel)"
        )
        rows = page.run("document.querySelectorAll('details tbody tr').length")
    titles = [words.partition(". ")[0] for words in told]
    assert titles == [
        "Answers per second",
        "Tokens per second",
        "Failures in each 5s",
        "Requests on their way",
        "Latency of answered requests",
        "Time to the first token",
    ]
    assert all(any(letter.isdigit() for letter in words) for words in told)
    assert rows > 50


def test_it_can_be_printed(browser: Browser, pages: dict[str, Path]) -> None:
    """On paper it is light, without the filter, and no part of a table is cut off."""
    with browser.page() as page:
        page.dark()
        page.open(pages["busy"])
        page.call("Emulation.setEmulatedMedia", media="print")
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.run("getComputedStyle(document.querySelector('form')).display") == "none"
        assert page.run("getComputedStyle(document.querySelector('.sample .wide')).overflowY") == (
            "visible"
        )
        printed = base64.b64decode(page.call("Page.printToPDF")["data"])
    assert printed.startswith(b"%PDF-")


def test_without_scripts_all_is_there(browser: Browser, pages: dict[str, Path]) -> None:
    """The whole sample is shown, and no filter that would do nothing."""
    with browser.page() as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.open(pages["busy"])
        assert page.run(_SHOWN) > 100
        assert page.run("document.querySelector('form').hidden")
