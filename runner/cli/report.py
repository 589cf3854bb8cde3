"""`runner report`: figures of results for people on stderr, for programs on stdout, as a page."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.command import Command, option
from runner.cli.putting import put_json, put_text
from runner.cli.warning import warn
from runner.words import printable

if TYPE_CHECKING:
    from runner.reading.report.read import Report

_HELP = """\
Sum up results: failures by cause, tokens, cost by model, latency, retries,
the slowest jobs, and the command that asks what is not done. Several files
are compared side by side."""
_EPILOG = """\
Percentiles are at most 0.5% off. A file may be read while a run writes it."""


@click.command("report", cls=Command, help=_HELP, epilog=_EPILOG)
@click.argument("results", metavar="RESULTS...", nargs=-1, required=True, type=click.Path())
@option(
    "--html",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="Write a page with plots and a sample, whole or not at all",
)
@option("--json", "as_json", is_flag=True, help="All figures for programs, a line for each file")
def command(results: tuple[str, ...], *, html: str | None, as_json: bool) -> None:
    """Read results files and tell their figures."""
    from runner.reading.damage import Damage
    from runner.reading.report.read import read_report

    if html is not None and html != "-":
        _refuse_mistakes(Path(html))
    if html == "-" and as_json:
        raise click.UsageError("--html - and --json would both write to stdout.")
    damage = Damage(warn)
    reports = [read_report(Path(name), damage) for name in results]
    if html is not None:
        _write_page(html, reports)
    if as_json:
        _put_figures(reports)
    if html is None and not as_json:
        _say_figures(reports)


def _say_figures(reports: list["Report"]) -> None:
    if len(reports) == 1:
        from runner.view.texts_report import report_text

        text = report_text(reports[0])
    else:
        from runner.view.texts_compared import compared_text

        text = compared_text(reports)
    click.echo(text, err=True)


def _put_figures(reports: list["Report"]) -> None:
    import msgspec

    from runner.reading.report.as_json import report_figures

    for report in reports:
        put_json(msgspec.json.encode(report_figures(report)) + b"\n")
    sys.stdout.buffer.flush()


def _refuse_mistakes(output: Path) -> None:
    """Refuse to replace what is no report: results and jobs cost more than a page."""
    from runner.errors import UsageError
    from runner.reading.report.page.document import is_page

    if not is_page(output):
        name = printable(str(output))
        raise UsageError(f"{name} exists and is no report; write to another file.")


def _write_page(html: str, reports: list["Report"]) -> None:
    from runner.errors import WriteError
    from runner.reading.outfile import replacing
    from runner.reading.report.page.document import page

    data = page(reports)
    if html == "-":
        put_text(data)
        sys.stdout.buffer.flush()
        return
    name = printable(html)
    try:
        with replacing(Path(html)) as file:
            file.write(data)
    except OSError as error:
        raise WriteError(f"{name} cannot be written: {error.strerror}.") from error
    jobs = sum(report.figures.total().jobs for report in reports)
    click.echo(f"{name}: a page on {jobs:,} job{'' if jobs == 1 else 's'}.", err=True)
