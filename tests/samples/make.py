"""Write `samples` anew: `python -m tests.samples.make`, in the root of the repository.

A file that differs from what its command writes in nothing but times and names of this one run is
left as it is.
"""

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest.mock import patch

from runner.cli.main import run
from tests.samples.commands import SAMPLES
from tests.samples.comparing import comparable

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "samples"
OWN = ("RUNNER_", "OPENAI_", "ANTHROPIC_")
"""How the names of variables begin that would change what the commands write."""


def produce(folder: Path) -> dict[str, bytes]:
    """Run every command once, in a `folder` with a copy of `jobs`, and read what it wrote."""
    shutil.copytree(ROOT / "jobs", folder / "jobs")
    with _undisturbed(folder):
        for command in dict.fromkeys(sample.command for sample in SAMPLES):
            code = run(shlex.split(command)[1:])
            if code != 0:
                raise RuntimeError(f"{command} ended with code {code}.")
    return {sample.name: (folder / sample.written).read_bytes() for sample in SAMPLES}


@contextmanager
def _undisturbed(folder: Path) -> Iterator[None]:
    """Stand in `folder`, with nothing piped in and nothing of this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    with (
        Path(os.devnull).open(encoding="utf-8") as nothing,
        patch.object(sys, "stdin", nothing),
        patch.dict(os.environ, {**kept, **home}, clear=True),
        chdir(folder),
    ):
        yield


def main() -> None:
    """Write every sample that is missing or not right."""
    with tempfile.TemporaryDirectory() as folder:
        files = produce(Path(folder))
    sys.stdout.write("\n")
    for name, data in files.items():
        path = FOLDER / name
        if not path.exists() or comparable(name, path.read_bytes()) != comparable(name, data):
            path.write_bytes(data)
            sys.stdout.write(f"written: samples/{name}\n")


if __name__ == "__main__":
    main()
