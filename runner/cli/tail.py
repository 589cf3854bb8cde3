"""`runner tail`: its options, the prompt, and the settings they make."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from runner.cli import options as shared
from runner.cli.command import Command, option
from runner.cli.configuration import config_of
from runner.cli.offers import offers
from runner.cli.stdin import piped_text
from runner.cli.types import Count, KeyValue, Plain, Text, checked_text
from runner.conversation import Conversation
from runner.errors import UsageError
from runner.settings import TailSettings
from runner.words import printable, shell_quote

_ASK = "What to ask"
_ANSWER = "The answer"

_HELP = """\
Ask one question and watch the answer. The words are joined by spaces; what
is piped in comes before them, or is the question by itself. Without either,
on a terminal: a conversation."""
_EPILOG = """\
Any option can be set as RUNNER_TAIL_OPTION, or under [tail] in runner.toml.
Exit codes: 0 answered, 1 not, 2 not started, 4 account refused, 130 stopped by
Ctrl-C, 141 the reader closed the pipe."""


@click.command("tail", cls=Command, help=_HELP, epilog=_EPILOG)
@click.argument("prompt", nargs=-1)
@option(
    "-m",
    "--model",
    section=_ASK,
    type=Plain("MODEL"),
    fallback="RUNNER_MODEL",
    shell_complete=offers("models"),
    help="provider/model",
)
@option(
    "-s",
    "--system",
    section=_ASK,
    type=Text(),
    shell_complete=offers("text_or_file"),
    help="System prompt",
)
@option(
    "--set",
    section=_ASK,
    type=KeyValue(),
    multiple=True,
    help="Any request parameter, such as temperature=0",
)
@option(
    "--max-tokens",
    section=_ASK,
    type=Count(),
    help="Longest answer, by each API's own name for it",
)
@shared.schema
@option(
    "-a",
    "--attach",
    section=_ASK,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    multiple=True,
    help="A picture, PDF or text to go with it; may be repeated",
)
@option("--no-stdin", section=_ASK, is_flag=True, help="Leave standard input alone")
@option(
    "-C",
    "--continue",
    section=_ASK,
    is_flag=True,
    help="Go on from the last exchange, with its model unless -m names another",
)
@option(
    "-o",
    "--output",
    section=_ANSWER,
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="Append the record to this results file",
)
@option(
    "-x",
    "--extract",
    section=_ANSWER,
    is_flag=True,
    help="Its first fenced code block, if any",
)
@option(
    "--thinking/--no-thinking",
    section=_ANSWER,
    default=None,
    help="What it thinks first, to stderr; --no-thinking: nowhere",
    shown="on a terminal",
)
@option(
    "--no-save",
    section=_ANSWER,
    is_flag=True,
    help="Keep nothing for --continue, nor what was typed",
)
@shared.attempt_timeout(_ANSWER)
@option("-q", "--quiet", section=_ANSWER, is_flag=True, help="No closing line")
@click.pass_context
def command(ctx: click.Context, /, prompt: tuple[str, ...], **options: Any) -> int:
    """Turn options into settings, put the question together, and ask."""
    config = config_of(ctx)
    if options["output"] == "-":
        raise click.UsageError("-o: the answer's text is on stdout; name a file for the record.")
    from runner.config_files import state_folder

    earlier = Conversation()
    if options["continue"]:
        from runner.run.last_exchange import last_exchange

        earlier = last_exchange(state_folder())
    if earlier.turns:
        options |= _going_on(ctx, earlier)
    config.choose(options["model"])
    settings = TailSettings(
        prompt=_question(prompt, options),
        files=tuple(options["attach"]),
        ask=shared.ask(options, default_model=config.default_model),
        deadlines=shared.deadlines(options),
        output=shared.file_path(options["output"], "--output"),
        quiet=options["quiet"],
        extract=options["extract"],
        thinking=options["thinking"],
        earlier=earlier,
        state=None if options["no_save"] else state_folder(),
    )
    from runner.run.tail import run_tail

    return run_tail(settings, config)


def _going_on(ctx: click.Context, earlier: Conversation) -> dict[str, Any]:
    """The model and the system prompt as they were, unless this very command names others."""
    said = {"model": earlier.turns[-1].model, "system": earlier.system}
    given = {name for name in said if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    return {name: value for name, value in said.items() if name not in given}


def _question(words: Sequence[str], options: Mapping[str, Any]) -> str | None:
    """What is piped in, then the words; None for a conversation, where somebody can hold one.

    Raises UsageError where there is neither.
    """
    if len(words) == 1:
        _refuse_file_name(words[0])
    typed = checked_text(" ".join(words))
    piped = None
    if not options["no_stdin"]:
        piped = piped_text(on_silence=lambda: _tell_of_waiting(quiet=options["quiet"]))
    parts = [part for part in (piped and piped.removesuffix("\n"), typed) if part and part.strip()]
    if not parts and not words and not options["no_stdin"] and _terminals():
        return None
    if not parts:
        raise UsageError(
            'nothing to ask. Give a question:  runner tail "Why is the sky blue?"\n'
            "or pipe one in:  runner tail < FILE"
        )
    return "\n\n".join(parts)


def _terminals() -> bool:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def _refuse_file_name(word: str) -> None:
    try:
        exists = Path(word).is_file()
    except (OSError, ValueError):  # far too long for a name, or with a NUL: a question
        return
    if exists:
        name = shell_quote(word)
        raise UsageError(
            f"{printable(word)} is a file; what is to be asked?\n"
            f"To ask what it says:        runner tail < {name}\n"
            f'To ask about its content:   runner tail "Sum this up" < {name}\n'
            f"To ask every job in it:     runner batch {name}"
        )


def _tell_of_waiting(*, quiet: bool) -> None:
    if not quiet:
        click.echo("-- waiting for stdin: Ctrl-D ends it, --no-stdin ignores it", err=True)
