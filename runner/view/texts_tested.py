"""What `runner providers --test` found out, as pure text."""

from collections.abc import Sequence

from msgspec import Struct

from runner.models import ErrorRecord, FinishReason, Usage
from runner.quota import Gauge, Quota
from runner.view.layout import wrap
from runner.words import command_line, count, money, plural, printable, short_time


class Tested(Struct, frozen=True, kw_only=True):
    """What one provider did with one tiny request; null is what is not known."""

    provider: str
    model: str | None
    works: bool | None
    """None where it was not asked."""
    not_tested: str | None = None
    """Why it was not asked."""
    reachable: bool | None = None
    """Whether a server answered at all, be it with an error."""
    latency_s: float | None = None
    """From the request to the end of the answer, or of the failure."""
    response_model: str | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    limits: Quota | None = None
    """What the headers said of the account's limits a minute; None where they said nothing."""
    error: ErrorRecord | None = None
    refused: bool = False
    """The account was refused: bad key, no credit, spend limit."""

    @property
    def name(self) -> str:
        """`provider/model`, or the provider alone."""
        return self.provider if self.model is None else f"{self.provider}/{self.model}"


def sending_text(asked: Sequence[Tested], max_tokens: int) -> str:
    """Say what is about to be sent, and so what it costs."""
    names = ", ".join(printable(one.name) for one in asked)
    each = "" if len(asked) == 1 else "each of "
    return wrap(
        f"Sending one request of about 10 tokens, and at most {max_tokens} in answer, to "
        f"{each}{names}."
    )


def tested_text(found: Sequence[Tested]) -> str:
    """Say provider by provider what was learnt, then how many work."""
    lines = []
    for one in found:
        lines += [wrap(line, indent="    ") for line in _lines(one)]
    asked = [one for one in found if one.works is not None]
    working = sum(one.works is True for one in asked)
    verb = "works" if len(asked) == 1 else "work"
    lines.append(f"{count(working)} of {count(len(asked))} {verb}.")
    return "\n".join(lines)


def no_model_text(provider: str) -> str:
    """Say that nobody knows which model to ask, and how to name it."""
    again = command_line(["providers", "--test", f"{provider}/MODEL"])
    return f"no model is known. Name one:  {again}"


def _lines(one: Tested) -> list[str]:
    head = printable(one.name)
    if one.works is None:
        return [f"{head}: not tested: {one.not_tested}"]
    took = short_time(one.latency_s)
    if one.error is not None:
        where = "" if one.reachable else ", not reached"
        code = "" if one.error.http_status is None else f", {one.error.http_status}"
        kind = f"{one.error.kind}{code}{where}, after {took}"
        return [f"{head}: fails ({kind}): {printable(one.error.message)}", *_limits(one.limits)]
    lines = [f"{head}: works, answered in {took}", f"  answer     {_answer(one)}"]
    return [*lines, *_limits(one.limits)]


def _answer(one: Tested) -> str:
    own_cap = " (the test's own cap)" if one.finish_reason == "length" else ""
    parts = [f"finish reason {one.finish_reason}{own_cap}"]
    usage = one.usage
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        parts.append("no token counts: usage and cost will be unknown")
    else:
        tokens = f"{count(usage.input_tokens)} tokens in, {count(usage.output_tokens)} out"
        parts.append(tokens)
    if one.cost_usd is not None:
        parts.append(money(one.cost_usd))
    if one.response_model is not None and one.response_model != one.model:
        parts.append(f"from {printable(one.response_model)}")
    return ", ".join(parts)


def _limits(quota: Quota | None) -> list[str]:
    if quota is None or not quota.told:
        return ["  limits     not told in its headers"]
    gauges = (
        (quota.requests, "request"),
        (quota.tokens, "token"),
        (quota.input_tokens, "input token"),
        (quota.output_tokens, "output token"),
    )
    parts = [_gauge(gauge, noun) for gauge, noun in gauges if gauge != Gauge()]
    return [f"  limits     a minute: {', '.join(parts)}"]


def _gauge(gauge: Gauge, noun: str) -> str:
    if gauge.limit is None:
        return f"{plural(gauge.remaining or 0, noun)} left"
    left = "" if gauge.remaining is None else f" ({count(gauge.remaining)} left)"
    return f"{plural(gauge.limit, noun)}{left}"
