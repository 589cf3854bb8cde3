"""Several results files side by side."""

from collections.abc import Sequence

from runner.reading.report.compared import compared_rows
from runner.reading.report.page.markup import Html, el
from runner.reading.report.read import Report


def compared_table(names: Sequence[str], reports: Sequence[Report]) -> Html:
    """Write a column of figures for each file."""
    totals = [(report.figures, report.figures.total()) for report in reports]
    rows = []
    for label, cell in compared_rows():
        cells = [cell(figures, total) for figures, total in totals]
        if set(cells) != {"-"}:
            told = [el("td", words, class_="num") for words in cells]
            rows.append(el("tr", el("th", label, scope="row"), *told))
    head = [el("th", name, scope="col", class_="num") for name in names]
    caption = "Figures of each file"
    table = el(
        "table",
        el("caption", caption, class_="unseen"),
        el("thead", el("tr", el("td"), *head)),
        el("tbody", *rows),
    )
    return el("div", table, class_="wide compared", tabindex=0, role="group", aria_label=caption)
