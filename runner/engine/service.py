"""What happens to a turn at a worker: an attempt, then its end or the wait before the next."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from anyio import (
    BrokenResourceError,
    CancelScope,
    WouldBlock,
    get_cancelled_exc_class,
)
from anyio.streams.memory import MemoryObjectSendStream

from runner.clock import Clock, loop_time
from runner.engine.attempt import Attempts
from runner.engine.breakers import ALIKE, Breakers
from runner.engine.halts import NO_ADMISSION_S, Halts
from runner.engine.hold import Hold
from runner.engine.outcome import Recording, answered, failed, refused, stopped
from runner.engine.retry import Again, GiveUp, RetryPolicy, decide
from runner.engine.stop import Stop, recorded
from runner.engine.turn import Turn
from runner.errors import LineProblem, ProviderError, WriteError, internal_error
from runner.events import JobFinished, JobLeft, ModelHalted, ProviderHalted, RetryScheduled
from runner.models import Job, Result
from runner.pricing.tiers import own_tier
from runner.providers.base import Provider


def always(_: Job) -> bool:
    """Allow every retry."""
    return True


@dataclass(frozen=True, kw_only=True)
class Service:
    """Serves turns for the workers of one shard."""

    attempts: Attempts
    open_provider: Callable[[Job], Awaitable[Provider]]
    """Gives the provider of a job; raises ProviderError where it cannot be opened."""
    results: MemoryObjectSendStream[Result]
    policy: RetryPolicy
    random: Random
    stop: Stop
    hold: Hold
    halts: Halts = field(default_factory=Halts)
    breakers: Breakers = field(default_factory=Breakers)
    fallback: bool = False
    """Where flex has no capacity, ask at the standard tier."""
    keep_costs: bool = False
    """Record also a job that is not asked on, where its requests may have cost something."""
    may_retry: Callable[[Job], bool] = always
    """False forbids another attempt in this run: the job's text was shown."""

    async def serve(self, turn: Turn) -> float | None:
        """Make one attempt. None: the turn has ended; else the seconds before its next attempt.

        What became of the request is told to the turn's grant.

        Cancelled with a request out, it records what had come as interrupted and then lets the
        cancellation go on.
        """
        if not await self._may_start(turn):
            await self.part(turn)
            return None
        try:
            provider = await self.open_provider(turn.job)
            if self.hold.shut:
                return 0.0
            completion = await self.attempts.make(turn, provider)
        except ProviderError as error:
            now = loop_time()
            gated_s = tell_failure(
                turn,
                error,
                self.policy.longest_retry_after_s,
                now,
                falls_back=self._falls_back(turn, error),
            )
            return await self._after_failure(turn, error, now, gated_s)
        except get_cancelled_exc_class():
            await self._cut_off(turn)
            raise
        except WriteError as error:
            # The journal cannot be written: nothing may be sent that a kill would forget.
            self.hold.unnoted(error)
            return 0.0
        except Exception as bug:  # noqa: BLE001 - one odd answer must not end a night's run
            now = loop_time()
            turn.grant.failed(now, None)
            return await self._after_failure(turn, internal_error(bug), now)
        turn.grant.answered(loop_time(), completion.usage, completion.quota)
        turn.tries += 1
        self.halts.admitted(turn.job.provider)
        self.breakers.answered(turn.job.provider, turn.job.model)
        # From here to the record nothing may be lost: the answer is paid for.
        await self._record(answered(turn, completion, self._clock, self._recording))
        return None

    async def _may_start(self, turn: Turn) -> bool:
        if self.hold.shut:
            try:
                turn.gated_s += await self.hold.passed()
            except get_cancelled_exc_class():
                await self.part(turn)
                raise
        return not (self.stop.draining or self.is_halted(turn.job))

    def is_halted(self, job: Job) -> bool:
        """Whether nothing new may be sent where a job goes."""
        return self.halts.halted(job.provider, job.model)

    def asks_flex(self, job: Job) -> bool:
        """Whether the lane asks for the flex tier where a job leaves it open."""
        return self._recording.lane == "flex" and own_tier(job.request.params) is None

    def _falls_back(self, turn: Turn, error: ProviderError) -> bool:
        return self.fallback and turn.flex and error.no_capacity

    def leave(self, turn: Turn, error: ProviderError | None = None) -> None:
        """End a turn without a record, after `error`; the next run takes the job up."""
        self.attempts.journal.withdrawn(turn.job.id)
        self.attempts.emit(JobLeft(turn.job, error, tuple(turn.attempts)))

    async def part(self, turn: Turn, error: ProviderError | None = None) -> None:
        """End a turn, after `error`, of which no more is asked in this run.

        Where money is counted, what its requests may have cost must not be forgotten.
        """
        error = error or turn.error
        if self.keep_costs and error is not None and self._owes(turn):
            await self._record(failed(turn, error, self._clock, self._recording))
        else:
            self.leave(turn, error)

    def _owes(self, turn: Turn) -> bool:
        run = self._recording.run_id
        return any(one.cost_usd != 0 for one in turn.attempts if one.run == run)

    async def refuse(self, problem: LineProblem) -> None:
        """Record a line that is not a job."""
        await self._record(refused(problem, self._clock))

    async def _after_failure(
        self, turn: Turn, error: ProviderError, now: float, gated_s: float = 0.0
    ) -> float | None:
        hopeless = self._halt_if_hopeless(turn, error)
        if hopeless and error.interruption is None:
            await self.part(turn, error)
            return None
        # An account that is refused in the middle of an answer takes nothing back of what came.
        decision = GiveUp() if hopeless else self._decide(turn, error)
        if isinstance(decision, GiveUp):
            if decision.note:
                error.message = f"{error.message}; {decision.note}"
            await self._record(failed(turn, error, self._clock, self._recording))
            self._halt_if_alike(turn.job, error)
            return None
        if self.stop.draining or self.is_halted(turn.job):
            await self.part(turn, error)
            return None
        delay = decision.delay_s
        if not (self.keep_costs and self._owes(turn)):
            self.attempts.journal.withdrawn(turn.job.id)
        if is_refusal(error):
            turn.refused_at, delay = now, round(gated_s, 6)
        turn.error = error
        falls_back = self._falls_back(turn, error)
        turn.flex = turn.flex and not falls_back
        self.attempts.emit(RetryScheduled(turn.job, error, delay, falls_back))
        return delay

    def _halt_if_hopeless(self, turn: Turn, error: ProviderError) -> bool:
        name = turn.job.provider
        if error.kind == "rate_limit" or self._falls_back(turn, error):
            turn.refusals += 1
        else:
            turn.tries += 1
        if not is_refusal(error):
            if not (error.fatal or error.unsent):
                self.halts.admitted(name)
        elif self.halts.refused(name, self._clock.monotonic()):
            minutes = NO_ADMISSION_S / 60
            error.message += f"; not one request was let through for {minutes:.0f} minutes"
            error.fatal = True
        if error.fatal and self.halts.halt(name, error):
            self.attempts.emit(ProviderHalted(name, error))
        return error.fatal

    def _halt_if_alike(self, job: Job, error: ProviderError) -> None:
        alike = self.breakers.failed(job.provider, job.model, error)
        if alike >= ALIKE and self.halts.halt_model(job.provider, job.model):
            self.attempts.emit(ModelHalted(job.provider, job.model, error, alike))

    def _decide(self, turn: Turn, error: ProviderError) -> Again | GiveUp:
        if not self.may_retry(turn.job):
            return GiveUp()
        # Asked elsewhere, it need not wait, and no try was spent.
        decision = Again(0.0) if self._falls_back(turn, error) else self._after_try(turn, error)
        limit = self.attempts.deadlines.job_s
        if limit is None or isinstance(decision, GiveUp):
            return decision
        wait = 0.0 if error.kind == "rate_limit" else decision.delay_s
        spent = self._clock.monotonic() - turn.started - turn.gated_s
        return (
            GiveUp("--job-timeout leaves no time to ask again")
            if spent + wait >= limit
            else decision
        )

    def _after_try(self, turn: Turn, error: ProviderError) -> Again | GiveUp:
        return decide(
            error,
            tries=turn.tries,
            refusals=turn.refusals,
            policy=self.policy,
            draw=self.random.random(),
        )

    async def _cut_off(self, turn: Turn) -> None:
        if turn.started_at is None:
            await self.part(turn)
            return
        if self.stop.reason is None:
            # Records cannot be written any more: the journal alone still says that it was sent.
            self.attempts.emit(JobLeft(turn.job, attempts=tuple(turn.attempts)))
            return
        reason, message = recorded(self.stop.reason)
        turn.grant.failed(loop_time(), None)
        await self._record(stopped(turn, reason, message, self._clock, self._recording))

    async def _record(self, result: Result) -> None:
        self.attempts.emit(JobFinished(result))
        try:
            try:
                self.results.send_nowait(result)
            except WouldBlock:
                # The one place that is shielded: a paid answer is never dropped by a cancellation.
                with CancelScope(shield=True):
                    await self.results.send(result)
        except BrokenResourceError:
            # The writer has failed and says why itself; here it only remains to stop.
            self.stop.cancel()

    @property
    def _clock(self) -> Clock:
        return self.attempts.clock

    @property
    def _recording(self) -> Recording:
        return self.attempts.recording


def is_refusal(error: ProviderError) -> bool:
    """Whether a request was refused for rate; in the middle of an answer it was let in."""
    return error.kind == "rate_limit" and error.interruption is None


def tell_failure(
    turn: Turn, error: ProviderError, longest_s: float, now: float, *, falls_back: bool = False
) -> float:
    """Tell the pace what a failure says of the server; it waits `longest_s` seconds at most.

    Gives the seconds for which a refused job has to wait; 0 for other failures. `falls_back`: the
    job will be asked at the standard tier.
    """
    usage = error.completion.usage if error.completion else None
    if error.unsent:
        return 0.0  # closing the grant takes it back
    if is_refusal(error):
        asked = error.retry_after_s
        return turn.grant.refused(
            now, None if asked is None else min(asked, longest_s), error.quota
        )
    if error.no_capacity and turn.asks_flex:
        turn.grant.turned_away(now, error.quota, comes_again=falls_back)
    elif error.kind == "schema" or (usage is not None and usage.complete):
        turn.grant.answered(now, usage, error.quota)
    else:
        turn.grant.failed(now, error.quota, overloaded=error.kind == "overloaded")
    return 0.0
