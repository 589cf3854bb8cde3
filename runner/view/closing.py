"""The closing line of `tail`, as pure text over a result."""

from collections.abc import Sequence

from runner.errors import ProviderError
from runner.models import Result, Usage
from runner.view.layout import wrap
from runner.words import count, duration, money, plural, printable

WAITING_FOR_STDIN = "-- waiting for stdin: Ctrl-D ends it, --no-stdin ignores it"
"""Said after a second of silence."""

_OUR_STOPS = {"sigint", "sigterm", "sighup", "closed_pipe"}
_BREAKS = {
    "connection": "the connection closed",
    "truncated_stream": "the stream ended without its end mark",
    "deadline": "the time for one attempt was over",
    "idle": "nothing more came",
}


def closing_line(result: Result, *, max_tokens: int | None = None) -> str | None:
    """Sum up one answer; None for a failure, which is an error message instead.

    `max_tokens`: the cap that was sent, where one was.
    """
    if result.status == "failed":
        return None
    if result.interruption is None:
        return wrap("-- " + _ended(result, max_tokens), indent="   ")
    if result.interruption.reason in _OUR_STOPS:
        parts = [
            f"stopped, {_received(result)} received",
            *_first(result),
            _cost_or_unknown(result),
        ]
        return wrap("-- " + ", ".join(parts), indent="   ")
    reason = result.interruption.reason
    why = _BREAKS.get(reason) or printable(result.interruption.message).rstrip(".")
    text = f"-- broken off after {_received(result)}: {why}."
    return wrap(f"{text} The text above is all." if result.text else text, indent="   ")


def broken_off(result: Result) -> bool:
    """Whether an answer ended before its end although nobody stopped it."""
    return result.interruption is not None and result.interruption.reason not in _OUR_STOPS


def failure_text(provider: str, message: str) -> str:
    """Say why there is no answer."""
    return wrap(f"{printable(provider)}: {printable(message)}")


def retry_text(error: ProviderError, delay_s: float) -> str:
    """Say that the question is asked again, before anything was shown."""
    return wrap(f"-- {printable(error.message)}; asking again in {duration(delay_s)}", indent="   ")


def _ended(result: Result, max_tokens: int | None) -> str:
    tokens = _output_tokens(result.usage)
    parts = ["tokens unknown" if tokens is None else plural(tokens, "token")]
    parts += [*_first(result), *_rate(result, tokens), *_cost(result), *_model(result)]
    line = ", ".join(parts)
    if result.finish_reason == "length":
        cap = "" if max_tokens is None else f" ({max_tokens})"
        return f"cut off at max_tokens{cap}, not complete. {line}"
    return line


def _output_tokens(usage: Usage | None) -> int | None:
    """Count the tokens of the answer; a count from before the stream's end is none."""
    return usage.output_tokens if usage is not None and usage.complete else None


def _received(result: Result) -> str:
    tokens = _output_tokens(result.usage)
    if tokens is not None:
        return plural(tokens, "token")
    return plural(len(result.text or ""), "character")


def _first(result: Result) -> Sequence[str]:
    first = result.time_to_first_token_s
    if first is None:
        return []
    # `duration` writes whole numbers without a fraction: "0s" would claim more than is known.
    told = "0.0s" if first < 0.05 else duration(round(first, 1))
    return [f"first after {told}"]


def _rate(result: Result, tokens: int | None) -> Sequence[str]:
    """Say tokens per second from the first one on, where both ends are known."""
    if tokens is None or result.duration_s is None or result.time_to_first_token_s is None:
        return []
    writing_s = result.duration_s - result.time_to_first_token_s
    return [f"{count(round(tokens / writing_s))}/s"] if writing_s > 0 and tokens > 1 else []


def _cost(result: Result) -> Sequence[str]:
    return [] if result.cost_usd is None else [money(result.cost_usd)]


def _cost_or_unknown(result: Result) -> str:
    return "cost unknown" if result.cost_usd is None else money(result.cost_usd)


def _model(result: Result) -> Sequence[str]:
    if result.model is None:
        return []
    name = result.model if result.provider is None else f"{result.provider}/{result.model}"
    return [printable(name)]
