"""One attempt: one request sent, bounded by deadlines, noted in the job's list of attempts."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from anyio import fail_after, get_cancelled_exc_class, to_thread
from msgspec import UNSET, Raw

from runner.clock import Clock, rfc3339
from runner.engine.outcome import Recording
from runner.engine.turn import Turn
from runner.errors import ProviderError
from runner.events import AttemptStarted, DeltaReceived, Event
from runner.models import AttemptRecord, Completion, Usage
from runner.pricing.attempts import cost_of_failure
from runner.pricing.tiers import lane_served
from runner.providers.base import Assembly, Provider
from runner.settings import Deadlines
from runner.words import duration


class InFlight(Protocol):
    """The journal, as the engine sees it."""

    def sent(self, job_id: str, digest: str, at: str) -> None:
        """Note that a request is about to go out."""

    def withdrawn(self, job_id: str) -> None:
        """Note that nothing of this job is under way any more, and no record will come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempts:
    """Makes attempts; shared by all workers of a shard."""

    clock: Clock
    emit: Callable[[Event], None]
    journal: InFlight
    deadlines: Deadlines
    recording: Recording
    stream: bool
    """Stream every answer, because somebody is watching."""

    async def make(self, turn: Turn, provider: Provider) -> Completion:
        """Ask once.

        Raises ProviderError for a failure, deadlines included, and WriteError where the attempt
        could not be noted and was not made. Cancelled, it closes the connection
        and leaves what had come in `turn.assembly`. Every attempt made is in the job's list.
        """
        if turn.job.request.files:
            body = await to_thread.run_sync(self._prepare, turn, provider)
        else:
            body = self._prepare(turn, provider)
        at = rfc3339(self.clock.now())
        # Before the request: after a kill the next run must know that it may have been sent.
        self.journal.sent(turn.job.id, turn.job.digest, at)
        began = self.clock.monotonic()
        if turn.started_at is None:
            turn.started_at, turn.started = at, began
        number = turn.tries + turn.refusals + 1
        self.emit(AttemptStarted(turn.job, number))
        note = _Note(turn, self.recording, at, began, self.clock)
        try:
            completion = await self._within_deadline(turn, provider, body)
            if self.recording.judge is not None:
                completion = self.recording.judge(turn.job, completion)
        except ProviderError as error:
            note.failed(error)
            raise
        except get_cancelled_exc_class():
            came = turn.assembly.completion() if turn.assembly else Completion()
            note.write("interrupted", came.request_id, came.usage)
            raise
        except Exception:
            note.write("internal", None, None)
            raise
        note.write("ok", completion.request_id, completion.usage, completion.service_tier)
        return completion

    def _prepare(self, turn: Turn, provider: Provider) -> dict[str, Any]:
        job, request = turn.job, turn.request_at_tier()
        body = provider.body(job.model, request, stream=self.stream)
        turn.streamed = self.stream
        if not self.stream and provider.must_stream(body):
            body = provider.body(job.model, request, stream=True)
            turn.streamed = True
        turn.assembly = provider.assembly() if turn.streamed else None
        turn.first_token_s = None
        if self.recording.request:
            turn.request = Raw(msgspec.json.encode(body))
        return body

    async def _within_deadline(
        self, turn: Turn, provider: Provider, body: dict[str, Any]
    ) -> Completion:
        limit = self.deadlines.attempt_s
        if self.deadlines.job_s is not None:
            left = self.deadlines.job_s - (self.clock.monotonic() - turn.started - turn.gated_s)
            limit = min(limit, max(left, 0.0))
        try:
            if turn.assembly is None:
                timeout_s = self.deadlines.attempt_s
                return await provider.complete(body, timeout_s=timeout_s, within_s=limit)
            with fail_after(limit):
                return await self._streamed(turn, turn.assembly, provider, body)
        except TimeoutError:
            raise self._too_late(turn, limit) from None

    async def _streamed(
        self, turn: Turn, assembly: Assembly, provider: Provider, body: dict[str, Any]
    ) -> Completion:
        events = provider.stream(
            body, assembly, timeout_s=self.deadlines.attempt_s, idle_s=self.deadlines.idle_s
        )
        async with aclosing(events) as deltas:
            async for delta in deltas:
                if turn.first_token_s is None:
                    turn.first_token_s = self.clock.monotonic() - turn.started
                    if turn.begun is not None:
                        turn.begun()
                if self.stream:
                    self.emit(DeltaReceived(turn.job, delta.text, delta.kind))
        return assembly.completion()

    def _too_late(self, turn: Turn, limit: float) -> ProviderError:
        given, option = self.deadlines.attempt_s, "--attempt-timeout"
        if self.deadlines.job_s is not None and limit < given:
            given, option = self.deadlines.job_s, "--job-timeout"
        return ProviderError(
            "timeout",
            f"no answer within {duration(given)} ({option})",
            retryable=True,
            interruption="deadline",
            completion=turn.assembly.completion() if turn.assembly else None,
        )


class _Note(msgspec.Struct, frozen=True):
    turn: Turn
    recording: Recording
    at: str
    began: float
    clock: Clock

    def write(
        self, outcome: str, request_id: str | None, usage: Usage | None, told: str | None = None
    ) -> None:
        cost = None if usage is None else self._price(usage, told)
        self._write(outcome, request_id, usage, cost, told)

    def failed(self, error: ProviderError) -> None:
        came = error.completion or Completion()
        told = came.service_tier
        cost = cost_of_failure(error, lambda usage: self._price(usage, told))
        self._write(error.kind, error.request_id, came.usage, cost, told, error.retry_after_s)

    def _price(self, usage: Usage, told: str | None) -> float | None:
        return self.recording.price(self.turn.job, usage, self.turn.asked_lane, told)

    def _write(
        self,
        outcome: str,
        request_id: str | None,
        usage: Usage | None,
        cost_usd: float | None,
        told: str | None,
        retry_after_s: float | None = None,
    ) -> None:
        lane = self.turn.served = lane_served(self.turn.tier, told)
        most = self.recording.worst_case(self.turn.job) if cost_usd is None else None
        self.turn.attempts.append(
            AttemptRecord(
                run=self.recording.run_id,
                started_at=self.at,
                duration_s=self.clock.monotonic() - self.began,
                outcome=outcome,
                request_id=request_id,
                usage=usage,
                retry_after_s=retry_after_s,
                cost_usd=cost_usd,
                at_most_usd=UNSET if most is None else most,
                lane=UNSET if lane == "live" else lane,
            )
        )
