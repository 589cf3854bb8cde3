"""`runner` as it is, but for how long a list of batches may lag: nobody waits a minute here."""

import sys

from runner.lanes import patience

LISTED_S = 2.0
"""Longer than the lists of the practice server lag."""


def run() -> None:
    """Run the command line."""
    patience.LISTED_WITHIN_S = LISTED_S
    from runner.__main__ import main

    sys.argv[0] = "runner"
    main()


if __name__ == "__main__":
    run()
