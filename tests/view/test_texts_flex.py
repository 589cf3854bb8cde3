"""What a person is told of the flex lane: who has none, what it means, how it went."""

from runner.config import BUILT_IN_PROVIDERS, ProviderConfig
from runner.events import AttemptStarted, JobFinished, RetryScheduled
from runner.view.summary_json import summary_figures
from runner.view.tally import Tally
from runner.view.texts_end import end_text
from runner.view.texts_flex import flex_notes, flexless_job_text, flexless_text
from runner.view.texts_start import Start, start_text
from runner.view.texts_table import Names
from runner.view.tiers import FlexCounts
from runner.view.verbose import Verbose
from tests.view.support import FakeClock, answered, failed, job, refusal

VLLM = ProviderConfig(name="vllm", api="openai", base_url="http://127.0.0.1:8000/v1")
PROVIDERS = {**BUILT_IN_PROVIDERS, "vllm": VLLM}
NO_ROOM = refusal("overloaded", 429)


def one_fell_back() -> Tally:
    """A job at flex price, and one that found no room."""
    tally = Tally(total=3, flex=FlexCounts())
    for name in ("a", "b"):
        tally.emit(AttemptStarted(job(name), 1))
    tally.emit(RetryScheduled(job("b"), NO_ROOM, 0.0, falls_back=True))
    tally.emit(AttemptStarted(job("b"), 2))
    tally.emit(JobFinished(answered("a", lane="flex")))
    tally.emit(JobFinished(answered("b", lane="live")))
    tally.emit(JobFinished(failed("c")))
    return tally


def test_jobs_without_flex_are_named() -> None:
    """Each model and its jobs, why, and the ways on; nothing is proposed that cannot help."""
    text = flexless_text({("anthropic", "claude"): 1_200, ("vllm", "m"): 1}, PROVIDERS)
    assert "  1,200 jobs for anthropic/claude\n  1 job for vllm/m\n" in text
    assert "anthropic has no flex tier." in text
    assert "vllm is not known to have a flex tier." in text
    assert text.endswith("  [providers.vllm]\n  flex = true")
    assert "runner.toml" not in flexless_text({("anthropic", "claude"): 1}, PROVIDERS)


def test_many_models_without_flex_are_counted() -> None:
    """A screen holds a few; a stream's model has no count yet."""
    text = flexless_text({("vllm", f"m{n}"): 0 for n in range(5)}, PROVIDERS)
    assert "  vllm/m0\n" in text
    assert "  and 2 more such models\n" in text
    assert flexless_job_text(VLLM).startswith("vllm is not known to have a flex tier")


def test_the_start_says_what_flex_means() -> None:
    """Price, time, and what happens where there is no room."""
    notes = flex_notes(fallback=True, unpriced=["openai/gpt-4o-mini"])
    start = Start(jobs="j.jsonl", total=2, models=["openai/m"], results="r.jsonl", flex=notes)
    assert start_text(start) == (
        "j.jsonl: 2 jobs\n"
        "openai/m, at flex price, results in r.jsonl\n"
        "Flex is cheaper and slower. A job for which it has no room is asked at the\n"
        "standard price; --no-fallback forbids that.\n"
        "The flex price is unknown for openai/gpt-4o-mini."
    )
    (never,) = flex_notes(fallback=False, unpriced=[])
    assert never.endswith("asked again later, never at the standard price.")
    (_, many) = flex_notes(fallback=True, unpriced=["a/1", "a/2", "a/3", "a/4"])
    assert many == "The flex price is unknown for a/1, a/2, a/3 and 1 more."


def test_the_end_says_how_many_came_at_flex_price() -> None:
    """And how many jobs found no room; a fallback is neither a retry nor a refusal."""
    text = end_text(one_fell_back(), Names(jobs="j.jsonl", results=None), 1.0)
    assert (
        "  flex        1 of 2 answers at flex price; no room for 1 job, asked at the\n"
        "              standard price\n"
    ) in text + "\n"
    assert "retr" not in text
    assert "refusal" not in text
    assert "flex" not in end_text(Tally(total=0), Names(jobs="j", results=None), 1.0)


def test_programs_are_told_the_same() -> None:
    """The summary counts answers by price; a fallback counts as no attempt."""
    at = FakeClock().now()
    figures = summary_figures(one_fell_back(), started=at, ended=at, exit_code=1)
    assert figures["flex"] == {"at_flex": 1, "at_standard": 1, "fell_back": 1}
    assert (figures["requests"], figures["attempts"], figures["retries"]) == (3, 2, 0)


def test_answers_that_could_not_be_written_are_taken_back() -> None:
    """What is undone again was at no price."""
    tally = one_fell_back()
    tally.take_back_unwritten()
    assert tally.flex == FlexCounts(at_flex=0, at_standard=0, fell_back=1)


def test_verbose_tells_of_a_lack_of_room() -> None:
    """A fallback says where it goes and takes no number; a retry counts on."""
    lines: list[str] = []
    sink = Verbose(lines.append, FakeClock(), max_attempts=5)
    sink.emit(AttemptStarted(job("a"), 1))
    sink.emit(RetryScheduled(job("a"), NO_ROOM, 0.0, falls_back=True))
    sink.emit(AttemptStarted(job("a"), 2))
    sink.emit(RetryScheduled(job("a"), refusal(), 1.0))
    sink.emit(AttemptStarted(job("b"), 1))
    sink.emit(RetryScheduled(job("b"), NO_ROOM, 1.0))
    assert lines == [
        "02:14:30Z a: no room at openai, asked at the standard price",
        "02:14:30Z a: 503 from openai, again in 1s (attempt 2 of 5)",
        "02:14:30Z b: no room at openai, again in 1s (attempt 2 of 5)",
    ]
