"""Calls of a batch service, repeated where they failed for the moment, until the run is stopped."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from runner.engine.halts import Halts
from runner.engine.stop import Stop
from runner.errors import ProviderError
from runner.events import Event, ProviderHalted
from runner.lanes import patience

_Value = TypeVar("_Value")


class StoppedError(Exception):
    """The run was stopped, or its provider halted, while something was waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Makes the calls of a run, for all chunks."""

    stop: Stop
    emit: Callable[[Event], None]
    draw: Callable[[], float]
    halts: Halts

    async def repeat(
        self,
        provider: str,
        call: Callable[[], Awaitable[_Value]],
        *,
        tries: int | None = patience.CALL_TRIES,
        repeats: Callable[[ProviderError], bool] = lambda error: error.retryable,
    ) -> _Value:
        """Call until it succeeds; None tries for ever.

        Raises ProviderError, and StoppedError where the run was stopped while it waited.
        """
        failures = 0
        while True:
            try:
                return await call()
            except ProviderError as error:
                self.heed(provider, error)
                failures += 1
                if not repeats(error) or (tries is not None and failures >= tries):
                    raise
                await self.pause(patience.back_off(failures, error.retry_after_s, self.draw()))

    async def pause(self, seconds: float) -> None:
        """Wait. Raises StoppedError, and at once, where the run is stopped."""
        if not await self.stop.pause(seconds):
            raise StoppedError

    def check(self, provider: str, model: str) -> None:
        """Raise StoppedError where nothing new may be sent."""
        if self.stop.draining or self.halts.halted(provider, model):
            raise StoppedError

    def heed(self, provider: str, error: ProviderError) -> None:
        """Note where the account was refused. Raises StoppedError then."""
        if error.fatal:
            if self.halts.halt(provider, error):
                self.emit(ProviderHalted(provider, error))
            raise StoppedError from error
