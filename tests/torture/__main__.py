"""`python -m tests.torture NAME [--long] [--seed N] [--folder DIR]`: run one harness, or `all`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.torture.harnesses import HARNESSES


def main() -> int:
    """Run what was named; 1 if a promise did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("name", choices=[*HARNESSES, "all"])
    parser.add_argument("--long", action="store_true", help="the long form")
    parser.add_argument("--seed", type=int, default=1, help="another course of events")
    parser.add_argument("--folder", type=Path, help="work here, and leave what was written")
    asked = parser.parse_args()
    failed = False
    for name in HARNESSES if asked.name == "all" else [asked.name]:
        with tempfile.TemporaryDirectory(prefix="runner-torture-") as temporary:
            began = time.monotonic()
            folder = Path(asked.folder or temporary) / name
            report = HARNESSES[name](folder, long=asked.long, seed=asked.seed)
            report.figures["seconds"] = round(time.monotonic() - began, 1)
            sys.stdout.write(report.text())
            sys.stdout.flush()
            failed = failed or bool(report.broken)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
