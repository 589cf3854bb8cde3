"""The way in: `runner` on the command line, and `python -m runner`."""

import sys
from typing import NoReturn

from runner import garbage
from runner.cli.early import end_on_signals, fill_closed_streams, ignore_signals


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    code = enter()
    from runner.cli.leaving import leave

    leave(code)


def enter() -> int:
    """Run the command line and return the exit code."""
    end_on_signals()  # before anything slow is imported, so that Ctrl-C never shows a traceback
    fill_closed_streams()
    garbage.hold_off()
    from runner.cli.main import run

    code = run(sys.argv[1:])
    ignore_signals()
    return code


if __name__ == "__main__":
    main()
