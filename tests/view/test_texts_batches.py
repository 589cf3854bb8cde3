"""What is said of the batch lane, word for word."""

from runner.view.texts_batches import (
    Lane,
    Left,
    Standing,
    lane_facts,
    lane_text,
    left_text,
    out_changed_text,
    out_live_text,
    top_up_text,
    unbounded_out_text,
)

COMMAND = ("batch", "my jobs.jsonl", "--lane", "batch", "--cancel")


def test_the_start_names_price_deadline_and_retention() -> None:
    """Before money is spent all that matters is told."""
    lane = Lane(
        jobs=5000,
        batches=2,
        at_most_usd=1.25,
        keeps=[("openai", "files for 30 days")],
    )
    assert lane_text(lane) == (
        "Batch lane, at the provider's batch price: 5,000 jobs in 2 batches; cost at most\n"
        "$1.25.\n"
        "Answers come within 24h; what has not been asked by then expires, unbilled.\n"
        "openai keeps files for 30 days; runner deletes nothing there."
    )


def test_an_unknown_price_and_a_bound_that_is_the_models_are_said() -> None:
    """Unknown is no figure, and a bound that nobody chose is explained."""
    assert "cost unknown." in lane_text(Lane(jobs=1, batches=1))
    text = lane_text(Lane(jobs=1, batches=1, at_most_usd=0.5, uncapped=1))
    assert "there is no --max-tokens" in text


def test_what_is_out_already_is_said() -> None:
    """Batches of earlier runs are told apart from those about to be made."""
    text = lane_text(Lane(jobs=0, batches=0, out_jobs=1, out_batches=1))
    assert text == "1 job in 1 batch of an earlier run: they are waited for."
    assert "cancelled" in lane_text(Lane(jobs=0, batches=0, out_jobs=4, out_batches=2, cancel=True))


def test_progress_counts_what_the_providers_have_done() -> None:
    """Rows done there count, with the providers' own words and the time left."""
    standing = Standing(
        batches=2, done=10, words=["in_progress"], elapsed_s=61.0, left_s=3600.0 * 23
    )
    assert lane_facts(5, 1, 20, standing) == [
        "15/20",
        "1 failed",
        "2 batches out (in_progress)",
        "1m 01s",
        "at most 23h 00m left",
    ]
    bare = Standing(batches=1, done=0, words=[], elapsed_s=2.0, left_s=None)
    assert lane_facts(0, 0, None, bare) == ["0 done", "1 batch out", "2s"]


def test_what_is_left_says_how_to_go_on() -> None:
    """The end names the batches, until when they run, and the command that collects them."""
    left = Left(
        batches=["b1", "b2", "b3", "b4"],
        chunks=4,
        jobs=40,
        providers=["openai", "anthropic"],
        deadline=0.0,
    )
    assert left_text(left, COMMAND) == (
        "Out at openai, anthropic: 40 jobs in 4 batches (b1, b2, b3, ...), until\n"
        "1970-01-01 00:00Z at the latest.\n"
        "They go on without runner. To collect their answers, the same command:\n"
        "  runner batch 'my jobs.jsonl' --lane batch\n"
        "To cancel them, and collect what was finished:  add  --cancel"
    )


def test_trouble_is_told_with_its_batch() -> None:
    """A batch that could not be seen through is named, with its jobs and why."""
    left = Left(
        batches=[],
        chunks=0,
        jobs=0,
        providers=[],
        deadline=None,
        troubles=[("batch_1", 3, "no such\x1b batch")],
    )
    assert left_text(left, COMMAND) == "batch_1 (3 jobs): no such\\x1b batch"


def test_a_refusal_names_both_ways_on() -> None:
    """Who would pay twice is told how to collect and how to cancel, ready to be pasted."""
    text = out_live_text(3, "r.jsonl", ("batch", "j.jsonl", "--lane", "flex", "--no-fallback"))
    assert "3 jobs of r.jsonl are out in batches" in text
    assert "runner batch j.jsonl --lane batch\n" in text
    assert text.endswith("runner batch j.jsonl --lane batch --cancel")
    assert "another question" in out_changed_text(1, "r.jsonl", ("batch", "j.jsonl"))
    assert "--max-cost" in unbounded_out_text("batch_1")


def test_the_top_up_is_announced() -> None:
    """Before jobs are asked live it is said how many, and why."""
    assert top_up_text(7, 10, 3) == (
        "7 of 10 answered so far; 3 that expired or failed for the moment are asked live\nnow."
    )
