"""Print what the simulation comes to: `python -m tests.pace [SCENARIO]...`."""

import sys
import time

from tests.pace.scenarios import SCENARIOS
from tests.pace.simulation import run

_SEEDS = (1, 2, 3)


def main() -> None:
    """Play each scenario in full length with each seed."""
    for name in sys.argv[1:] or SCENARIOS:
        started = time.perf_counter()
        outcomes = [run(SCENARIOS[name], seed) for seed in _SEEDS]
        uses = " ".join(f"{100 * one.use:6.2f}" for one in outcomes)
        wholes = " ".join(f"{100 * one.whole:6.2f}" for one in outcomes)
        refused = " ".join(f"{100 * one.refused:6.3f}" for one in outcomes)
        unfinished = sum(one.unfinished for one in outcomes)
        minutes = sum(one.minutes for one in outcomes) / len(outcomes)
        spent = time.perf_counter() - started
        sys.stdout.write(
            f"{name:3} use % {uses}   to the end % {wholes}   refused % {refused}"
            f"   unfinished {unfinished}   {minutes:5.1f} min   ({spent:.1f} s)\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
