"""Tokens summed up over a run."""

from dataclasses import dataclass

from runner.models import Status, Usage


@dataclass(slots=True)
class Tokens:
    """Sums over the records of a run, so far as they say what they used."""

    input: int = 0
    output: int = 0
    cached: int = 0
    known: int = 0
    """Records that say some usage."""
    unknown: int = 0
    """Answers, whole or partial, that do not say or not fully say what they used."""

    def add(self, status: Status, usage: Usage | None) -> None:
        """Add one record; a failure without usage is no unknown answer."""
        if usage is not None:
            self.known += 1
            self.input += usage.input_tokens or 0
            self.output += usage.output_tokens or 0
            self.cached += usage.cached_input_tokens or 0
        if status != "failed" and not _is_full(usage):
            self.unknown += 1


def _is_full(usage: Usage | None) -> bool:
    return (
        usage is not None
        and usage.complete
        and usage.input_tokens is not None
        and usage.output_tokens is not None
    )
