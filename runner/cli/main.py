"""The root of the command line: what commands there are. Imports click and nothing slow."""

import importlib
import os
from collections.abc import Mapping, Sequence

import click

from runner import __version__, garbage
from runner.cli.failures import guarded
from runner.cli.log_json import begin
from runner.cli.offers import offers

ARGUMENTS = "runner.cli.arguments"
"""Key in a context's `meta` for the command line as typed, without the program."""

COMMANDS: Mapping[str, Mapping[str, str]] = {
    "Ask": {
        "batch": "Ask every job in a file. Run it again to go on where it stopped.",
        "tail": "Ask one question and watch the answer; no question opens a chat.",
    },
    "Before and after": {
        "check": "Validate a file, show one request, estimate tokens, cost, time.",
        "show": "Look at answers: the first few, the failed ones, one by its id.",
        "report": "Sum up results: failures by cause, cost, speed; --html for a page.",
        "export": "Answers as CSV, text or a provider's batch format, in input order.",
    },
    "Setup": {
        "providers": "What is configured, from where, whether a key is there; --test.",
        "simulate": "A practice server with scripted speed, limits and faults.",
    },
}
"""Name and help line of each command; its module is the one of that name in `runner.cli`."""

_UNLISTED = ("completion",)
"""Needed once, if ever: commands that the help does not list."""

_OPTIONS = {
    "--config FILE": "Use this configuration and no other.",
    "--version": "Print the version.",
    "-h, --help": "Print help; runner COMMAND --help for one command.",
}
_EXAMPLES = """\
Try it without a key:
  runner tail -m sim/steady "Why is the sky blue?"
  runner batch rows.jsonl -t 'Topic of: {{ text }}' -m sim/steady --limit 10

What you type, completed by the shell:  runner completion --help
"""


class Root(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for section in COMMANDS.values() for name in section]

    def _all(self, ctx: click.Context) -> list[str]:
        return [*self.list_commands(ctx), *_UNLISTED]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._all(ctx):
            return None
        command: click.Command = importlib.import_module(f"runner.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self._all(ctx)
        if args[0] not in known and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(
                f"runner has no command {args[0]}.{hint}\nAll of them:  runner --help", ctx
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        formatter.write(f"\n  {self.help}\n\n")
        for title, commands in COMMANDS.items():
            formatter.write(_section(title, commands))
        formatter.write(_section("Options", _OPTIONS))
        formatter.write(_EXAMPLES)


def _section(title: str, rows: Mapping[str, str]) -> str:
    column = max(map(len, rows)) + 4 if title == "Options" else 11
    return (
        f"{title}:\n" + "".join(f"  {term:<{column}}{text}\n" for term, text in rows.items()) + "\n"
    )


@click.group(
    cls=Root,
    help="Run LLM prompts in bulk, or watch one answer arrive.",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "RUNNER",
        "max_content_width": 80,
    },
)
@click.option(
    "--config",
    metavar="FILE",
    shell_complete=offers("files"),
    help="Use this configuration and no other.",
)
@click.version_option(__version__, message="%(prog)s %(version)s", allow_from_autoenv=False)
def root(config: str | None) -> None:
    """Take the options that stand before the command."""


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return the exit code of the process."""
    if os.environ.get("_RUNNER_COMPLETE"):
        from runner.cli.shells import answer

        return answer(root)
    begin(arguments)
    return guarded(lambda: _invoke(arguments))


def _invoke(arguments: Sequence[str]) -> int:
    with root.make_context("runner", list(arguments)) as ctx:
        ctx.meta[ARGUMENTS] = tuple(arguments)
        garbage.settle()
        code: int | None = root.invoke(ctx)
    return int(code or 0)
