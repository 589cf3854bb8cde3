"""The price book of a command: its configuration, and the caps that adapters send unasked."""

from runner.clock import SystemClock
from runner.config import Config
from runner.models import Api
from runner.pricing.book import PriceBook
from runner.providers.anthropic_messages import DEFAULT_ANTHROPIC_MAX_TOKENS


def price_book(config: Config) -> PriceBook:
    """Open a book in which prices are looked up as they are needed."""
    caps: dict[Api, int] = {"anthropic": DEFAULT_ANTHROPIC_MAX_TOKENS}
    return PriceBook(config.providers, SystemClock().now, caps)
