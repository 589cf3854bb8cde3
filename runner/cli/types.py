"""What may stand behind an option: times, counts, sizes, texts, shares, KEY=VALUE."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from runner.words import printable, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.settings import Allowance

    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # generic for type checkers only, in the oldest click allowed

_PLAIN = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_COUNT = re.compile(r"(\d[\d_]{0,14}(?:\.\d{1,6})?)([kKmM]?)", re.ASCII)
_THOUSANDS = {"": 1, "k": 1000, "m": 1_000_000}
_DOLLARS = re.compile(r"\$?(\d{1,9})(?:\.(\d{1,12}))?", re.ASCII)
_SIZE = re.compile(r"(\d{1,12})\s*(?:([kKmMgG])(?:iB)?)?", re.ASCII)
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class _Words(_ParamType):
    """A type that takes text; configuration files may also give plain numbers."""

    numbers = True

    def convert(self, value: Any, *_: object) -> Any:
        if isinstance(value, int | float):
            if not self.numbers:
                raise click.BadParameter("it must be a text in quotes.")
            value = str(value)
        if not isinstance(value, str):
            return value  # converted before: a default
        return self.parse(value)

    def parse(self, text: str) -> Any:
        """Read the text; raises click.BadParameter."""
        raise NotImplementedError


def _bad(text: str, expected: str) -> NoReturn:
    raise click.BadParameter(f'"{printable(text)}" is not {expected}.')


class Time(_Words):
    """Seconds, from `90s`, `20m`, `6h`, `1h30m` or a plain number of seconds."""

    name = "TIME"

    def __init__(self, *, positive: bool = False, none: float | str | None = None) -> None:
        """Create the type.

        `none`: what the word `none` stands for, in seconds (`unbounded`: no bound, None); it is
        refused where this is None.
        """
        self._positive = positive
        self._none = none

    def parse(self, text: str) -> float | None:
        wanted = text.strip().lower()
        if wanted == "none" and self._none is not None:
            return None if isinstance(self._none, str) else self._none
        found = seconds(wanted)
        if found is None:
            or_none = ", or none" if self._none is not None else ""
            _bad(text, f"a time such as 90s, 20m, 6h or 1h30m{or_none}")
        if self._positive and found <= 0:
            raise click.BadParameter("the time must be longer than 0.")
        return found


class Count(_Words):
    """A whole number, also as `10k`, `2M` or `1_000`."""

    name = "N"

    def __init__(self, *, minimum: int = 1, auto: bool = False) -> None:
        """`auto` allows that word as well, which gives 0."""
        self._minimum = minimum
        self._auto = auto

    def parse(self, text: str) -> int:
        if self._auto and text.strip().lower() == "auto":
            return 0
        match = _COUNT.fullmatch(text.strip())
        number = None if match is None else float(match[1]) * _THOUSANDS[match[2].lower()]
        if number is None or number != int(number):
            _bad(text, "a whole number such as 32, 1_000, 10k or 2M")
        if number < self._minimum:
            raise click.BadParameter(
                f"{printable(text)} is too small; the least is {self._minimum}."
            )
        return int(number)


class Dollars(_Words):
    """An amount such as `5`, `$2.50` or `none`, given in picodollars."""

    name = "USD"

    def parse(self, text: str) -> int | None:
        wanted = text.strip()
        if wanted.lower() == "none":
            return None
        match = _DOLLARS.fullmatch(wanted)
        if match is None or not (amount := _picodollars(match)):
            _bad(text, "an amount in USD such as 5 or 2.50, or none")
        return amount


def _picodollars(match: re.Match[str]) -> int:
    return int(match[1]) * 10**12 + int((match[2] or "").ljust(12, "0"))


class Size(_Words):
    """Bytes, from a plain number or `512k`, `64M`, `1G` (powers of 1024)."""

    name = "SIZE"

    def parse(self, text: str) -> int:
        match = _SIZE.fullmatch(text.strip())
        if match is None or not (size := int(match[1]) * _BYTES[(match[2] or "").lower()]):
            _bad(text, "a size such as 512k, 64M or 1G")
        return size


class Text(_Words):
    """A text as it stands, or the content of a file written as `@FILE`."""

    name = "TEXT|@FILE"
    numbers = False

    def parse(self, text: str) -> str:
        if not text.startswith("@"):
            return checked_text(text)
        name = text[1:]
        try:
            return Path(name).read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise click.BadParameter(f"cannot read {printable(name)}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise click.BadParameter(
                f"{printable(name)} is not UTF-8 text (byte {error.start + 1})."
            ) from error
        except ValueError as error:  # a NUL in the name
            raise click.BadParameter(f'"{printable(name)}" is no file name.') from error


def checked_text(text: str) -> str:
    """Return text that can be sent as UTF-8; raises click.BadParameter for anything else."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise click.BadParameter("the text is not valid UTF-8.") from error
    return text


class Plain(_Words):
    """A short text that is never a file: a model, a column, kinds to retry."""

    numbers = False

    def __init__(self, name: str) -> None:
        self.name = name

    def parse(self, text: str) -> str:
        if not text.strip():
            raise click.BadParameter("it is empty.")
        return checked_text(text)


class Share(_Words):
    """A number of jobs, or a share of them: `20` or `1%`."""

    name = "N|N%"

    def __init__(self, *, positive: bool = False, none: bool = False) -> None:
        """`positive` refuses 0; `none` allows that word as well, which gives None."""
        self._positive = positive
        self._none = none

    def parse(self, text: str) -> "Allowance | None":
        from runner.settings import Allowance

        wanted = text.strip()
        if self._none and wanted.lower() == "none":
            return None
        if not wanted.endswith("%"):
            return Allowance(count=Count(minimum=int(self._positive)).parse(wanted))
        number = wanted[:-1].strip()
        if not _PLAIN.fullmatch(number) or float(number) > 100:
            _bad(text, "a number such as 20 or a share from 0% to 100%")
        if self._positive and not float(number):
            raise click.BadParameter("the share must be more than 0%.")
        return Allowance(percent=float(number))


class KeyValue(_ParamType):
    """One request parameter: `KEY=VALUE`, the value as JSON where it is JSON, else as text.

    In the environment it is one JSON object, in a configuration file a table.
    """

    name = "KEY=VALUE"

    def convert(self, value: Any, *_: object) -> tuple[str, Any]:
        if isinstance(value, tuple):
            key, content = value
        else:
            key, equals, text = value.partition("=")
            if not equals or not key.strip():
                _bad(value, "KEY=VALUE, such as temperature=0")
            content = _json_or_text(text)
        return checked_text(key.strip()), _sendable(content, key)

    def split_envvar_value(self, rv: str) -> "Sequence[Any]":
        import json

        try:
            values = json.loads(rv, parse_constant=_refuse_constant)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise click.BadParameter('it must hold a JSON object such as {"temperature": 0}.')
        return list(values.items())


def _json_or_text(text: str) -> Any:
    import json

    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        return text


def _refuse_constant(constant: str) -> NoReturn:
    raise click.BadParameter(f"{constant} is not JSON and no provider takes it.")


def _sendable(value: Any, key: str) -> Any:
    """Refuse what has no place in JSON: dates from TOML, infinities, lone surrogates."""
    import json

    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise click.BadParameter(
            f"the value of {printable(key)} cannot be sent as JSON."
        ) from error
    return value
