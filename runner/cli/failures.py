"""The one place where an exception becomes words on stderr and an exit code."""

import errno
import os
import sys
import textwrap
from collections.abc import Callable

import click

from runner.cli import log_json
from runner.words import printable, scrubbed

_WIDTH = 80
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""How a write to a stream fails; whoever writes a file by name tells its own failure."""
_INTERNAL = (
    "internal error in runner, not in what you asked for. What was recorded is kept. Please report"
    " it; with RUNNER_DEBUG=1 in the environment the same command shows where it happened."
)


def guarded(action: Callable[[], int]) -> int:
    """Carry out a command and return the exit code of the process, whatever happens."""
    try:
        code = action()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BaseException as error:
        if isinstance(error, SystemExit | GeneratorExit):
            raise
        code = _failed(error)
    _let_go_of_stderr()
    return code


def _failed(error: BaseException) -> int:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return 130
    if isinstance(error, BrokenPipeError):
        _drop(1)
        return 141
    code, message = _words(error)
    trace = _trace(error) if code == 1 and os.environ.get("RUNNER_DEBUG") else None
    if log_json.asked():
        log_json.tell_failure(code, message, trace)
        return code
    if trace is not None:
        _say(trace)
    _say("\n".join(_laid_out(line) for line in message.split("\n")))
    return code


def _words(error: BaseException) -> tuple[int, str]:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return 2, error.format_message()
    if isinstance(error, click.ClickException):
        return 2, f"Error: {_usage(error)}"
    from runner.errors import RunnerError

    if isinstance(error, RunnerError):
        return int(error.exit_code), f"Error: {error}"
    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        _drop(1)
        return 74, f"Error: cannot write to standard output: {error.strerror}."
    return 1, f"Error: {_INTERNAL}"


def _trace(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))


def _usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context is not None else "runner"
    if isinstance(error, click.NoSuchOption):
        return (
            f"{command} has no option {error.option_name}.{_near(error.possibilities)}\n"
            f"All of them:  {command} --help"
        )
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = error.param.make_metavar(context or click.Context(click.Command(None)))
        return f"{name} is missing.\nWhat {command} takes:  {command} --help"
    if isinstance(error, click.BadOptionUsage):
        return f"{error.option_name}: {_lowered(error.message)}"
    return error.format_message()


def _near(possibilities: list[str] | None) -> str:
    return f" Did you mean {possibilities[0]}?" if possibilities else ""


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _say(message: str) -> None:
    from runner.view.terminal import say

    # A stderr that is gone or stuck changes nothing: the exit code still says it.
    if sys.stderr is not None:
        say(printable(scrubbed(message), keep="\n"))


def _laid_out(line: str) -> str:
    """Break a line that is too wide, unless it ends in a command that is to be pasted."""
    if len(line) <= _WIDTH or "  runner " in line:
        return line
    indent = "    " if line.startswith("  ") else ""
    return textwrap.fill(
        line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _let_go_of_stderr() -> None:
    """Keep a reader of stderr that has gone from changing the exit code."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        _drop(2)


def _drop(descriptor: int) -> None:
    """Send what is left of a stream nowhere, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
