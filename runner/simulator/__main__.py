"""`python -m runner.simulator`: the simulator as somebody's child, without Click."""

import argparse
import sys

from runner.simulator.loading import ScenarioError
from runner.simulator.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m runner.simulator",
        description="Serve the provider protocols on loopback.",
    )
    parser.add_argument("scenario", nargs="?", default="steady", help="built-in name or TOML file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any that is free")
    parser.add_argument(
        "--exit-with-stdin",
        action="store_true",
        help="end when stdin does and leave signals to the parent",
    )
    given = parser.parse_args(arguments)
    try:
        serve(given.scenario, host=given.host, port=given.port, with_parent=given.exit_with_stdin)
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
