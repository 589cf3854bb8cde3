"""The writer beside whoever makes results, and the gate for when nothing can be written."""

from collections.abc import Awaitable, Callable

from anyio import create_memory_object_stream, create_task_group
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from runner.engine.hold import Hold
from runner.engine.stop import Stop
from runner.errors import RunnerError
from runner.models import Result
from runner.results.output import Output
from runner.results.writer import OnWritten, write_results


async def seen_written(
    make: Callable[[MemoryObjectSendStream[Result]], Awaitable[None]],
    *,
    output: Output | None,
    on_written: OnWritten,
    hold: Hold,
    stop: Stop,
    ahead: int,
) -> None:
    """Let `make` hand results on, and see every one of them written.

    `ahead`: how many may wait for the writer. Raises WriteError (or BrokenPipeError for stdout) of
    the writer before anything else, then what `make` raised.
    """
    send, receive = create_memory_object_stream[Result](ahead)
    failures: list[Exception] = []

    async def write(receive: MemoryObjectReceiveStream[Result]) -> None:
        try:
            if output is None:
                async with receive:
                    async for result in receive:
                        on_written(result, None)
            else:
                await write_results(receive, output, on_written=on_written, patience=hold)
        except Exception as error:  # noqa: BLE001 - raised below, as the one true cause
            failures.insert(0, error)
            # What cannot be recorded must not be paid for.
            stop.cancel()

    async with create_task_group() as watch:
        watch.start_soon(hold.run)
        async with create_task_group() as group:
            group.start_soon(write, receive)
            try:
                with send:  # or the writer would wait for ever where nothing comes about
                    await make(send)
            except Exception as error:  # noqa: BLE001 - raised below, once the writer has ended
                failures.append(_cause(error))
            if hold.failure is not None:
                # Jobs were left because of it, even if what had come could be written.
                failures.insert(0, hold.failure)
        watch.cancel_scope.cancel()
    if failures:
        raise failures[0]


def _cause(error: Exception) -> Exception:
    """Of what several workers raised at once, take one; what is meant for a person comes first."""
    while isinstance(error, ExceptionGroup):
        inner: tuple[Exception, ...] = error.exceptions
        error = next((one for one in inner if isinstance(one, RunnerError)), inner[0])
    return error
