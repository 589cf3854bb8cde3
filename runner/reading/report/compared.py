"""The figures by which results files are compared, and how each is written."""

from collections.abc import Callable, Iterator, Sequence

from runner.reading.report.by_model import ModelFigures
from runner.reading.report.figures import Figures
from runner.reading.report.over_time import course
from runner.words import count, duration, money, short_time

Row = tuple[str, Callable[[Figures, ModelFigures], str]]


def compared_rows() -> Sequence[Row]:
    """Name the figures that are compared, and how each is written; `-` says nothing."""
    return (
        ("jobs", lambda _, total: count(total.jobs)),
        ("answered", lambda _, total: count(total.answered)),
        ("failed", lambda _, total: count(total.failed)),
        ("broken off", lambda _, total: count(total.interrupted)),
        ("cut off", lambda _, total: count(total.cut_off)),
        ("tokens in", lambda _, total: _tokens(total, total.tokens.input)),
        ("cached", lambda _, total: _share(total.tokens.cached_share)),
        ("tokens out", lambda _, total: _tokens(total, total.tokens.output)),
        ("requests", lambda figures, _: count(figures.requests)),
        ("retries", lambda figures, _: count(figures.retries)),
        ("refusals", lambda figures, _: count(figures.refusals)),
        ("cost", lambda _, total: money(total.known_usd)),
        ("unknown for", lambda _, total: count(total.unknown_jobs) if total.unknown_jobs else "-"),
        ("cost a 1,000", lambda _, total: _a_thousand(total)),
        *_times("latency", lambda total: total.latency.percentile),
        *_times("first token", lambda total: total.first.percentile),
        ("time", lambda figures, _: _time(figures)),
        ("answers a s", _speed),
    )


def _times(
    label: str, percentile: Callable[[ModelFigures], Callable[[float], float | None]]
) -> Iterator[Row]:
    def row(share: float) -> Callable[[Figures, ModelFigures], str]:
        def cell(_: Figures, total: ModelFigures) -> str:
            found = percentile(total)(share)
            return "-" if found is None else short_time(found)

        return cell

    yield label, row(0.5)
    yield f"{label} p95", row(0.95)
    yield f"{label} p99", row(0.99)


def _tokens(total: ModelFigures, number: int) -> str:
    return count(number) if total.tokens.known else "unknown"


def _share(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"


def _a_thousand(total: ModelFigures) -> str:
    """Write the cost of a thousand jobs, where that of each is known."""
    known = total.known_usd
    if known is None or total.unknown_jobs or not total.jobs:
        return "unknown"
    return money(1000 * known / total.jobs)


def _time(figures: Figures) -> str:
    active_s = course(figures.timeline).active_s
    return "unknown" if active_s is None else duration(active_s)


def _speed(figures: Figures, total: ModelFigures) -> str:
    active_s = course(figures.timeline).active_s
    return f"{total.answered / active_s:,.3g}" if active_s else "unknown"
