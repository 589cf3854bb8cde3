"""A command whose options stand in sections and say where a bad value came from."""

import os
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import click
from click.core import ParameterSource

from runner.cli.configuration import TableDefaults

_WIDTH = 80
_EDGE = 78
"""The column at which a default shown at the right ends."""


class Option(click.Option):
    """An option of one section of the help."""

    def __init__(
        self,
        decls: list[str],
        *,
        section: str = "Options",
        shown: str | None = None,
        fallback: str | None = None,
        **attributes: Any,
    ) -> None:
        """Create the option.

        `shown`: the default, as the help writes it. `fallback`: an environment variable that counts
        where the option's own is not set.
        """
        super().__init__(decls, **attributes)
        self.section = section
        self.shown = shown
        self.fallback = fallback
        self.also: str | None = None
        """Another command, whose variable and table count where this one's do not say."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        name = self._variable(ctx)
        return None if name is None else os.environ[name]

    def _variable(self, ctx: click.Context) -> str | None:
        """The variable that sets this option; an empty one counts as not set."""
        own = f"{ctx.auto_envvar_prefix}_{self.key.upper()}"
        names = [own if ctx.auto_envvar_prefix else None, self.fallback]
        if self.also and ctx.parent is not None:
            also = f"{ctx.parent.auto_envvar_prefix}_{self.also}_{self.key}"
            names.insert(1, also.upper())
        return next((name for name in names if name and os.environ.get(name)), None)

    def consume_value(self, ctx: click.Context, opts: Any) -> tuple[Any, ParameterSource]:
        try:
            return super().consume_value(ctx, opts)
        except click.BadParameter as error:  # a variable that cannot be split
            raise click.UsageError(f"{self._variable(ctx)}: {error.message}", ctx) from error

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            raise
        except click.BadParameter as error:
            raise click.UsageError(f"{self._place(ctx)}: {error.message}", ctx) from error

    def _place(self, ctx: click.Context) -> str:
        source = ctx.get_parameter_source(self.name or "")
        if source is ParameterSource.ENVIRONMENT:
            return self._variable(ctx) or self.longest
        if source is ParameterSource.DEFAULT_MAP and isinstance(ctx.default_map, TableDefaults):
            return ctx.default_map.place(self.name or "")
        return self.longest

    @property
    def key(self) -> str:
        """The option's name in the environment and in configuration files."""
        return self.longest.lstrip("-").replace("-", "_")

    @property
    def longest(self) -> str:
        """The name by which texts call this option."""
        return max(self.opts, key=len)

    def term(self) -> str:
        """The left column of the help: `  -m, --model MODEL`."""
        short = next((name for name in self.opts if len(name) == 2), None)
        lead = f"  {short}, " if short else "      "
        value = "" if self.is_flag else f" {self.metavar or self.type.name}"
        return f"{lead}{self.longest}{value}"


class Command(click.Command):
    """A command with defaults from its table in the configuration and a help in sections."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            ctx.default_map = TableDefaults(ctx)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        formatter.write(f"\n{textwrap.indent(self.help or '', '  ')}\n\n")
        for line in self._option_lines(ctx):
            formatter.write(f"{line}\n")
        if self.epilog:
            formatter.write(f"\n{self.epilog}\n")

    def _option_lines(self, ctx: click.Context) -> Iterator[str]:
        options = [each for each in self.params if isinstance(each, Option) and not each.hidden]
        column = max([len(option.term()) for option in options] + [len("  -h, --help")]) + 3
        section = None
        for option in options:
            if option.section != section:
                section = option.section
                yield f"{section}:"
            yield from _described(option.term(), option.help or "", option.shown, column)
        if self.get_help_option(ctx) is not None:
            yield from _described("  -h, --help", "Print this", None, column)


def _described(term: str, text: str, shown: str | None, column: int) -> Iterator[str]:
    lines = textwrap.wrap(text, _WIDTH - column, break_on_hyphens=False)
    if shown is not None:
        mark = f"[{shown}]"
        if column + len(lines[-1]) + 1 + len(mark) <= _EDGE:
            lines[-1] += mark.rjust(_EDGE - column - len(lines[-1]))
        else:
            lines.append(mark)
    for index, line in enumerate(lines):
        yield f"{term if index == 0 else '':<{column}}{line}"


def option(*decls: str, **attributes: Any) -> Callable[[Any], Any]:
    """Decorate a command with an `Option`."""
    return click.option(*decls, cls=Option, **attributes)
