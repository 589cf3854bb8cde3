"""The question after a broken answer. Knows no run: it only asks."""

import sys

import click


def ask_again() -> bool:
    """Ask on the terminal whether to ask the model again; False where nobody can answer."""
    if not _somebody_is_there():
        return False
    try:
        return click.confirm("   Ask again?", default=True, err=True)
    except click.Abort:
        click.echo(err=True)
        return False


def _somebody_is_there() -> bool:
    # In a file or pipe the second answer would follow the pieces of the first.
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
