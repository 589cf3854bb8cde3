"""The event loop's part of a batch in the batch lane."""

import os
import time
from dataclasses import replace
from random import Random

from runner.clock import SystemClock
from runner.errors import UsageError
from runner.lanes.standing import Board
from runner.providers.batches.opening import BatchServices
from runner.run.batch_session import BatchSession
from runner.run.board_log import LoggedBoard
from runner.run.carrying import Opened, carry
from runner.run.ending import Outcome
from runner.run.preparing import Prepared
from runner.run.result_files import earlier_attempts, noted
from runner.run.runtime import Runtime
from runner.run.telling import Teller
from runner.run.working import jobs_of
from runner.view.texts_batches import Left, Standing


async def work_in_batches(prepared: Prepared, teller: Teller, runtime: Runtime) -> Outcome:
    """Send what the plan says in batches, and collect what is out; see `work`."""
    board, over_budget = _board(teller), False
    async with BatchServices(prepared.config, os.environ) as services:
        for provider, model in _models(prepared):
            await services.get(provider, model)
            prepared.book.rates(provider, model)

        async def ask(opened: Opened) -> Exception | None:
            nonlocal over_budget
            session = _session(prepared, teller, services, opened, board)
            failure = await session.attempt(jobs_of(prepared, teller))
            over_budget = session.over_budget
            if prepared.tally.total is None:
                prepared.tally.left += board.rows
            return failure

        outcome = await carry(prepared, teller, runtime, ask)
    troubled = {trouble.chunk.nonce for trouble in board.troubles}
    untroubled = [chunk for chunk in board.chunks if chunk.nonce not in troubled]
    return replace(
        outcome,
        stopped_by=outcome.stopped_by or ("budget" if over_budget else None),
        left=_left(board),
        out=bool(untroubled),
    )


def _board(teller: Teller) -> Board:
    return Board() if teller.log is None else LoggedBoard(log=teller.log)


def _models(prepared: Prepared) -> list[tuple[str, str]]:
    asked = {} if prepared.settings.cancel else dict(prepared.plan.models)
    out = {(chunk.provider, chunk.model): 1 for chunk in prepared.plan.out.chunks}
    return list(asked | out)


def _session(
    prepared: Prepared,
    teller: Teller,
    services: BatchServices,
    opened: Opened,
    board: Board,
) -> BatchSession:
    if prepared.paths is None:
        raise UsageError("--lane batch keeps results; name a file for them with -o.")
    began = time.monotonic()
    teller.follow_batches(lambda: _standing(board, time.monotonic() - began))
    return BatchSession(
        prepared=prepared,
        paths=prepared.paths,
        services=services,
        output=opened.output,
        emit=teller.emit,
        tell=teller.lane,
        stop=opened.stop,
        hold=opened.hold,
        clock=SystemClock(),
        draw=Random().random,  # noqa: S311 - spreads looks in time; nothing secret
        on_written=noted(prepared, opened.journal),
        earlier=lambda job: earlier_attempts(prepared, job),
        board=board,
    )


def _standing(board: Board, elapsed_s: float) -> Standing:
    deadline = board.deadline
    return Standing(
        batches=len(board.chunks),
        done=board.done,
        words=board.words,
        elapsed_s=elapsed_s,
        left_s=None if deadline is None else max(0.0, deadline - time.time()),
    )


def _left(board: Board) -> Left:
    chunks = board.chunks
    return Left(
        batches=[chunk.batch for chunk in chunks if chunk.batch is not None],
        chunks=len(chunks),
        jobs=board.rows,
        providers=list(dict.fromkeys(chunk.provider for chunk in chunks)),
        deadline=board.deadline,
        troubles=[
            (trouble.chunk.batch or trouble.chunk.provider, trouble.chunk.rows, str(trouble.error))
            for trouble in board.troubles
        ],
    )
