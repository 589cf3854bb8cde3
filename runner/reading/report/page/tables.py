"""The tables of the page: causes, models, the slowest, a sample that can be filtered."""

from collections.abc import Iterator, Sequence

from runner.reading.report.by_model import ModelFigures, ModelKey
from runner.reading.report.causes import Cause, Failures
from runner.reading.report.looked_at import Seen
from runner.reading.report.page.markup import Html, el
from runner.words import count, money, plural, short_time

_MOST_CAUSES = 40
_MOST_MODELS = 40
_ID, _SAID = 60, 200
_SHOWN = {"succeeded": "answered", "interrupted": "broken off"}


def causes_table(causes: Sequence[tuple[Cause, Failures]]) -> Iterator[Html]:
    """Write the failures by cause, each with an example."""
    rows = [
        el(
            "tr",
            el("td", count(found.count), class_="num"),
            el("th", _cause(cause), scope="row"),
            el("td", *_example(found), class_="said"),
            el("td", count(found.retryable), class_="num"),
            el("td", _cost(found.known_usd, found.unknown), class_="num"),
        )
        for cause, found in causes[:_MOST_CAUSES]
    ]
    more = sum(found.count for _, found in causes[_MOST_CAUSES:])
    heads = (("jobs", 1), ("cause", 0), ("for example", 0), ("worth a retry", 1), ("cost", 1))
    yield _table("Failures by cause", heads, rows)
    if more:
        others = plural(len(causes) - _MOST_CAUSES, "cause")
        yield el("p", f"{count(more)} jobs for {others} more are left out here.", class_="minor")


def models_table(models: Sequence[tuple[ModelKey, ModelFigures]]) -> Iterator[Html]:
    """Write cost, tokens and times by model and lane, with a bar for the cost or else the jobs."""
    shown = models[:_MOST_MODELS]
    by_cost = any(model.known for _, model in shown)
    sizes = [model.known if by_cost else model.jobs for _, model in shown]
    most = max(sizes, default=0) or 1
    rows = [
        el(
            "tr",
            el("th", key.name, scope="row"),
            el("td", key.lane or "unknown"),
            el("td", _cost(model.known_usd, model.unknown_jobs), class_="num"),
            el("td", _bar(size / most), class_="bars"),
            el("td", count(model.jobs), class_="num"),
            el("td", count(model.failed + model.interrupted), class_="num"),
            *_tokens(model),
            el("td", short_time(model.latency.percentile(0.5)), class_="num"),
            el("td", short_time(model.latency.percentile(0.95)), class_="num"),
        )
        for (key, model), size in zip(shown, sizes, strict=True)
    ]
    more = len(models) - len(shown)
    heads = (
        *(("model", 0), ("lane", 0), ("cost", 1)),
        ("share of the most" if by_cost else "jobs beside the most", 0),
        *(("jobs", 1), ("not answered", 1), ("tokens in", 1), ("cached", 1), ("tokens out", 1)),
        *(("p50", 1), ("p95", 1)),
    )
    yield _table("Cost by model", heads, rows)
    if more:
        yield el("p", f"{plural(more, 'model')} more are left out here.", class_="minor")


def slowest_table(slowest: Sequence[Seen]) -> Html:
    """Write the jobs that took longest."""
    rows = [
        el(
            "tr",
            el("td", short_time(seen.duration_s), class_="num"),
            el("th", _cut(seen.id, _ID), scope="row"),
            el("td", _line(seen), class_="num"),
            el("td", _SHOWN.get(seen.status, seen.status)),
            el("td", count(seen.attempts), class_="num"),
            el("td", seen.model),
        )
        for seen in slowest
    ]
    heads = (("time", 1), ("id", 0), ("line", 1), ("ended", 0), ("requests", 1), ("model", 0))
    return _table("The slowest jobs", heads, rows)


def sample_table(sample: Sequence[Seen], room: int) -> tuple[Html, int]:
    """Write a sample of records into so many bytes; give how many found room."""
    rows: list[Html] = []
    for seen in sample:
        row = _sampled(seen)
        room -= len(row.encode())
        if room < 0:
            break
        rows.append(row)
    heads = (
        *(("ended", 0), ("id", 0), ("line", 1), ("why", 0), ("time", 1), ("tokens out", 1)),
        *(("cost", 1), ("model", 0), ("beginning of the answer, or the error", 0)),
    )
    return _table("A sample of the records, failures first", heads, rows), len(rows)


def _sampled(seen: Seen) -> Html:
    ended = _SHOWN.get(seen.status, seen.status)
    tokens = "unknown" if seen.output_tokens is None else count(seen.output_tokens)
    return el(
        "tr",
        el("td", el("span", ended, class_=f"state {ended.replace(' ', '-')}")),
        el("th", _cut(seen.id, _ID), scope="row"),
        el("td", _line(seen), class_="num"),
        el("td", _cut(seen.kind or "", _ID)),
        el("td", short_time(seen.duration_s), class_="num"),
        el("td", tokens, class_="num"),
        el("td", money(seen.cost_usd), class_="num"),
        el("td", _cut(seen.model, _ID)),
        el("td", _cut(" ".join(seen.said.split()), _SAID), class_="said"),
        data_state=ended,
    )


def _table(caption: str, heads: Sequence[tuple[str, int]], rows: Sequence[Html]) -> Html:
    head = [el("th", word, scope="col", class_="num" if right else None) for word, right in heads]
    table = el(
        "table",
        el("caption", caption, class_="unseen"),
        el("thead", el("tr", *head)),
        el("tbody", *rows),
    )
    # What is wider than the screen is scrolled, with the keyboard too.
    return el("div", table, class_="wide", tabindex=0, role="group", aria_label=caption)


def _cause(cause: Cause) -> str:
    details = [str(cause.http_status)] if cause.http_status is not None else []
    if cause.code is not None and cause.code != cause.kind:
        details.append(_cut(cause.code, _ID))
    kind = f"broken off: {cause.kind}" if cause.status == "interrupted" else cause.kind
    return _cut(kind, _ID) + (f" ({', '.join(details)})" if details else "")


def _example(found: Failures) -> Iterator[Html]:
    if found.example is None:
        return
    name, line, message = found.example
    where = _cut(name, _ID) + ("" if line is None else f" (line {count(line)})")
    yield el("b", where)
    yield el("br")
    yield el("span", _cut(" ".join(message.split()), _SAID))


def _cost(known: float | None, unknown: int) -> str:
    if known is None:
        return "unknown"
    return money(known) + (f" + {count(unknown)} unknown" if unknown else "")


def _tokens(model: ModelFigures) -> Iterator[Html]:
    tokens = model.tokens
    share = tokens.cached_share
    yield el("td", count(tokens.input) if tokens.known else "unknown", class_="num")
    yield el("td", "unknown" if share is None else f"{share:.0%}", class_="num")
    yield el("td", count(tokens.output) if tokens.known else "unknown", class_="num")


def _bar(share: float) -> Html:
    rect = el("rect", width=f"{100 * share:.4g}%", height=12, class_="bar one")
    return el("svg", rect, class_="bars", height=12, aria_hidden="true")


def _line(seen: Seen) -> str:
    return "none" if seen.line is None else count(seen.line)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 3] + "..."
