"""The batch lane with prices, and a budget in shares of one job's worst case."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.config import Config, TokenPrices
from runner.errors import ExitCode
from runner.input.parser import JobParser
from runner.models import Job
from runner.pricing.rates import PICODOLLARS
from runner.run.batch import run_batch
from runner.run.prices import price_book
from tests.run.commands import config_for, settings
from tests.simulated import Endpoints

PRICES = TokenPrices(input=Decimal(1), output=Decimal(4))


def priced_lane(
    endpoints: Endpoints, path: Path, *, share: float, **changes: Any
) -> tuple[ExitCode, float]:
    """Run with `share` times the worst case of a job; give the code and that worst case in USD."""
    config = config_for(endpoints)
    here = replace(config.providers["here"], prices=PRICES)
    config = Config(providers={**config.providers, "here": here})
    wanted = settings(path, "here/m", lane="batch", **changes)
    line = path.read_bytes().splitlines()[0]
    job = JobParser(wanted.ask, config, "jobs", max_line_bytes=10**6).parse(line, 1)
    assert isinstance(job, Job)
    worst = price_book(config).worst_case(job, "batch")
    assert isinstance(worst, int)
    limit = int(share * worst)
    return run_batch(replace(wanted, max_cost=limit), config), worst / PICODOLLARS
