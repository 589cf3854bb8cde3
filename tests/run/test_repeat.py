"""`--repeat N`: several answers to each job."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.config import TokenPrices
from runner.errors import ExitCode
from runner.results.read import standing
from runner.run.batch import run_batch
from tests.run.commands import batch, config_for, settings, write_lines
from tests.simulated import Endpoints, reset_stats, simulator_in_thread, stats

JOBS: list[Any] = [{"id": "a", "prompt": "x"}, {"prompt": "y"}, {"id": "c#1", "prompt": "z"}]


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoints]:
    """One practice server for all."""
    with simulator_in_thread() as found:
        yield found


@pytest.fixture
def endpoints(server: Endpoints) -> Endpoints:
    """The practice server, which counts from zero."""
    reset_stats(server)
    return server


def ids(path: Path) -> list[tuple[int | None, str]]:
    """Line and id of each record, in the order of the file; an id made of content is `-`."""
    records = map(json.loads, path.read_text().splitlines())
    return [(record["line"], short(record["id"])) for record in records]


def short(job_id: str) -> str:
    """An id without its 16 hex digits."""
    base, mark, number = job_id.rpartition("#")
    return f"-{mark}{number}" if len(base) == 16 else job_id


def all_ids(times: int) -> list[tuple[int, str]]:
    """What is to stand in the file."""
    names = ["a", "-", "c#1"]
    return [
        (line, f"{name}#{number}")
        for line, name in enumerate(names, 1)
        for number in range(1, times + 1)
    ]


@pytest.mark.parametrize("concurrency", [1, 8])
def test_each_job_gets_so_many_answers(
    concurrency: int, tmp_path: Path, endpoints: Endpoints
) -> None:
    """Answers are named ID#1 to ID#N, in the order of the file, and the digest is the same."""
    jobs = write_lines(tmp_path / "jobs.jsonl", JOBS)
    wanted = settings(jobs, repeat=3, concurrency=concurrency)
    assert batch(endpoints, wanted) is ExitCode.OK
    results = tmp_path / "jobs.results.jsonl"
    assert ids(results) == all_ids(3)
    digests = [json.loads(line)["digest"] for line in results.read_text().splitlines()]
    assert [digests.count(digest) for digest in dict.fromkeys(digests)] == [3, 3, 3]
    written = results.read_bytes()
    assert batch(endpoints, wanted) is ExitCode.OK
    assert results.read_bytes() == written
    assert stats(endpoints)["requests"] == 9


def test_a_larger_number_asks_only_what_is_new(tmp_path: Path, endpoints: Endpoints) -> None:
    """Answers recorded before are kept, with a smaller number at the end, and get their place."""
    jobs, results = tmp_path / "jobs.jsonl", tmp_path / "jobs.results.jsonl"
    write_lines(jobs, JOBS)
    for times, requests in ((2, 6), (4, 12), (3, 12), (4, 12)):
        assert batch(endpoints, settings(jobs, repeat=times)) is ExitCode.OK
        assert stats(endpoints)["requests"] == requests
        found = ids(results)
        assert found[: 3 * times] == all_ids(times)
        assert sorted(job_id for _, job_id in found[3 * times :]) == (
            sorted(f"{name}#4" for name in ("-", "a", "c#1")) if times == 3 else []
        )


def test_answers_without_a_number_are_others(tmp_path: Path, endpoints: Endpoints) -> None:
    """What a run without --repeat recorded is kept, and no answer with a number."""
    jobs, results = tmp_path / "jobs.jsonl", tmp_path / "jobs.results.jsonl"
    write_lines(jobs, JOBS[:1])
    assert batch(endpoints, settings(jobs)) is ExitCode.OK
    assert batch(endpoints, settings(jobs, repeat=1)) is ExitCode.OK
    assert ids(results) == [(1, "a#1"), (None, "a")]


def test_selection_counts_jobs_of_the_file(tmp_path: Path, endpoints: Endpoints) -> None:
    """With --limit 1 the first job gets all its answers, also of a packed file with blank lines."""
    jobs = tmp_path / "jobs.jsonl.gz"
    lines = b"".join(json.dumps(job).encode() + b"\n\n" for job in JOBS)
    jobs.write_bytes(gzip.compress(b"\n" + lines))
    assert batch(endpoints, settings(jobs, repeat=2, limit=1)) is ExitCode.OK
    results = tmp_path / "jobs.results.jsonl"
    assert ids(results) == [(2, "a#1"), (2, "a#2")]
    assert batch(endpoints, settings(jobs, repeat=2, sample=2)) is ExitCode.OK
    assert ids(results) == [(2, "a#1"), (2, "a#2"), (6, "c#1#1"), (6, "c#1#2")]


def test_a_bad_line_is_recorded_once(tmp_path: Path, endpoints: Endpoints) -> None:
    """A line that cannot be asked is one failed record, and stays one in the next run."""
    jobs = write_lines(tmp_path / "jobs.jsonl", [{"id": "a#1", "promt": "x"}, *JOBS[:1]])
    wanted = settings(jobs, repeat=2, skip_invalid=True)
    for _ in range(2):
        assert batch(endpoints, wanted) is ExitCode.SOME_UNANSWERED
        found = ids(tmp_path / "jobs.results.jsonl")
        assert found == [(1, "a#1#1"), (2, "a#1"), (2, "a#2")]


def test_money_is_counted_for_each_answer(tmp_path: Path, endpoints: Endpoints) -> None:
    """With --max-cost the plan takes jobs one by one, and asks the same."""
    jobs = write_lines(tmp_path / "jobs.jsonl", JOBS)
    config = config_for(endpoints)
    free = TokenPrices(input=Decimal(0), output=Decimal(0))
    here = replace(config.providers["here"], prices=free)
    priced = replace(config, providers={**config.providers, "here": here})
    wanted = settings(jobs, repeat=2, max_cost=10**12, max_tokens=5)
    assert run_batch(wanted, priced) is ExitCode.OK
    assert ids(tmp_path / "jobs.results.jsonl") == all_ids(2)


def test_an_unordered_file_is_read_in_order(tmp_path: Path, endpoints: Endpoints) -> None:
    """Who reads a file in order of completion gets a job's answers by their numbers."""
    jobs = write_lines(tmp_path / "jobs.jsonl", JOBS)
    assert batch(endpoints, settings(jobs, repeat=3, unordered=True)) is ExitCode.OK
    results = tmp_path / "jobs.results.jsonl"
    lines = results.read_text().splitlines()
    results.write_text("\n".join(reversed(lines)) + "\n")
    read = [json.loads(record) for record in standing(results)]
    assert [(one["line"], short(one["id"])) for one in read] == all_ids(3)


def test_the_batch_lane_asks_repeats(tmp_path: Path, endpoints: Endpoints) -> None:
    """In batches each answer is a row of its own, and is recorded under its number."""
    jobs = write_lines(tmp_path / "jobs.jsonl", JOBS)
    assert batch(endpoints, settings(jobs, repeat=2, lane="batch")) is ExitCode.OK
    assert ids(tmp_path / "jobs.results.jsonl") == all_ids(2)
