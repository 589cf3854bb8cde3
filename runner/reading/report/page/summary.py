"""The first screen: how the jobs ended, what it took, how long."""

from collections.abc import Iterator

from runner.reading.report.by_model import ModelFigures
from runner.reading.report.over_time import Course
from runner.reading.report.page.markup import Html, el
from runner.reading.report.read import Report
from runner.words import count, duration, money, plural, short_time


def summary(report: Report, total: ModelFigures, run: Course) -> Html:
    """Write the figures that matter most."""
    tiles = [
        el("div", el("dt", name), el("dd", value, el("small", more) if more else None))
        for name, value, more in _tiles(report, total, run)
    ]
    where = el("p", el("code", str(report.path)), class_="minor")
    return el("section", where, _states(total), el("dl", *tiles, class_="tiles"))


def _states(total: ModelFigures) -> Html:
    """Draw how the jobs ended as one bar, with the numbers below it."""
    whole = total.answered - _cut(total)
    states = [
        ("answered", whole),
        ("cut off", _cut(total)),
        ("broken off", total.interrupted),
        ("failed", total.failed),
    ]
    at, pieces, words = 0.0, [], []
    for name, number in states:
        if not number:
            continue
        kind = f"state {name.replace(' ', '-')}"
        share = 100 * number / total.jobs
        pieces.append(el("rect", x=f"{at:.4f}%", width=f"{share:.4f}%", height=16, class_=kind))
        words.append(el("li", el("i", class_=f"key {kind}"), f"{count(number)} {name}"))
        at += share
    drawing = el("svg", *pieces, class_="states", height=16, aria_hidden="true")
    return el("div", drawing, el("ul", *words, class_="legend"))


def _cut(total: ModelFigures) -> int:
    # An answer that was broken off may have reached its limit as well.
    return min(total.cut_off, total.answered)


def _tiles(report: Report, total: ModelFigures, run: Course) -> Iterator[tuple[str, str, str]]:
    figures, tokens = report.figures, total.tokens
    yield "Answered", f"{count(total.answered)} of {count(total.jobs)}", _share(total)
    unknown = f"and unknown for {plural(total.unknown_jobs, 'job')}" if total.unknown_jobs else ""
    yield "Cost", money(total.known_usd), unknown if total.known_usd is not None else ""
    share = tokens.cached_share
    cached = "cached share unknown" if share is None else f"{share:.0%} cached"
    yield "Tokens in", count(tokens.input) if tokens.known else "unknown", cached
    partly = f"unknown for {plural(tokens.unknown, 'answer')}" if tokens.unknown else ""
    yield "Tokens out", count(tokens.output) if tokens.known else "unknown", partly
    p50, p99 = total.latency.percentile(0.5), total.latency.percentile(0.99)
    yield "Latency, median", short_time(p50), "" if p99 is None else f"p99 {short_time(p99)}"
    if total.first.count:
        p99 = total.first.percentile(0.99)
        yield (
            "First token, median",
            short_time(total.first.percentile(0.5)),
            f"p99 {short_time(p99)}",
        )
    repeated = (
        f"{plural(figures.retries, 'retry', 'retries')}, {plural(figures.refusals, 'refusal')}"
    )
    yield "Requests", count(figures.requests), repeated
    if run.active_s:
        rate = f"{total.answered / run.active_s:,.3g} answers a second"
        yield "Time", duration(run.active_s), rate


def _share(total: ModelFigures) -> str:
    return f"{total.answered / total.jobs:.1%}" if total.jobs else ""
