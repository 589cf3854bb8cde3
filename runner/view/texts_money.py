"""What is said of `--max-cost`: why a run cannot keep it, and that it was reached. Pure text."""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.pricing.book import Lacking
from runner.pricing.rates import PICODOLLARS
from runner.view.layout import wrap
from runner.view.spending import Spending
from runner.words import command_line, count, money, plural, printable

_PRICES = "prices = { input = 0.25, output = 2.00 }"


@dataclass(slots=True)
class Unpriced:
    """Jobs of one model of which nobody can say what they may cost."""

    lacking: Lacking
    provider: str
    model: str
    line: int | None
    """Of the first of them."""
    jobs: int = 0


def lacking_text(found: Sequence[Unpriced]) -> str:
    """Say what `--max-cost` lacks, and what to add."""
    lines = ["--max-cost cannot be kept; nothing was sent."]
    for one in found[:3]:
        where = "" if one.line is None else f" (line {one.line}{', ...' * (one.jobs > 1)})"
        jobs = f"{plural(one.jobs, 'job')} for {printable(f'{one.provider}/{one.model}')}{where}"
        lines += [wrap(f"  {jobs}: {one.lacking.value}.", indent="    "), *_remedy(one)]
    if len(found) > 3:
        lines.append(f"  and {count(len(found) - 3)} more such models")
    return "\n".join(lines)


def _remedy(one: Unpriced) -> list[str]:
    if one.lacking is Lacking.OUTPUT:
        return ["  Bound it:  add  --max-tokens N"]
    if one.lacking is Lacking.PRICE:
        table = f'[providers.{one.provider}.models."{printable(one.model)}"]'
        text = "  Say in runner.toml what a million of its tokens cost, in USD, such as:"
        return [text, f"    {table}", f"    {_PRICES}"]
    return ["  Ask them without --max-cost, or leave that out of the request."]


def unbounded_text(number: int, results: str) -> str:
    """Say that a results file holds requests of which nobody can say what they cost."""
    requests = "1 request" if number == 1 else f"{count(number)} requests"
    return "\n".join(
        [
            wrap(
                f"{printable(results)} tells of {requests} that may have cost anything, "
                "so --max-cost cannot be kept. Nothing was sent."
            ),
            "Give their models prices in runner.toml, or --max-tokens; or begin other",
            "results with -o, or leave out --max-cost.",
        ]
    )


def cost_text(spending: Spending, done: str = "") -> str:
    """Write what a run cost: `$0.69, and unknown for 2 jobs`."""
    known = f"{money(spending.known_usd)}{done}"
    if not spending.unknown_jobs:
        return known
    return f"{known}, and unknown for {plural(spending.unknown_jobs, 'job')}"


def more_money(command: Sequence[str], limit: int) -> str:
    """Write the command again with twice the money, which is given in picodollars."""
    words = [word for word in command if word != "--fresh"]
    more = f"{2 * limit // PICODOLLARS}.{2 * limit % PICODOLLARS:012d}".rstrip("0").rstrip(".")
    for at, word in enumerate(words):
        if word.startswith("--max-cost="):
            words[at] = f"--max-cost={more}"
            return command_line(words)
        if word == "--max-cost" and at + 1 < len(words):
            words[at + 1] = more
            return command_line(words)
    return command_line([*words, "--max-cost", more])


def spent_text(spending: Spending) -> str:
    """Say what counts against `--max-cost`, what is left and why that is not enough."""
    limit, counted = spending.limit_usd or 0.0, spending.counted_usd or 0.0
    return (
        f"Of {money(limit)} for these results {money(counted)} counts as spent; "
        f"{money(max(0.0, limit - counted))} is left, "
        f"and the next job can cost {money(spending.next_usd)}."
    )
