"""The whole page: what stands where, and what the browser is allowed to do."""

import base64
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from runner import __version__
from runner.reading.join import stems
from runner.reading.report.again import again, ceiling
from runner.reading.report.histogram import ERROR, Histogram
from runner.reading.report.over_time import course
from runner.reading.report.page.comparing import compared_table
from runner.reading.report.page.markup import Html, el, join
from runner.reading.report.page.over_time_plots import over_time_plots, over_time_table
from runner.reading.report.page.summary import summary
from runner.reading.report.page.tables import (
    causes_table,
    models_table,
    sample_table,
    slowest_table,
)
from runner.reading.report.page.time_plots import time_plot
from runner.reading.report.read import Report
from runner.words import count, plural

_START = "<!doctype html>\n"
_GENERATOR = '<meta name="generator" content="runner report"'
_LOOK_BYTES = 2048
_SAMPLE_BYTES = 130_000
"""For the sample of all files together, so that the page stays small."""
_WITH_FIGURES = 3
"""The plots of more files are not told in figures as well."""


def page(reports: Sequence[Report]) -> bytes:
    """Write one page on some results files."""
    names = stems([report.path for report in reports])
    title = f"Report on {', '.join(names[:4])}{', ...' * (len(names) > 4)}"
    style, script = _asset("report.css"), _asset("report.js")
    body = [el("h1", title)]
    if len(reports) > 1:
        body += [el("section", el("h2", "Side by side"), compared_table(names, reports))]
    for name, report in zip(names, reports, strict=True):
        pieces = list(_sections(report, reports))
        body += [el("h2", name), *pieces] if len(reports) > 1 else pieces
    body.append(el("footer", _footer()))
    head = [
        el("meta", charset="utf-8"),
        Html(f"{_GENERATOR}>"),
        _policy(style, script),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("link", rel="icon", href="data:,"),
        el("title", title),
        el("style", style),
    ]
    whole = el(
        "html",
        el("head", *head),
        el("body", el("main", *body), el("script", script)),
        lang="en",
    )
    return (_START + whole + "\n").encode(errors="replace")


def is_page(path: Path) -> bool:
    """Whether a file may be replaced by a page: it is one, is empty or is not there."""
    try:
        if path.exists() and not path.is_file():
            return not path.is_dir()
        with path.open("rb") as file:
            start = file.read(_LOOK_BYTES)
    except FileNotFoundError:
        return True
    except OSError:
        # Whoever writes it will say why that cannot be done.
        return True
    return not start or (start.startswith(_START.encode()) and _GENERATOR.encode() in start)


def _policy(style: Html, script: Html) -> Html:
    """Forbid everything but the style and the script that are in the page."""
    allowed = [
        f"{kind}-src 'sha256-{base64.b64encode(sha256(code.encode()).digest()).decode()}'"
        for kind, code in (("style", style), ("script", script))
    ]
    policy = "; ".join(["default-src 'none'", "img-src data:", *allowed, "base-uri 'none'"])
    # Written as it is: an apostrophe within double quotes is no markup.
    return Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">')


def _asset(name: str) -> Html:
    """Read a file of ours that stands in the page as it is."""
    return Html(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _sections(report: Report, reports: Sequence[Report]) -> Iterator[Html]:
    figures, total = report.figures, report.figures.total()
    level = "h3" if len(reports) > 1 else "h2"
    run = course(figures.timeline)
    yield summary(report, total, run)
    if steps := list(_again(report)):
        yield el("section", el(level, "What is left to do"), *steps)
    if causes := figures.causes.most():
        yield el("section", el(level, "Failures by cause"), *causes_table(causes))
    if models := figures.by_model():
        yield el("section", el(level, "Cost by model"), *models_table(models))
    plots = [*over_time_plots(run, ceiling(report.run)), *_times(report, reports)]
    if plots:
        told = over_time_table(run) if run.pieces and len(reports) <= _WITH_FIGURES else None
        grid = el("div", *plots, class_="plots")
        yield el("section", el(level, "Course and times"), grid, told)
    if report.slowest:
        yield el("section", el(level, "The slowest jobs"), slowest_table(report.slowest))
    if report.sample:
        yield el("section", el(level, "Records"), *_sample(report, len(reports)), class_="sample")


def _times(report: Report, reports: Sequence[Report]) -> Iterator[Html]:
    def one(title: str, times: Sequence[Histogram]) -> Iterator[Html]:
        plot = time_plot(title, times[reports.index(report)], times)
        if plot is not None:
            yield plot

    totals = [other.figures.total() for other in reports]
    yield from one("Latency of answered requests", [total.latency for total in totals])
    yield from one("Time to the first token", [total.first for total in totals])


def _again(report: Report) -> Iterator[Html]:
    left = again(report)
    for step in left.steps:
        yield el("p", f"{step.what}:")
        yield el("pre", el("code", step.command), tabindex=0)
    if left.steps and left.elsewhere:
        yield el("p", "As it was typed, it seems in another folder.", class_="minor")


def _sample(report: Report, among: int) -> Iterator[Html]:
    table, shown = sample_table(report.sample, _SAMPLE_BYTES // among)
    total = report.figures.total().jobs
    states = ["failed", "broken off", "cut off", "answered"]
    yield el(
        "p",
        f"{count(shown)} of {plural(total, 'record')}: some of each cause of failure, then answers "
        "that were cut off, then others from all over the file.",
    )
    choice = el(
        "select",
        el("option", "all", value=""),
        *(el("option", state) for state in states),
        name="state",
    )
    yield el(
        "form",
        el("label", "Ended: ", choice),
        el("label", "With the words: ", el("input", type="search", name="words")),
        el("output", aria_live="polite"),
        hidden=True,
    )
    yield table


def _footer() -> Html:
    return join(
        f"Written by runner {__version__}. Times are UTC. Percentiles are at most {ERROR:.1%} off; "
        "what is not known is called unknown and is in no sum. Latency is that of requests that "
        "were answered; a job's own time counts its tries and waits as well."
    )
