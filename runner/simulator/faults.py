"""Things that go wrong on purpose: each kind of fault turned into what the caller sees."""

from runner.simulator import errors
from runner.simulator.ask import Api
from runner.simulator.exchange import Exchange
from runner.simulator.scenario import Fault
from runner.simulator.wire import GoneError

_PROXY_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head>\n"
    "<body><h1>Something is wrong</h1><p>The proxy could not reach the server.</p></body></html>\n"
)
_ERROR_STATUS = 500
# Lets the caller read what was sent: a reset throws away what it has not read yet.
_READING_S = 0.03


def error_of(api: Api, fault: Fault) -> errors.ApiError:
    """Make the API's own error for a fault that is told in words."""
    details = {
        "message": fault.message,
        "code": fault.code,
        "retry_after_s": fault.retry_after_s,
    }
    if fault.kind == "quota":
        return errors.quota(api, **details)
    if fault.kind == "overloaded" or (fault.kind == "error_event" and fault.status is None):
        return errors.overloaded(api, **details)
    default = {"auth": 401, "rate_limit": 429}.get(fault.kind, _ERROR_STATUS)
    return errors.by_status(api, fault.status or default, **details)


async def before_the_answer(exchange: Exchange, api: Api, fault: Fault) -> bool:
    """Let a fault happen that comes before the first byte; return whether it was one.

    Raises:
        ApiError: the fault is a refusal.
        GoneError: the caller left during a stall.
    """
    if fault.kind in {"status", "rate_limit", "quota", "auth", "overloaded"}:
        raise error_of(api, fault)
    if fault.kind in {"garbage", "empty"}:
        await _nonsense(exchange, fault)
        return True
    if fault.kind in {"reset", "close", "stall"} and fault.after_tokens is None:
        await cut(exchange, fault)
        return True
    return False


async def cut(exchange: Exchange, fault: Fault) -> None:
    """End the connection as a `reset`, `close` or `stall` does.

    Raises:
        GoneError: the caller left during a stall.
    """
    if fault.kind == "stall":
        await exchange.wire.sleep_until(
            None if fault.seconds is None else exchange.now() + fault.seconds
        )
    if fault.kind == "reset":
        try:
            await exchange.wire.sleep_until(exchange.now() + _READING_S)
        except GoneError:
            return
        await exchange.wire.reset()
    else:
        await exchange.wire.close()


async def _nonsense(exchange: Exchange, fault: Fault) -> None:
    text = "" if fault.kind == "empty" else _PROXY_PAGE if fault.body is None else fault.body
    kind = "application/json" if text.startswith(("{", "[")) else "text/html; charset=utf-8"
    await exchange.reply(fault.status or 200, kind, text.encode())
