"""What a model's tokens cost, and what an answer cost. Pure; knows no price list and no request.

Money is counted in whole picodollars (1e-12 USD), so that sums never drift: a price of
0.000001 USD per million tokens still is a whole number per token.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from msgspec import UNSET

from runner.config import TokenPrices
from runner.models import Usage

PICODOLLARS = 10**12
"""In one USD."""
_PER_TOKEN = Decimal(10**6)


def per_token(usd_per_million: Decimal) -> int:
    """Give picodollars a token; what is finer still is rounded up, never to nothing."""
    return int((usd_per_million * _PER_TOKEN).to_integral_value(ROUND_CEILING))


def picodollars(usd: float) -> int:
    """Read an amount as records hold it; exact for what `usd` made."""
    return round(usd * PICODOLLARS)


def usd(amount: int) -> float:
    """Write an amount as records hold it."""
    return amount / PICODOLLARS


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Picodollars a token, for requests whose whole input is longer than `above` tokens."""

    above: int = -1
    input: int
    cached_input: int
    cache_write: int
    cache_write_1h: int
    output: int
    reasoning: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """One model's prices. The step that a request's input reaches holds for all its tokens."""

    steps: tuple[Step, ...]
    """Lowest first."""
    context_window: int | None = None
    """In tokens; None where the price list does not say."""

    def step(self, input_tokens: int) -> Step:
        """Find the prices of a request by the tokens of its input."""
        reached = self.steps[0]
        for step in self.steps[1:]:
            if input_tokens <= step.above:
                break
            reached = step
        return reached

    def cost(self, usage: Usage) -> int | None:
        """Give what an answer cost, in picodollars.

        None where the count is not final, lacks a total, or contradicts itself. Details that were
        not told are taken for none: all input at the input's rate.
        """
        asked, answered = usage.input_tokens, usage.output_tokens
        if asked is None or answered is None or not usage.complete:
            return None
        cached, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
        for_long = 0 if usage.cache_write_1h_tokens is UNSET else usage.cache_write_1h_tokens
        thought = usage.reasoning_tokens or 0
        fresh, briefly, said = asked - cached - written, written - for_long, answered - thought
        if fresh < 0 or briefly < 0 or said < 0:
            return None
        step = self.step(asked)
        return (
            fresh * step.input
            + cached * step.cached_input
            + briefly * step.cache_write
            + for_long * step.cache_write_1h
            + said * step.output
            + thought * step.reasoning
        )

    def most(self, input_tokens: int, output_tokens: int, *, writes_cache: bool) -> int:
        """Give the most that so many tokens can cost, in picodollars."""
        reachable = [step for step in self.steps if step.above < input_tokens]
        asked = max(
            max(step.input, step.cached_input, *_writing(step, writes_cache)) for step in reachable
        )
        answered = max(max(step.output, step.reasoning) for step in reachable)
        return input_tokens * asked + output_tokens * answered


def _writing(step: Step, writes_cache: bool) -> tuple[int, ...]:
    return (step.cache_write, step.cache_write_1h) if writes_cache else ()


def configured(prices: TokenPrices) -> Rates:
    """Take prices from the configuration: one step, and no word on the model's limits."""
    asked, answered = per_token(prices.input), per_token(prices.output)
    written = asked if prices.cache_write is None else per_token(prices.cache_write)
    cached, thought = prices.cached_input, prices.reasoning
    step = Step(
        input=asked,
        cached_input=asked if cached is None else per_token(cached),
        cache_write=written,
        cache_write_1h=written,
        output=answered,
        reasoning=answered if thought is None else per_token(thought),
    )
    return Rates(steps=(step,))
