"""One target under Atheris, in a process of its own: its library ends the process at the end."""

import importlib
import sys
import traceback
from pathlib import Path
from typing import Any


def main() -> None:
    """Run `TARGET FOLDER` and libFuzzer's own arguments; tell each new kind of finding once."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    # Not a dependency, so that its types are not known either.
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["runner"]):
        fuzz: Any = importlib.import_module("tests.torture.fuzz")
    known: set[str] = set()

    def one(data: bytes) -> None:
        try:
            fuzz.feed(name, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
            if place not in known:
                known.add(place)
                kept = folder / f"{name}-finding-{len(known)}"
                kept.write_bytes(data)
                sys.stdout.write(f"FINDING {place}: {str(error)[:200]!r} ({kept})\n")
                sys.stdout.flush()

    atheris.Setup([sys.argv[0], *sys.argv[3:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
