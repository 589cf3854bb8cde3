"""What a command costs, by the system's own count, and how two commands compare."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run of one command, its child processes included."""

    cpu_s: float
    """User and system."""
    wall_s: float
    peak_kb: int
    """Of the largest single process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A command and where it runs."""

    command: Sequence[str]
    folder: Path
    env: Mapping[str, str]
    codes: tuple[int, ...] = (0,)
    """Exit codes with which it did what was asked."""

    def cost(self) -> Cost:
        """Run it. Raises RuntimeError where it fails."""
        errors = self.folder / "stderr.txt"
        with errors.open("wb") as stderr:
            began = time.monotonic()
            process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
            _, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in self.codes:
            said = errors.read_text("utf-8", "replace")
            raise RuntimeError(f"{self.command}: exit code {process.returncode}\n{said}")
        return Cost(cpu_s=used.ru_utime + used.ru_stime, wall_s=wall, peak_kb=int(used.ru_maxrss))


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several runs."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.least:.3g} to {self.most:.3g})"


def spread(figures: Sequence[float]) -> Spread:
    """Sum up figures."""
    return Spread(statistics.median(figures), min(figures), max(figures))


def interleaved(contenders: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run all contenders in turn, so often; the order turns round with each round."""
    found: dict[str, list[T]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders)
        for name in reversed(names) if number % 2 else names:
            found[name].append(contenders[name]())
    return found


def ratios(these: Sequence[float], those: Sequence[float]) -> Spread:
    """Compare round by round, so that what slows a round down slows both."""
    return spread([one / other for one, other in zip(these, those, strict=True)])
