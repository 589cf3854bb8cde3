"""Whether `--log-json` was given, which a failure needs to know at any time."""

import os
import sys
from collections.abc import Sequence

import click

_COMMAND, _OPTION, _VARIABLE = "batch", "--log-json", "RUNNER_BATCH_LOG_JSON"
_YES = ("1", "true", "t", "yes", "y", "on")


class _Asked:
    """One process carries out one command line."""

    now = False


def begin(arguments: Sequence[str]) -> None:
    """Look for the option in a command line that may turn out to be wrong."""
    words = [*arguments[: list(arguments).index("--")]] if "--" in arguments else arguments
    given = os.environ.get(_VARIABLE, "").lower() in _YES
    _Asked.now = _COMMAND in words and (_OPTION in words or given)


def asked() -> bool:
    """Whether stderr is read by a machine."""
    return _Asked.now


def tell_failure(code: int, message: str, trace: str | None) -> None:
    """Write the last line."""
    from runner.view.log import Log

    if sys.stderr is not None:
        log = Log()
        words = message.removeprefix("Error: ")
        log.write("error", exit_code=code, message=words, traceback=trace)
        log.flush()


def note(_ctx: click.Context, _param: click.Parameter, given: bool) -> bool:
    """Take the option's value, which a configuration file may hold, too: an option's callback."""
    _Asked.now = given
    return given
