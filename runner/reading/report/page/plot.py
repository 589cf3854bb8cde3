"""Plots as inline SVG that fill any width: positions in per cent, letters in their own size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runner.reading.report.page.markup import Html, el

_HEIGHT, _TOP, _BOTTOM = 200, 14, 24
_ACROSS = _HEIGHT - _TOP - _BOTTOM
WIDE, HIGH = 1000, 100
"""The plane in which paths are drawn; the browser stretches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word below the plot, or at a line across it."""

    at: float
    """From 0, left, to 1."""
    words: str
    minor: bool = False
    """Whether it is left out where there is little room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What is drawn, and how it is told to those who do not see it."""

    title: str
    told: str
    """A sentence with what is to be seen."""
    top: float
    """The value at the upper edge; the lower edge is 0."""
    drawn: Sequence[Html]
    """Paths on the plane."""
    values: Sequence[str]
    """What stands at the grid lines, from 0 up."""
    labels: Sequence[Label]
    marks: Sequence[Label] = ()
    """Dashed lines from top to bottom."""
    level: tuple[float, str] | None = None
    """A dashed line from left to right, and its word."""
    legend: Sequence[tuple[str, str]] = field(default=())
    """Class and word of each kind of path."""


def figure(plot: Plot) -> Html:
    """Write a plot with its title and legend."""
    legend = [el("span", el("i", class_=f"key {kind}"), word) for kind, word in plot.legend]
    return el(
        "figure",
        el("figcaption", el("b", plot.title), el("span", *legend, class_="legend")),
        el("div", _axis(plot.values), _drawing(plot), class_="plot"),
    )


def _axis(values: Sequence[str]) -> Html:
    words = [
        el("text", words, x=52, y=_across(at / (len(values) - 1)) + 4, text_anchor="end")
        for at, words in enumerate(values)
    ]
    return el("svg", *words, class_="axis", width=58, height=_HEIGHT, aria_hidden="true")


def _drawing(plot: Plot) -> Html:
    steps = len(plot.values) - 1
    grid = [_line(0, 100, _across(at / steps), _across(at / steps)) for at in range(steps + 1)]
    paths = el(
        "svg",
        *plot.drawn,
        y=_TOP,
        width="100%",
        height=_ACROSS,
        viewBox=f"0 0 {WIDE} {HIGH}",
        preserveAspectRatio="none",
    )
    below = [
        el(
            "text",
            label.words,
            x=f"{100 * label.at:.4g}%",
            y=_HEIGHT - 6,
            text_anchor=_anchor(label.at),
            class_="minor" if label.minor else None,
        )
        for label in plot.labels
    ]
    return el(
        "svg",
        *grid,
        paths,
        *_marks(plot),
        *below,
        class_="drawing",
        height=_HEIGHT,
        role="img",
        aria_label=f"{plot.title}. {plot.told}",
    )


def _marks(plot: Plot) -> Iterator[Html]:
    for number, mark in enumerate(plot.marks):
        x = 100 * mark.at
        yield _line(x, x, _TOP, _HEIGHT - _BOTTOM, "mark")
        # Neighbours' words stand on different lines.
        y = _TOP + 10 + 14 * (number % 3)
        left = mark.at > 0.75
        yield el(
            "text",
            mark.words,
            x=f"{x:.4g}%",
            y=y,
            dx=-4 if left else 4,
            text_anchor="end" if left else None,
            class_="said",
        )
    if plot.level is not None and plot.top:
        value, words = plot.level
        height = _across(min(1.0, value / plot.top))
        yield _line(0, 100, height, height, "mark")
        yield el("text", words, x="100%", y=height - 4, text_anchor="end", class_="said")


def _line(x1: float, x2: float, y1: float, y2: float, kind: str = "grid") -> Html:
    return el("line", x1=f"{x1:.4g}%", x2=f"{x2:.4g}%", y1=y1, y2=y2, class_=kind)


def _across(share: float) -> float:
    return _TOP + _ACROSS * (1 - share)


def _anchor(at: float) -> str | None:
    return "end" if at > 0.98 else "middle" if at > 0.02 else None


def steps(values: Sequence[float], top: float, kind: str, *, filled: bool = False) -> Html:
    """Draw values as steps, with the area below them if `filled`."""
    wide = WIDE / max(1, len(values))
    path = [f"M0 {HIGH}"] if filled else []
    before = None
    for at, value in enumerate(values):
        y = _y(value, top)
        if y != before:
            path.append(f"{'L' if path else 'M'}{wide * at:.4g} {y}")
        path.append(f"H{wide * (at + 1):.4g}")
        before = y
    if filled:
        path.append(f"V{HIGH}Z")
    return el("path", d="".join(path), class_=kind)


def bars(heights: Sequence[float], floors: Sequence[float], top: float, kind: str) -> Html:
    """Draw a bar for each value that is not 0, standing on its floor."""
    wide = WIDE / max(1, len(heights))
    path = "".join(
        f"M{wide * at + 0.08 * wide:.4g} {_y(floor, top)}V{_y(floor + height, top)}"
        f"h{0.84 * wide:.4g}V{_y(floor, top)}Z"
        for at, (height, floor) in enumerate(zip(heights, floors, strict=True))
        if height
    )
    return el("path", d=path, class_=kind)


def _y(value: float, top: float) -> str:
    return f"{HIGH - HIGH * min(1.0, value / top):.4g}" if top else str(HIGH)


def round_top(most: float, *, whole: bool = False) -> tuple[float, list[float]]:
    """Find a round number at or above a value, and those of the grid lines up to it."""
    if most <= 0:
        return 1.0, [0.0, 1.0]
    unit = 10.0 ** (len(f"{int(most)}") - 1) if most >= 1 else 10.0 ** -_zeros(most)
    top = next(unit * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if unit * step >= most)
    parts = {1.5: 3, 3: 3, 6: 3}.get(round(top / unit, 1), 4)
    if whole and top < 4:
        parts = max(1, round(top))
        top = float(max(1, parts))
    return top, [top * at / parts for at in range(parts + 1)]


def _zeros(value: float) -> int:
    zeros = 1
    while value < 10.0**-zeros and zeros < 12:
        zeros += 1
    return zeros
