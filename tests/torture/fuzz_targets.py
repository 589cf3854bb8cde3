"""What must hold for any bytes whatever: one function for each thing that reads a foreign file.

Each takes bytes and an empty folder, and raises where a promise is broken. The property tests, the
short form and the coverage-guided run of `fuzz` share them.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from runner.config import Config
from runner.config_files import load_config
from runner.errors import LineProblem, UsageError
from runner.input.check import check_file
from runner.input.lines import BOM, LineSplitter, Unread
from runner.input.parser import JobParser
from runner.input.problems import BadLineError
from runner.input.source import open_source
from runner.input.template import RowTemplate
from runner.models import Job
from runner.results.journal import Journal, unresolved
from runner.results.run_file import RunFile, describe_changes, read_run_file
from runner.results.scan import scan
from runner.results.table import ResultTable
from runner.settings import Ask
from runner.words import printable
from tests.torture.fuzz_results import results

Target = Callable[[bytes, Path], None]

LONGEST_LINE = 4096
_TEMPLATE = "{{ text[0] }}{% for m in messages %}{{ m.role }}{% endfor %}"
_RUN = RunFile(runner="1", run="r", started_at="", command=[], jobs="jobs.jsonl", model="m")


def jobs(data: bytes, folder: Path) -> None:
    """Every line of a file is a job or a problem with its number, or the file is refused whole."""
    path = folder / "jobs.jsonl"
    path.write_bytes(data)
    lines = naive_lines(data)
    for parser in _parsers():
        taken: list[Job | LineProblem] = []
        try:
            checked = check_file(
                open_source(str(path)), parser, on_job=taken.append, on_problem=taken.append
            )
        except UsageError:
            continue
        meant = [number for number, line in enumerate(lines, 1) if line and not line.isspace()]
        assert [one.line for one in taken] == meant, "lines are left out or numbered wrongly"
        assert checked.jobs + checked.invalid == len(meant), "lines are counted wrongly"
        assert len({one.id for one in taken}) == len(meant), "ids repeat"


@cache
def _parsers() -> list[JobParser]:
    asks = (Ask(model="sim/steady"), Ask(model="sim/steady", template=_TEMPLATE))
    return [JobParser(ask, Config(), "jobs.jsonl", max_line_bytes=LONGEST_LINE) for ask in asks]


def naive_lines(data: bytes) -> list[bytes]:
    """Cut at line feeds; nothing follows the last one."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if lines:
        lines[0] = lines[0].removeprefix(BOM)
    return lines


def blocks(data: bytes, _folder: Path) -> None:
    """Lines are the same wherever the blocks of reading end."""
    bound, size = 64, 1 + (data[0] if data else 0)
    splitter = LineSplitter(bound)
    found = []
    for start in range(0, len(data), size):
        found += list(splitter.feed(data[start : start + size]))
    found += list(splitter.finish())
    lines = naive_lines(data)
    assert [number for number, _ in found] == list(range(1, len(lines) + 1))
    for (number, line), naive in zip(found, lines, strict=True):
        if isinstance(line, Unread):
            assert line.size >= len(naive) > bound - (len(BOM) if number == 1 else 0)
        else:
            assert line == naive


def template(data: bytes, _folder: Path) -> None:
    """A template is refused, or each row gives a text, always the same one, or a problem."""
    text, _, row_text = data.partition(b"\0")
    row = {"text": "hi", "n": 3, "list": [1, "b", {"c": None}], "messages": [{"role": "user"}]}
    try:
        given = json.loads(row_text)
        row |= given if isinstance(given, dict) else {}
    except (ValueError, RecursionError):
        pass
    try:
        made = RowTemplate(text.decode(errors="replace"))
    except UsageError:
        return
    first, second = _rendered(made, row), _rendered(made, row)
    assert first == second, "the same row gives two prompts"
    assert " at 0x" not in first or " at 0x" in data.decode(errors="replace"), "an address"


def _rendered(made: RowTemplate, row: dict[str, object]) -> str:
    try:
        return made.render(row)
    except BadLineError as bad:
        problem = str(bad)
    assert printable(problem) == problem, "a problem on more than one line"
    return f"problem: {problem}"


def _times(path: Path, table: ResultTable) -> dict[str, str]:
    return {job_id: entry.at for job_id, entry in unresolved(path, table).items()}


def journal(data: bytes, folder: Path) -> None:
    """Any journal is read; what it leaves unresolved stays so until it is resolved."""
    path = folder / "journal"
    path.write_bytes(data)
    table = scan(folder / "none").table
    left = unresolved(path, table)
    times = {job_id: entry.at for job_id, entry in left.items()}
    kept = Journal(path, left, lambda: 0)
    assert _times(path, table) == times, "taking over changes what is unresolved"
    kept.sent("j", "d", "t")
    kept.answered("j")
    kept.close()
    assert _times(path, table) == {key: at for key, at in times.items() if key != "j"}
    again = Journal(path, unresolved(path, table), lambda: 0)
    for job_id in left:
        again.answered(job_id)
    again.close()
    assert not path.exists(), "nothing is unresolved, and the file stays"


def run_file(data: bytes, folder: Path) -> None:
    """What the last run asked is known, or not; changes are told in words."""
    path = folder / "run.json"
    path.write_bytes(data)
    for old in (read_run_file(path), read_run_file(folder / "none")):
        for name, change in describe_changes(old, _RUN):
            assert name
            assert change


def config(data: bytes, folder: Path) -> None:
    """A configuration is refused in words that name it, or taken."""
    path = folder / "runner.toml"
    path.write_bytes(data)
    said: list[str] = []
    for explicit in (str(path), None):
        try:
            found = load_config(explicit, folder=folder, user_file=folder / "none")
            assert "openai" in found.providers
        except UsageError as error:
            said.append(str(error))
    for text in said:
        assert "runner.toml" in text
        assert all(printable(line) == line for line in text.split("\n")), "odd characters"


TARGETS: dict[str, Target] = {
    "jobs": jobs,
    "blocks": blocks,
    "template": template,
    "results": results,
    "journal": journal,
    "run_file": run_file,
    "config": config,
}
