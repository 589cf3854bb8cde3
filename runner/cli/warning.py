"""A word to the person at the terminal while a command goes on. Changes no exit code."""

import click


def warn(text: str) -> None:
    """Write lines to stderr, at most 80 columns wide where spaces allow it."""
    from runner.view.layout import wrap

    for line in text.split("\n"):
        click.echo(wrap(line, indent="  "), err=True)
