"""What `report` says of several results files, side by side, as pure text."""

from collections.abc import Iterator, Sequence

from runner.reading.join import stems
from runner.reading.report.compared import compared_rows
from runner.reading.report.read import Report
from runner.view.layout import WIDTH, shorten
from runner.view.texts_report import again_lines
from runner.words import printable

_LABEL = 17
_COLUMN = 15
ABREAST = (WIDTH - _LABEL) // _COLUMN
"""Files that fit beside each other."""


def compared_text(reports: Sequence[Report]) -> str:
    """Set figures side by side; below them how what is not done is asked again."""
    names = stems([report.path for report in reports])
    blocks = [
        "\n".join(_block(names[at : at + ABREAST], reports[at : at + ABREAST]))
        for at in range(0, len(reports), ABREAST)
    ]
    left = [
        "\n".join([f"{printable(str(report.path))}:", *lines])
        for report in reports
        if (lines := again_lines(report))
    ]
    return "\n\n".join([*blocks, *left])


def _block(names: Sequence[str], reports: Sequence[Report]) -> Iterator[str]:
    yield _line("", [shorten(printable(name), _COLUMN - 2) for name in names])
    totals = [(report.figures, report.figures.total()) for report in reports]
    for label, cell in compared_rows():
        cells = [cell(figures, total) for figures, total in totals]
        if set(cells) != {"-"}:
            yield _line(label, cells)


def _line(label: str, cells: Sequence[str]) -> str:
    return f"{label:<{_LABEL}}" + "".join(f"{cell:>{_COLUMN}}" for cell in cells)
