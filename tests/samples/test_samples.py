"""Promises of `samples`: written by their commands, listed once, nothing over and nothing left."""

import json
import re

import pytest

from tests.samples.commands import SAMPLES
from tests.samples.comparing import comparable
from tests.samples.make import FOLDER, ROOT, produce

CRON = {"crontab", "nightly.jsonl", "runner-nightly.service", "runner-nightly.timer"}
"""What tests/samples/test_nightly.py looks after."""
OTHERS = {"README.md", "guide", "recipes", "scenarios", "terminal.svg"}
_ROW = re.compile(r"\| \[(?P<name>[^]]+)\]\((?P<link>[^)]+)\) \| `(?P<command>[^`]+)` \|")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the commands write today."""
    return produce(tmp_path_factory.mktemp("samples"))


@pytest.mark.parametrize("name", [sample.name for sample in SAMPLES])
def test_a_sample_is_what_its_command_writes(name: str, written: dict[str, bytes]) -> None:
    """Every file equals what its command writes, but for times and names of one run."""
    assert comparable(name, (FOLDER / name).read_bytes()) == comparable(name, written[name])


def test_every_sample_has_a_command() -> None:
    """The folder holds the listed files, and what other tests look after."""
    found = {path.name for path in FOLDER.iterdir()}
    assert found == {sample.name for sample in SAMPLES} | OTHERS


def test_the_readme_tells_the_commands() -> None:
    """The table in samples/README.md is the list, in its order."""
    rows = list(_ROW.finditer((FOLDER / "README.md").read_text(encoding="utf-8")))
    assert all(row["name"] == row["link"] for row in rows)
    assert [(row["name"], row["command"]) for row in rows] == [
        (sample.name, sample.command) for sample in SAMPLES
    ]


def test_every_job_file_is_used() -> None:
    """Whatever is in jobs is asked by a sample's command, or by the nightly run."""
    words = " ".join(sample.command for sample in SAMPLES).replace("@", "").split()
    jobs = ROOT / "jobs"
    files = {
        path.relative_to(ROOT).as_posix()
        for path in jobs.rglob("*")
        if path.is_file() and ".results." not in path.name
    }
    nightly = {f"jobs/cron/{name}" for name in CRON}
    lines = (jobs / "files.jsonl").read_text(encoding="utf-8").splitlines()
    attached = {f"jobs/{name}" for line in lines for name in json.loads(line)["files"]}
    assert files - set(words) - attached <= nightly <= files
    assert attached <= files


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ({"duration_s": 1.5}, {"duration_s": 2.5}, True),
        ({"duration_s": 1.5}, {"duration_s": None}, False),
        ({"id": "req_0123456789abcdef"}, {"id": "req_fedcba9876543210"}, True),
        ({"id": "885763f87e8f4c69"}, {"id": "885763f87e8f4c6a"}, False),
        ({"attempts": [{"outcome": "ok"}]}, {"attempts": [{"outcome": "timeout"}]}, False),
    ],
)
def test_comparing_blanks_no_more_than_it_must(
    before: dict[str, object], after: dict[str, object], *, same: bool
) -> None:
    """Times and made-up ids may differ; a figure that is gone, an id of ours or an outcome not."""
    one, two = (comparable("x.json", json.dumps(value).encode()) for value in (before, after))
    assert (one == two) is same


def test_no_sample_tells_of_the_machine_it_was_made_on() -> None:
    """No home folder and no temporary folder stands in a sample."""
    for sample in SAMPLES:
        text = (FOLDER / sample.name).read_text(encoding="utf-8")
        assert not re.search(r"/(tmp|home|root|Users)/|127\.0\.0\.1", text), sample.name


def test_samples_are_small() -> None:
    """A sample is to be read: none is larger than 64 kB."""
    assert all((FOLDER / sample.name).stat().st_size < 65_536 for sample in SAMPLES)
