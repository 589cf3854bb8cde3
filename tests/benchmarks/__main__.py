"""`python -m tests.benchmarks [ROW ...]`: every comparison side by side, in one go.

Prints ratios with their spread. Nothing else should run on the machine meanwhile; `--smoke` only
shows that each row works.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import asked, files, latency, memory, others, starts
from tests.benchmarks.rows import Outcome, Row, Size

ROWS = (*asked.ROWS, *latency.ROWS, *memory.ROWS, *files.ROWS, *starts.ROWS, *others.ROWS)
SMOKE_SHARE = 0.005


def report(row: Row, outcome: Outcome) -> str:
    """Write what came out."""
    bound = ""
    if row.bound is not None:
        sign = "at least" if row.at_least else "at most"
        bound = f", {sign} {row.bound:g}{'' if row.held(outcome) else ': NOT MET'}"
    ratio = "not measured" if outcome.ratio is None else outcome.ratio
    lines = [f"{row.name}: {ratio}{bound}", f"  {row.about}"]
    return "\n".join([*lines, *(f"  {line}" for line in outcome.said)]) + "\n"


def main() -> int:
    """Measure the rows asked for, all by default; 1 where one does not meet its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names, all by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run")
    parser.add_argument("--smoke", action="store_true", help="few jobs, one round")
    parser.add_argument("--list", action="store_true", help="name the rows")
    asked = parser.parse_args()
    rows = [row for row in ROWS if not asked.rows or row.name in asked.rows]
    if asked.list or not rows:
        sys.stdout.write("".join(f"{row.name:14} {row.about}\n" for row in ROWS))
        return 0 if asked.list else 2
    size = Size(rounds=asked.rounds, share=1.0)
    if asked.smoke:
        size = Size(rounds=1, share=SMOKE_SHARE)
    held = True
    for row in rows:
        with tempfile.TemporaryDirectory(prefix="runner-benchmark-") as folder:
            outcome = row.measure(Path(folder), size)
        sys.stdout.write(report(row, outcome))
        sys.stdout.flush()
        held = held and row.held(outcome)
    return 0 if held or asked.smoke else 1


if __name__ == "__main__":
    sys.exit(main())
