"""What stands in `samples`, and the command that writes it: the one list of both."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One file in `samples`."""

    name: str
    command: str
    """As typed in the root of the repository, where `samples` and `jobs` are."""
    written: str
    """The file that the command writes, to be copied to `name`."""


NATIVE = "runner batch jobs/native.jsonl -m sim/steady --summary-json jobs/native.summary.json"
ROWS = "runner batch jobs/rows.jsonl -t @jobs/rows.j2 -m sim/steady"
MESSAGES = "runner batch jobs/messages.csv -t @jobs/rows.j2 -m sim/steady --repeat 2"
FILES = "runner batch jobs/files.jsonl -m sim-anthropic/steady"
OPENAI = "runner batch jobs/openai-batch.jsonl --override model=sim/steady"
RESPONSES = "runner batch jobs/openai-responses-batch.jsonl --override model=sim-responses/steady"
ANTHROPIC = "runner batch jobs/anthropic-batch.jsonl --override model=sim-anthropic/steady"


def _sample(command: str, written: str) -> Sample:
    return Sample(written.rpartition("/")[2], command, written)


SAMPLES = (
    _sample("runner batch jobs/hello.jsonl -m sim/steady", "jobs/hello.results.jsonl"),
    _sample(NATIVE, "jobs/native.results.jsonl"),
    _sample(NATIVE, "jobs/native.summary.json"),
    _sample(ROWS, "jobs/rows.results.jsonl"),
    _sample(ROWS, "jobs/rows.results.jsonl.run.json"),
    _sample(MESSAGES, "jobs/messages.results.jsonl"),
    _sample(FILES, "jobs/files.results.jsonl"),
    _sample(OPENAI, "jobs/openai-batch.results.jsonl"),
    _sample(RESPONSES, "jobs/openai-responses-batch.results.jsonl"),
    _sample(ANTHROPIC, "jobs/anthropic-batch.results.jsonl"),
    _sample(
        "runner batch jobs/cron/nightly.jsonl -m sim/steady", "jobs/cron/nightly.results.jsonl"
    ),
    _sample(
        'runner tail -m sim/steady -o jobs/tail.results.jsonl "Why is the sky blue?"',
        "jobs/tail.results.jsonl",
    ),
    _sample("runner export jobs/hello.results.jsonl -o jobs/hello.csv", "jobs/hello.csv"),
    _sample("runner export jobs/rows.results.jsonl -o jobs/rows.csv", "jobs/rows.csv"),
    _sample(
        "runner export jobs/native.results.jsonl --as text -o jobs/native.txt", "jobs/native.txt"
    ),
    _sample(
        "runner export jobs/openai-batch.results.jsonl --as openai-batch"
        " -o jobs/openai-batch.output.jsonl",
        "jobs/openai-batch.output.jsonl",
    ),
    _sample(
        "runner export jobs/anthropic-batch.results.jsonl --as anthropic-batch"
        " -o jobs/anthropic-batch.output.jsonl",
        "jobs/anthropic-batch.output.jsonl",
    ),
)
