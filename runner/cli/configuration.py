"""The configuration as the command line meets it: read once, at the first look, and only then."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from runner.config import Config, OptionTable

_META = "runner.cli.configuration"


def config_of(ctx: click.Context) -> "Config":
    """The configuration in force for this call; raises UsageError."""
    config: Config | None = ctx.meta.get(_META)
    if config is None:
        from runner.config_files import load_config
        from runner.words import hold_back

        config = load_config(ctx.find_root().params.get("config"))
        hold_back(p.api_key_env for p in config.providers.values() if p.api_key_env is not None)
        ctx.meta[_META] = config
    return config


class TableDefaults(dict[str, Any]):
    """Values for a command's options from its table in the configuration.

    Filled when first asked, so that `--help` and completion read no file.
    """

    def __init__(self, ctx: click.Context) -> None:
        super().__init__()
        self._ctx = ctx
        self._filled = False
        self._places: dict[str, str] = {}

    def __contains__(self, key: object) -> bool:
        if not self._filled:
            self._filled = True
            self._fill()
        return super().__contains__(key)

    def place(self, name: str) -> str:
        """Where the value of a parameter stands, for texts: the file, the key, the table."""
        return self._places[name]

    def _fill(self) -> None:
        known = {
            max(param.opts, key=len).lstrip("-").replace("-", "_"): param
            for param in self._ctx.command.params
            if isinstance(param, click.Option)
        }
        shared = {key: getattr(option, "also", None) for key, option in known.items()}
        for other in set(filter(None, shared.values())):
            self._fill_from(other, known, {key for key in known if shared[key] == other})
        self._fill_from(self._ctx.info_name or "", known)

    def _fill_from(
        self, name: str, known: Mapping[str, click.Option], only: set[str] | None = None
    ) -> None:
        """Take the tables of one command; of another's what this one shares with it."""
        for table in reversed(config_of(self._ctx).options.get(name, ())):
            for written, value in table.values.items():
                key = written.replace("-", "_")
                if only is None or key in only:
                    self._take(key, value, table, known, f"under [{name}]")

    def _take(
        self,
        key: str,
        value: Any,
        table: "OptionTable",
        known: Mapping[str, click.Option],
        where: str,
    ) -> None:
        option = known.get(key)
        if option is None or option.name is None:
            from runner.config_tables import unknown_key

            raise unknown_key(key, known, table.source, f" {where}")
        place = self._places[option.name] = f"{table.source}: {key} {where}"
        if problem := _misfit(option, value, trusted=table.trusted):
            raise click.UsageError(f"{place}: {problem}", self._ctx)
        self[option.name] = list(value.items()) if isinstance(value, dict) else _joined(value)


def _joined(value: Any) -> Any:
    return ",".join(value) if isinstance(value, list) else value


def _misfit(option: click.Option, value: Any, *, trusted: bool) -> str | None:
    """Say why a value cannot stand in the file, or None; the option's type judges the rest."""
    if option.is_flag:
        return None if isinstance(value, bool) else "it must be true or false."
    if option.multiple:
        return None if isinstance(value, dict) else "it must be a table: { temperature = 0 }."
    is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if isinstance(value, bool) or not (is_list or isinstance(value, str | int | float)):
        return "it must be a text or a number."
    return None if trusted else _untrusted(option, _joined(value))


def _untrusted(option: click.Option, value: Any) -> str | None:
    """Keep a file that came with the folder from choosing what is read and written here."""
    way_on = "Give it as an option, or put it into your own file."
    if isinstance(option.type, click.Path | click.File):
        return f"a file that merely lies in the folder may not name files. {way_on}"
    if isinstance(value, str) and value.startswith("@"):
        return f"a file that merely lies in the folder may not have files read. {way_on}"
    return None
