"""How long answers took: histograms over steps of time that grow with it."""

from collections.abc import Sequence
from math import ceil, floor, log10

from runner.reading.report.histogram import Histogram
from runner.reading.report.page.markup import Html
from runner.reading.report.page.plot import Label, Plot, bars, figure, round_top
from runner.words import count, short_time

_BARS_A_DECADE = 20
_MOST_BARS = 120
_TICKS = (1, 2, 5)


def time_plot(title: str, times: Histogram, alike: Sequence[Histogram]) -> Html | None:
    """Write a histogram, on the same scale as those `alike`; None where nothing was counted."""
    if not times.count:
        return None
    edges = _edges([one for one in alike if one.count])
    numbers = times.between(edges)
    top, lines = round_top(max(numbers), whole=True)
    marks = [(name, times.percentile(share)) for name, share in _MARKS]
    told = ", ".join(f"{name} {short_time(value)}" for name, value in marks)
    return figure(
        Plot(
            title=title,
            told=f"{count(times.count)} times: {told}, most {short_time(times.most)}.",
            top=top,
            drawn=[bars(numbers, [0.0] * len(numbers), top, "bar one")],
            values=[
                f"{value:,.0f}" if value < 10_000 else f"{value / 1000:,.4g}k" for value in lines
            ],
            labels=_labels(edges),
            marks=[
                Label(at=_place(value, edges), words=f"{name} {short_time(value)}")
                for name, value in marks
                if value is not None
            ],
        )
    )


_MARKS = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


def _edges(alike: Sequence[Histogram]) -> list[float]:
    """Steps of a twentieth of a decade, or so many that they fit."""
    low = log10(max(1e-6, min(one.least for one in alike)))
    high = log10(max(1e-6, *(one.most for one in alike)))
    a_decade = _BARS_A_DECADE
    while (high - low) * a_decade > _MOST_BARS and a_decade > 1:
        a_decade //= 2
    first, last = floor(low * a_decade), max(ceil(high * a_decade), floor(low * a_decade) + 8)
    return [10 ** (step / a_decade) for step in range(first, last + 1)]


def _place(value: float, edges: Sequence[float]) -> float:
    whole = log10(edges[-1]) - log10(edges[0])
    return min(1.0, max(0.0, (log10(max(value, 1e-6)) - log10(edges[0])) / whole))


def _labels(edges: Sequence[float]) -> list[Label]:
    decades = range(floor(log10(edges[0])), ceil(log10(edges[-1])) + 1)
    round_ones = [step * 10.0**decade for decade in decades for step in _TICKS]
    within = [value for value in round_ones if edges[0] * 0.999 <= value <= edges[-1] * 1.001]
    if len(within) > 7:
        within = [value for value in within if f"{value:e}".startswith("1.0")]
    return [
        Label(at=_place(value, edges), words=short_time(value), minor=bool(number % 2))
        for number, value in enumerate(within)
    ]
