"""What to make of a batch that failed validation: no row was asked, nothing is billed. Pure."""

from typing import Literal, NamedTuple

from runner.errors import ProviderError
from runner.lanes.chunk import Chunk
from runner.providers.batches.base import Batch

TOO_MUCH = frozenset({"token_limit_exceeded", "too_many_tasks", "file_too_large"})
"""Smaller batches, one after the other, may be taken."""
QUEUE_FULL = "token_limit_exceeded"
"""Batches that are out have to end first."""


class Plan(NamedTuple):
    """What is done about it."""

    act: Literal["wait", "halve", "leave_out", "give_up", "unknown_model"]
    error: ProviderError
    rows: dict[int, ProviderError]
    """The rows at fault, with what is wrong with each."""


def plan_for(chunk: Chunk, batch: Batch, *, others_out: bool) -> Plan:
    """Decide. `others_out`: whether other batches take room in the same queue."""
    rows = {
        fault.line - 1: fault.error
        for fault in batch.faults
        if fault.line is not None and 0 < fault.line <= chunk.rows
    }
    error = batch.faults[0].error if batch.faults else _unsaid(batch)
    if error.code == QUEUE_FULL and others_out:
        return Plan("wait", error, {})
    if error.code in TOO_MUCH and chunk.rows > 1:
        return Plan("halve", error, {})
    if error.kind == "not_found" and len({fault.error.code for fault in batch.faults}) == 1:
        return Plan("unknown_model", error, rows)
    return Plan("leave_out" if rows else "give_up", error, rows)


def _unsaid(batch: Batch) -> ProviderError:
    words = f"the provider refused batch {batch.id} and did not say why"
    return ProviderError("invalid_request", words, retryable=False)
