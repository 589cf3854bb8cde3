"""The harnesses by name."""

from pathlib import Path
from typing import Protocol

from tests.torture.batch_lane import batch_lane
from tests.torture.canary import canary
from tests.torture.crashpoints import crashpoints
from tests.torture.disk import disk
from tests.torture.exact import exact
from tests.torture.faults import faults
from tests.torture.fuzz import fuzz
from tests.torture.kill import kill
from tests.torture.memory import memory
from tests.torture.money import money
from tests.torture.pace import pace
from tests.torture.report import Report
from tests.torture.stop import stop


class Harness(Protocol):
    """Plays in a folder and says what it found."""

    def __call__(self, folder: Path, *, long: bool, seed: int) -> Report:
        """Run the long form or the short one; `seed` gives another course of events."""


HARNESSES: dict[str, Harness] = {
    "kill": kill,
    "crashpoints": crashpoints,
    "stop": stop,
    "batch_lane": batch_lane,
    "disk": disk,
    "faults": faults,
    "exact": exact,
    "memory": memory,
    "money": money,
    "pace": pace,
    "canary": canary,
    "fuzz": fuzz,
}
