"""What an estimate gathers, learns and says, without a tokenizer to compare with."""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.checking.checkup import check_jobs
from runner.checking.estimating import Outlook
from runner.checking.gather import Gatherer, Group
from runner.checking.texts import given_to_read
from runner.config import BUILT_IN_PROVIDERS, Config
from runner.input.check import check_file
from runner.input.parser import JobParser
from runner.input.source import open_source
from runner.models import Job, Request
from runner.run.prices import price_book
from runner.schemas.reading import schema_of
from runner.settings import Ask, BatchSettings
from tests.input.helpers import make_parser, write_lines

CONFIG = Config(providers=BUILT_IN_PROVIDERS)
CHAT = {"method": "POST", "url": "/v1/chat/completions"}
LINES: list[dict[str, Any]] = [
    {"prompt": "Why is the sky blue?"},
    {"prompt": "And the sea? " * 9, "model": "anthropic/claude-haiku-4-5"},
    {"prompt": "Name a colour.", "max_tokens": 5, "system": "Be short."},
    {"prompt": "Name two.", "params": {"tools": [{"type": "function", "name": "f"}]}},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "Grün?"}]}]},
    {**CHAT, "custom_id": "a", "body": {"model": "gpt-5-mini", "messages": [{"role": "user"}]}},
    {"prompt": "Name three. " * 40},
    {"prompt": "灯台は何ですか。", "params": {"service_tier": "flex"}},
]


def gathered(path: Path, parser: JobParser, *, at_once: bool) -> Gatherer:
    """Gather a file, many jobs at once or one by one."""
    gatherer = Gatherer(price_book(CONFIG))
    on_stretch = gatherer.take_stretch if at_once else None
    check_file(open_source(str(path)), parser, on_job=gatherer.take, on_stretch=on_stretch)
    return gatherer


def figures(gatherer: Gatherer) -> list[tuple[object, ...]]:
    """Give all that was gathered, in an order of its own."""

    def of(group: Group) -> tuple[object, ...]:
        """Give the figures of one group."""
        caps = (group.uncapped, group.cap_tokens, group.opaque, group.caches)
        sizes = (tuple(group.sizes), group.largest)
        return (group.ref, tuple(group.terms.items()), group.jobs, group.messages, sizes, caps)

    return sorted(map(of, gatherer.groups()), key=str)


def outlook(folder: Path, lines: list[dict[str, Any]], **changes: Any) -> Outlook:
    """Check a file of these lines."""
    path = write_lines(folder / "jobs.jsonl", *lines)
    asked = {name: changes.pop(name) for name in list(changes) if name in Ask.__slots__}
    ask = Ask(**{"model": "openai/gpt-5-mini", **asked})
    settings = BatchSettings(jobs=path, ask=ask, **changes)
    return check_jobs(settings, CONFIG, price_book(CONFIG)).outlook


def record(folder: Path, lines: list[dict[str, Any]], usage: dict[str, Any], **ask: Any) -> None:
    """Write the results file that a run of these lines would leave."""
    parser = make_parser(config=CONFIG, **{"model": "openai/gpt-5-mini", **ask})
    results = []
    for number, line in enumerate(lines, 1):
        job = parser.parse(json.dumps(line).encode(), number)
        assert isinstance(job, Job)
        named = {"v": 1, "id": job.id, "digest": job.digest, "line": number}
        took = [{"duration_s": 9.0}, {"duration_s": 2.0}]
        results.append({**named, "status": "succeeded", "usage": usage, "attempts": took})
    write_lines(folder / "jobs.results.jsonl", *results)


@pytest.mark.parametrize("system", [None, "Be kind."])
def test_many_at_once_come_to_the_same_as_one_by_one(tmp_path: Path, system: str | None) -> None:
    """Stretches of usual jobs are gathered as their jobs would be alone."""
    path = tmp_path / "jobs.jsonl"
    write_lines(path, *[{"id": f"n{n}", **LINES[n % len(LINES)]} for n in range(64) if n % 8 != 5])
    found = [
        gathered(path, make_parser(config=CONFIG, system=system), at_once=at_once)
        for at_once in (True, False)
    ]
    assert figures(found[0]) == figures(found[1])
    assert found[0].longest == found[1].longest
    assert [long.line for long in found[0].longest] == [6, 13, 20]


def test_little_text_waits_however_many_models_there_are(tmp_path: Path) -> None:
    """Prompts are counted before more than some megabytes of them are kept."""
    prompt = "Why is the sky blue? " * 3000
    path = tmp_path / "jobs.jsonl"
    lines = [{"id": f"{n}", "prompt": prompt, "model": f"sim/m{n % 40}"} for n in range(80)]
    write_lines(path, *lines)
    gatherer = Gatherer(price_book(CONFIG))
    most = 0

    def take(job: Job) -> None:
        """Take in a job, and look at what waits."""
        nonlocal most
        gatherer.take(job)
        waiting = [text for group in gatherer._groups.values() for text in group.waiting]
        most = max(most, sum(map(len, waiting)))

    check_file(open_source(str(path)), make_parser(config=CONFIG), on_job=take)
    assert len(prompt) < most < 20 * len(prompt)
    assert sum(group.jobs for group in gatherer.groups()) == 80


def test_recorded_answers_teach_tokens_and_output(tmp_path: Path) -> None:
    """True counts of the same questions set the middle and narrow the range; other ones do not."""
    lines = [{"prompt": f"Why is {n} odd? Say it shortly."} for n in range(1, 40)]
    before = outlook(tmp_path, lines).whole
    record(tmp_path, lines[:20], {"input_tokens": 40, "output_tokens": 25})
    after = outlook(tmp_path, lines, concurrency=3).whole
    assert (before.answers, after.answers, after.mean_tokens) == (0, 20, 25)
    assert after.input_tokens.about == pytest.approx(39 * 40, rel=0.05)
    assert after.input_tokens.high is not None
    assert after.input_tokens.low is not None
    assert before.input_tokens.high is not None
    assert before.input_tokens.high < after.input_tokens.low < 39 * 40 < after.input_tokens.high
    assert after.output_tokens == 39 * 25
    assert after.time_s.about == pytest.approx(39 * 2.0 / 3)
    assert outlook(tmp_path, lines, max_tokens=9).whole.answers == 0


@pytest.mark.parametrize("text", [b"", b"\n", b"rubbish\n", b'{"v":1}\n', b"\xff\n", b"[1]\n"])
def test_results_that_tell_nothing_teach_nothing(tmp_path: Path, text: bytes) -> None:
    """A results file that is empty, foreign or broken leaves the estimate as it is."""
    alone = outlook(tmp_path, LINES)
    (tmp_path / "jobs.results.jsonl").write_bytes(text)
    assert outlook(tmp_path, LINES) == alone


def test_of_a_large_results_file_a_part_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks spread over the file teach as its whole would, whatever the length of a line."""
    lines = [{"prompt": f"Why is {n} odd?"} for n in range(1, 400)]
    record(tmp_path, lines, {"input_tokens": 40, "output_tokens": 25})
    whole = outlook(tmp_path, lines).whole
    monkeypatch.setattr("runner.checking.recorded._WHOLE_BYTES", 1)
    monkeypatch.setattr("runner.checking.recorded._BLOCK_BYTES", 100)
    part = outlook(tmp_path, lines).whole
    assert whole.answers == 399
    assert 30 <= part.answers <= 130
    assert part.mean_tokens == whole.mean_tokens


def test_the_slowest_limit_decides_on_time(tmp_path: Path) -> None:
    """Requests and tokens a minute bound the time; -c alone says nothing without answers."""
    lines = [{"prompt": "Why?"}] * 60
    assert outlook(tmp_path, lines, max_tokens=100, rpm=30).whole.time_s == (120, 120, 120)
    slow = outlook(tmp_path, lines, max_tokens=100, rpm=30, tpm=90_000).whole
    assert slow.time_s == (120, 120, 120)
    low, about, high = outlook(tmp_path, lines, max_tokens=100, rpm=30, tpm=1000).whole.time_s
    assert (low, about) == (120, None)
    assert high is not None
    assert high > 60 * 6000 / 1000
    assert outlook(tmp_path, lines, concurrency=4).whole.time_s.about is None
    assert outlook(tmp_path, lines, rpm=30, lane="batch").whole.time_s == (None, None, None)


def test_a_lane_that_may_end_live_is_bounded_by_the_live_price(tmp_path: Path) -> None:
    """Flex with its fallback, and batches with --then live, cost at most what live calls cost."""

    def most(lane: str, **changes: Any) -> float | None:
        """Give the most that a lane may cost."""
        found = outlook(tmp_path, LINES[:1], max_tokens=9, lane=lane, **changes).whole
        return found.cost[found.lane].high

    live = most("live")
    assert live is not None
    assert most("flex") == most("batch", then_live=True) == live
    assert most("flex", fallback=False) == most("batch") == live / 2


def test_a_schema_is_read_by_the_model() -> None:
    """It counts beside the prompt, as tools do."""
    schema = schema_of({"type": "object", "description": "a b"})
    assert '"description":"a b"' in given_to_read(Request(messages=[], schema=schema))
    assert given_to_read(Request(messages=[])) == ""
