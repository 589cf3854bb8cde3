"""The plots over time: answers, tokens, failures, requests on their way."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from runner.reading.report.over_time import Course, Piece
from runner.reading.report.page.markup import Html, el
from runner.reading.report.page.plot import Label, Plot, bars, figure, round_top, steps
from runner.reading.report.timeline import ANSWERED, FAILED, INPUT, INTERRUPTED, OUTPUT, REFUSED
from runner.words import count, duration

_LABELS = 5
_FAILURES = ((FAILED, "failed"), (INTERRUPTED, "broken off"), (REFUSED, "refused for rate (429)"))


def over_time_plots(run: Course, ceiling: int | None) -> list[Html]:
    """Write the plots; none where no record says its times."""
    if not run.pieces:
        return []
    return [figure(plot) for plot in _plots(run, ceiling)]


def over_time_table(run: Course) -> Html:
    """Write the figures behind the plots as a table that is opened on demand."""
    heads = ("from", "answered", "failed", "broken off", "refused", "in", "out", "on their way")
    rows = [
        el("tr", el("th", _moment(piece.at), scope="row"), *_cells(run, piece))
        for piece in run.pieces
    ]
    table = el(
        "table",
        el("caption", f"In pieces of {duration(run.piece_s)}; tokens in and out; times are UTC"),
        el("thead", el("tr", *(el("th", head, scope="col") for head in heads))),
        el("tbody", *rows),
    )
    region = el(
        "div",
        table,
        class_="wide",
        tabindex=0,
        role="group",
        aria_label="The figures behind the plots over time",
    )
    return el("details", el("summary", "The figures behind these plots"), region)


def _cells(run: Course, piece: Piece) -> Iterator[Html]:
    for kind in (ANSWERED, FAILED, INTERRUPTED, REFUSED, INPUT, OUTPUT):
        yield el("td", count(piece.counts[kind]))
    yield el("td", f"{piece.in_flight_s / run.piece_s:.1f}")


def _plots(run: Course, ceiling: int | None) -> Iterator[Plot]:
    pieces, seconds = run.pieces, run.piece_s
    answers = [piece.counts[ANSWERED] / seconds for piece in pieces]
    yield _areas(run, "Answers per second", "answers per second", [(answers, "area one", "")])
    given = [piece.counts[INPUT] / seconds for piece in pieces]
    made = [piece.counts[OUTPUT] / seconds for piece in pieces]
    if any(given) or any(made):
        series = [(made, "area one", "out"), (given, "curve two", "in")]
        yield _areas(run, "Tokens per second", "tokens per second", series)
    yield _failures(run)
    flying = [piece.in_flight_s / seconds for piece in pieces]
    if any(flying):
        yield _areas(run, "Requests on their way", "requests", [(flying, "area one", "")], ceiling)


def _areas(
    run: Course,
    title: str,
    unit: str,
    series: Sequence[tuple[Sequence[float], str, str]],
    ceiling: int | None = None,
) -> Plot:
    most = max(max(values) for values, _, _ in series)
    top, lines = round_top(max(most, ceiling or 0))
    told = "; ".join(
        f"{word} at most {_short(max(values))} {unit}".strip() for values, _, word in series
    )
    return Plot(
        title=title,
        told=f"{told[:1].upper()}{told[1:]}, {_span(run)}.",
        top=top,
        drawn=[steps(values, top, kind, filled="area" in kind) for values, kind, _ in series],
        values=[_short(value) for value in lines],
        labels=_labels(run),
        marks=_pauses(run),
        level=None if ceiling is None else (ceiling, f"ceiling -c {ceiling}"),
        legend=[(kind, word) for _, kind, word in series if word],
    )


def _failures(run: Course) -> Plot:
    floors = [0.0] * len(run.pieces)
    drawn, told, legend = [], [], []
    series = [([piece.counts[kind] for piece in run.pieces], word) for kind, word in _FAILURES]
    top, lines = round_top(max(map(sum, zip(*(numbers for numbers, _ in series), strict=True))))
    for number, (numbers, word) in enumerate(series):
        if not any(numbers):
            continue
        kind = f"bar bad{number}"
        drawn.append(bars(numbers, floors, top, kind))
        floors = [floor + more for floor, more in zip(floors, numbers, strict=True)]
        told.append(f"{count(sum(numbers))} {word}")
        legend.append((kind, word))
    return Plot(
        title=f"Failures in each {duration(run.piece_s)}",
        told=f"{', '.join(told) or 'None'}, {_span(run)}.",
        top=top,
        drawn=drawn,
        values=[_short(value) for value in lines],
        labels=_labels(run),
        marks=_pauses(run),
        legend=legend,
    )


def _labels(run: Course) -> list[Label]:
    number = len(run.pieces)
    several_days = run.pieces[0].at.date() != run.pieces[-1].at.date()
    shape = "%m-%d %H:%M" if several_days else "%H:%M:%S" if number else ""
    labels = []
    for at in range(_LABELS):
        share = at / (_LABELS - 1)
        piece = run.pieces[min(number - 1, int(share * number))]
        words = piece.at.strftime(shape)
        if number >= _LABELS or at == 0:
            labels.append(Label(at=share, words=words, minor=bool(at % 2)))
    return labels


def _pauses(run: Course) -> list[Label]:
    return [
        Label(at=at / len(run.pieces), words=f"{duration(seconds)} pause")
        for at, seconds in run.pauses.items()
    ]


def _span(run: Course) -> str:
    pauses = f", with {len(run.pauses)} pauses left out" if len(run.pauses) > 1 else ""
    pauses = ", with a pause left out" if len(run.pauses) == 1 else pauses
    return f"from {_moment(run.pieces[0].at)} in {duration(run.active_s or 0.0)}{pauses}"


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def _short(value: float) -> str:
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= unit:
            return f"{value / (1e3 if letter == 'k' else unit):.4g}{letter}"
    return f"{value:.3g}" if value < 1000 else count(round(value))
