"""What is said of money."""

import pytest

from runner.models import AttemptRecord, Usage
from runner.pricing.book import Lacking
from runner.view.pace_text import facts
from runner.view.spending import Spending
from runner.view.tally import Tally
from runner.view.texts_end import end_text, stopped_text
from runner.view.texts_money import Unpriced, lacking_text, more_money, unbounded_text
from runner.view.texts_table import Names
from runner.words import money

NAMES = Names(jobs="rows.csv", results="r.jsonl", command=("batch", "rows.csv"))


def spending(usd: float, unknown: int = 0) -> Spending:
    """So much known, and so many jobs of unknown cost."""
    return Spending(known=round(usd * 10**12), unknown_jobs=unknown, priced=True)


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "unknown"),
        (0.0, "$0.0000"),
        (0.00004, "<$0.0001"),
        (0.0006, "$0.0006"),
        (0.69, "$0.69"),
        (1234.5, "$1,234.50"),
    ],
)
def test_amounts_are_as_fine_as_they_are_small(usd: float | None, text: str) -> None:
    """Two decimals from ten cents on, else four; what is less is not told as nothing."""
    assert money(usd) == text


def test_the_end_says_what_it_cost() -> None:
    """The table has a line for it, unknown jobs apart; without any price there is none."""
    tally = Tally(total=2, succeeded=2, money=spending(0.69, 2))
    assert "  cost        $0.69, and unknown for 2 jobs\n" in end_text(tally, NAMES, 3.0)
    tally.money = Spending(unknown_jobs=2)
    assert "cost" not in end_text(tally, NAMES, 3.0)


def test_a_stopped_run_and_the_progress_say_it_too() -> None:
    """What was spent stands behind the counts."""
    tally = Tally(total=5, succeeded=3, money=spending(0.44))
    assert "3 of 5 answered, 2 to do; $0.44 spent." in stopped_text(tally, NAMES, "sigint")
    assert facts(tally, 2.0, None) == ["3/5", "0 at once", "2.0/s", "$0.44", "1s left"]


def test_the_limit_is_told_with_what_is_left() -> None:
    """Who reached it learns what it would take to go on."""
    tally = Tally(total=5, succeeded=3)
    tally.money = spending(0.5)
    tally.money.limit, tally.money.counted = 10**12, 996 * 10**9
    tally.money.next_usd = 0.005
    assert stopped_text(tally, NAMES, "budget") == (
        "Stopped by --max-cost: 3 of 5 answered, 2 to do; $0.50 spent.\n"
        "Of $1.00 for these results $1.00 counts as spent; $0.0040 is left, and the next\n"
        "job can cost $0.0050.\n"
        "Every answer that arrived is in r.jsonl. To go on with more:\n"
        "  runner batch rows.csv --max-cost 2"
    )


@pytest.mark.parametrize(
    ("command", "more"),
    [
        (["batch", "j", "--max-cost", "1"], "runner batch j --max-cost 2.5"),
        (["batch", "--max-cost=1", "--fresh", "j"], "runner batch --max-cost=2.5 j"),
        (["batch", "j"], "runner batch j --max-cost 2.5"),
    ],
)
def test_the_command_is_written_with_twice_the_money(command: list[str], more: str) -> None:
    """However the limit was given, it can be pasted."""
    assert more_money(command, 125 * 10**10) == more


@pytest.mark.parametrize(
    ("lacking", "remedy"),
    [
        (Lacking.PRICE, '    [providers.p.models."m"]'),
        (Lacking.OUTPUT, "add  --max-tokens N"),
        (Lacking.INPUT, "Ask them without --max-cost"),
    ],
)
def test_what_is_lacking_has_a_remedy(lacking: Lacking, remedy: str) -> None:
    """Each reason is told with the first line and what to add."""
    found = Unpriced(lacking, "p", "m", 3, jobs=1)
    text = lacking_text([found])
    assert "1 job for p/m (line 3)" in text
    assert remedy in text
    assert "and 2 more such models" in lacking_text([found] * 5)
    assert max(map(len, text.splitlines())) <= 80


def test_records_that_nobody_can_bound_are_counted() -> None:
    """The file is named, and how many requests it is about."""
    assert unbounded_text(1, "r.jsonl").startswith("r.jsonl tells of 1 request that may")
    assert "1,200 requests" in unbounded_text(1200, "r.jsonl")


def test_an_answer_without_a_price_is_unknown() -> None:
    """A count without a price makes the job's cost unknown, a refusal for nothing does not."""
    free = AttemptRecord(run="r", started_at="", duration_s=0.1, outcome="auth", cost_usd=0.0)
    unpriced = AttemptRecord(
        run="r", started_at="", duration_s=0.1, outcome="ok", usage=Usage(input_tokens=1)
    )
    one = Spending(run="r")
    one.add([free])
    assert (one.known_usd, one.unknown_jobs, one.priced) == (0.0, 0, False)
    one.add([free, unpriced])
    assert (one.known_usd, one.unknown_jobs, one.priced) == (None, 1, False)
