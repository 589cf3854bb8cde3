"""The pace of a run, from what the user and the configuration say."""

from collections.abc import Callable

from runner.config import Config
from runner.pace.budget import Budget
from runner.pace.pace import MOST_IN_FLIGHT, Account, Ceilings, Pace
from runner.settings import BatchSettings


def pace_for(
    settings: BatchSettings,
    config: Config,
    now: float,
    draw: Callable[[], float],
    budget: Budget | None = None,
) -> Pace:
    """Build the pace of a batch; `now` is the event loop's time."""
    accounts = {
        name: Account(
            ceilings=Ceilings(rpm=provider.rpm, tpm=provider.tpm),
            # Anthropic does not count what it read from its cache; OpenAI does.
            cached_is_free=provider.api == "anthropic",
        )
        for name, provider in config.providers.items()
    }
    return Pace(
        now=now,
        concurrency=settings.concurrency,
        ceilings=Ceilings(rpm=settings.rpm, tpm=settings.tpm),
        accounts=accounts,
        draw=draw,
        most=settings.most_in_flight or MOST_IN_FLIGHT,
        budget=budget,
    )
