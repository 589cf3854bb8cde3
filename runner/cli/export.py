"""`runner export`: a results file in another shape, on stdout or in a file."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from runner.cli.command import Command, option
from runner.cli.putting import put_json, put_text
from runner.cli.warning import warn
from runner.words import printable

_SHAPES = ["csv", "text", "jsonl", "openai-batch", "anthropic-batch"]
_HELP = """\
Write answers in input order: as a table (csv, jsonl), as texts alone, or as
the output file of a provider's batch. Several files are joined on id; their
columns are named after them."""
_EPILOG = """\
csv and jsonl have: id, the job's metadata, status, text, finish_reason, model,
input_tokens, output_tokens, error; of answers that fit a schema (--schema)
also their JSON as parsed, its fields as columns. Values stand in csv as they
are: a spreadsheet may take a text that begins with = for a formula."""


@click.command("export", cls=Command, help=_HELP, epilog=_EPILOG)
@click.argument("results", metavar="RESULTS...", nargs=-1, required=True, type=click.Path())
@option(
    "--as",
    "shape",
    type=click.Choice(_SHAPES),
    metavar="SHAPE",
    default="csv",
    shown="csv",
    help=f"One of {', '.join(_SHAPES)}",
)
@option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    shown="stdout",
    help="Write to FILE, whole or not at all",
)
@option("-0", "--null", is_flag=True, help="With --as text: end each answer with NUL")
def command(results: tuple[str, ...], *, shape: str, output: str | None, null: bool) -> None:
    """Write results in another shape."""
    from runner.reading.damage import Damage
    from runner.reading.export import exported

    if null and shape != "text":
        raise click.UsageError("--null goes with --as text.")
    paths = [Path(name) for name in results]
    separator = b"\0" if null else b"\n"
    pieces = exported(paths, shape, separator=separator, damage=Damage(warn))
    if output is None or output == "-":
        put = put_text if shape in ("csv", "text") else put_json
        for piece in pieces:
            put(piece)
        sys.stdout.buffer.flush()
    else:
        _write(Path(output), pieces, paths)


def _write(output: Path, pieces: Iterator[bytes], results: list[Path]) -> None:
    from runner.errors import UsageError, WriteError
    from runner.reading.outfile import replacing

    name = printable(str(output))
    if any(output.resolve() == path.resolve() for path in results):
        raise UsageError(f"{name} is the results file itself; write to another file.")
    try:
        with replacing(output) as file:
            file.writelines(pieces)
    except OSError as error:
        raise WriteError(f"{name} cannot be written: {error.strerror}.") from error
