"""`runner show`: a model's texts on stdout, everything about them on stderr."""

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.command import Command, option
from runner.cli.putting import put_json, put_text
from runner.cli.types import Count
from runner.cli.warning import warn
from runner.words import printable

if TYPE_CHECKING:
    from runner.models import Result, Status

_FIRST = 5
_HELP = """\
Look at answers: the first few, the failed ones, one by its id. The texts go
to stdout, everything about them to stderr."""


@click.command("show", cls=Command, help=_HELP)
@click.argument("results", metavar="RESULTS", type=click.Path(path_type=Path))
@click.argument("ids", metavar="[ID]...", nargs=-1)
@option("--failed", is_flag=True, help="The failed ones")
@option(
    "--status",
    type=click.Choice(["succeeded", "interrupted", "failed"]),
    metavar="STATUS",
    help="Those with this status: succeeded, interrupted or failed",
)
@option("--limit", type=Count(), shown=str(_FIRST), help="At most N of them")
@option("--json", "as_json", is_flag=True, help="Whole records, a line each; all unless --limit")
def command(
    results: Path,
    ids: tuple[str, ...],
    *,
    failed: bool,
    status: "Status | None",
    limit: int | None,
    as_json: bool,
) -> None:
    """Show records of a results file."""
    from runner.reading.damage import Damage
    from runner.reading.show import chosen

    if failed and status not in (None, "failed"):
        raise click.UsageError("--failed and --status exclude each other.")
    wanted: Status | None = "failed" if failed else status
    lines = chosen(results, ids, wanted, Damage(warn))
    if as_json:
        for line in islice(lines, limit):
            put_json(line + b"\n")
        return
    shown = _show_all(islice(lines, limit if ids or limit else _FIRST), ids)
    name = printable(str(results))
    if shown == 0:
        _say(f"{name} holds no such records." if wanted else f"{name} holds no records yet.")
    elif next(lines, None) is not None:
        _say("-- There are more: --limit N shows more of them, an ID shows one whole.")


def _show_all(lines: Iterator[bytes], ids: Sequence[str]) -> int:
    from runner.reading.show import decode, details, heading, trouble

    shown = 0
    for line in lines:
        shown += 1
        result = decode(line)
        _say(heading(result))
        _say_question(result if ids else None)
        _put_text(result.text or "", ends_line=len(ids) != 1)
        for note in trouble(result) + (details(result) if ids else []):
            _say(note)
    return shown


def _say_question(result: "Result | None") -> None:
    from msgspec import Raw

    from runner.reading.question import question

    if result is not None and isinstance(result.request, Raw):
        for line in question(result.request).split("\n"):
            _say("   | " + printable(line, keep="\t"))


def _put_text(text: str, *, ends_line: bool) -> None:
    """Write a model's text: unchanged in a pipe or file, without commands to a terminal."""
    if text and (ends_line or sys.stdout.isatty()) and not text.endswith("\n"):
        text += "\n"
    put_text(text.encode(errors="replace"))
    sys.stdout.buffer.flush()  # so that it stands between its lines on stderr


def _say(line: str) -> None:
    """Write a line about answers to stderr, dim where colours are seen and wanted."""
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        line = click.style(line, dim=True)
    click.echo(line, err=True)
