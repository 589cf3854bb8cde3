"""`runner` with a fault of its own: an exception that holds the key, at the place named first."""

import os
import sys
from typing import Any

from runner.__main__ import main
from runner.engine.attempt import Attempts
from runner.results import writer
from runner.run import batch


def _fail(*_arguments: object, **_options: object) -> Any:
    raise RuntimeError(f"a bug with {os.environ['CANARY_WORDS']}")


def run() -> int:
    """Break one place and run the command line."""
    place = sys.argv.pop(1)
    if place == "before":
        vars(batch)["prepare"] = _fail
    elif place == "attempt":
        Attempts.make = _fail  # type: ignore[method-assign] # broken on purpose
    else:
        vars(writer)["encode"] = _fail
    return main()


if __name__ == "__main__":
    sys.exit(run())
