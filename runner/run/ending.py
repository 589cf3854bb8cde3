"""From how a run went to the exit code. Pure; the order of precedence is the contract's."""

from dataclasses import dataclass

from runner.engine.stop import LIMITS, StopReason
from runner.errors import ExitCode, RunnerError
from runner.results.compact import Compacted
from runner.settings import Allowance
from runner.view.tally import Tally

STOP_CODES: dict[StopReason, ExitCode] = {
    "sigint": ExitCode.SIGINT,
    "sigterm": ExitCode.SIGTERM,
    "sighup": ExitCode.SIGHUP,
    "closed_pipe": ExitCode.CLOSED_PIPE,
    "deadline": ExitCode.LIMIT,
    "failures": ExitCode.LIMIT,
    "budget": ExitCode.LIMIT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How the work of a batch ended, beside what the tally counts."""

    stopped_by: StopReason | None = None
    unread: bool = False
    """A stream had not ended: what it still holds was not asked."""
    other_questions: int = 0
    """Jobs of a stream whose recorded answers are to other questions, and were kept."""
    input_changed: str | None = None
    """What to say where the input was no longer the one that was checked."""
    failure: Exception | None = None
    """Results could not be written, or something unforeseen."""
    compacted: Compacted | None = None


def exit_code(tally: Tally, outcome: Outcome, allowance: Allowance) -> ExitCode:
    """Choose the code; a signal and a limit count only where they left work undone."""
    if isinstance(outcome.failure, RunnerError):
        return outcome.failure.exit_code
    unanswered = tally.undone + tally.interrupted + tally.failed + outcome.other_questions
    stopped = outcome.stopped_by
    if stopped is not None and not (tally.undone or tally.interrupted or outcome.unread):
        stopped = None
    if stopped is not None and stopped not in LIMITS:
        return STOP_CODES[stopped]
    if tally.halted_models or any(error.kind != "internal" for error in tally.halted.values()):
        return ExitCode.ACCOUNT
    if stopped is not None:
        return STOP_CODES[stopped]
    if outcome.input_changed is not None or outcome.failure is not None:
        return ExitCode.SOME_UNANSWERED
    total = tally.finished + tally.undone if tally.total is None else tally.total
    if unanswered == 0 or allowance.covers(unanswered, total):
        return ExitCode.OK
    return ExitCode.SOME_UNANSWERED
