"""One strike, the run after it, and what became of the answers. Reads with nothing but `json`."""

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.torture.crashpoints_cases import CORRUPT, JOBS, Case
from tests.torture.crashpoints_server import Run, Server

KILLS = ("kill", "part")
_TOLD = re.compile(r"([\d,]+) (?:were|was) on (?:their|its) way when the last run was killed")
_BESIDE = {"", ".lock", ".run.json", ".torn", ".run.json.tmp", ".journal.tmp"}
_CHECKPOINT = {".checkpoint", ".checkpoint.tmp"}

Key = tuple[str, str, str]
"""What is an answer's own: id, digest, and when it was asked."""


@dataclass(slots=True, kw_only=True)
class Point:
    """One point of one case, in a folder of its own."""

    case: Case
    folder: Path
    broken: list[str] = field(default_factory=list)
    seen: set[Key] = field(default_factory=set)
    attempts: set[Key] = field(default_factory=set)
    out: set[str] = field(default_factory=set)

    @property
    def results(self) -> Path:
        """The results file as the user names it."""
        return self.folder / "jobs.results.jsonl"

    def demand(self, holds: object, what: str) -> None:
        """Note a promise that does not hold."""
        if not holds:
            self.broken.append(what)

    def strike(self, taken: Server, how: str, at: int) -> Run:
        """Run and be struck: nothing that was recorded may be gone."""
        taken.forget()
        self.seen, self.attempts = set(self._answers()), self._attempts()
        run = taken.run(self.folder, self.case, self.case.options_of(struck=True), at, how)
        ends = {-9} if how in KILLS else {74}
        self.demand(run.code in {int(self.case.invalid), *ends}, f"ended: {run.code}: {run.said}")
        self._sound(run)
        now = self._answers()
        self.demand(self.seen <= set(now), f"answers are gone: {self.seen - set(now)}")
        self.seen |= set(now)
        self.out = self._unresolved()
        return run

    def finish(self, taken: Server) -> None:
        """Run again, and judge what stands there at the end of all."""
        retried = "--retry" in self.case.finishing
        answered = {record["id"] for record in _records(self.results) if _answered(record)}
        run = taken.run(self.folder, self.case, self.case.options_of(struck=False))
        self.demand(run.code == int(self.case.invalid), f"then ended: {run.code}: {run.said}")
        self._sound(run)
        if not self.case.stdin:  # what has its answer is not asked again unasked
            self._judge_told(run, self.out if retried else self.out - answered)
        self._judge_file()
        self._judge_answers()
        kept = "--retry" in self.case.options and not retried
        allowed = _BESIDE | _CHECKPOINT if self.case.checkpoint else _BESIDE
        self._judge_beside(allowed | {".journal"} if kept else allowed)
        unpaid = taken.requests() - len(self._attempts() - self.attempts)
        self.demand(unpaid <= len(self.out), f"{unpaid} lost requests, {len(self.out)} were out")

    def _sound(self, run: Run) -> None:
        bad = "Traceback" in run.said or "internal error" in run.said
        self.demand(not bad, f"it said: {run.said}")

    def _judge_told(self, run: Run, out: set[str]) -> None:
        found = _TOLD.search(" ".join(run.said.split()))
        said = int(found[1].replace(",", "")) if found else 0
        self.demand(said == len(out), f"{len(out)} were out, {said} were told: {run.said}")

    def _judge_file(self) -> None:
        records = _records(self.results)
        ids = [record["id"] for record in records]
        wanted = [f"job-{number}" for number in range(JOBS)]
        if self.case.invalid:
            wanted.insert(3, "bad")
        self.demand(sorted(ids) == sorted(wanted), f"the file holds {ids}")
        self.demand(ids == wanted or not self.case.ordered, f"the order is {ids}")
        statuses = Counter(record["status"] for record in records)
        self.demand(statuses["succeeded"] == JOBS, f"statuses: {statuses}")
        whole = self.results.exists() and self.results.read_bytes().endswith(b"\n")
        self.demand(whole, "the last line is not ended")
        self.demand(self.results.is_symlink() == self.case.linked, "the link is not what it was")

    def _judge_answers(self) -> None:
        answers = self._answers()
        gone = self.seen - set(answers)
        self.demand(not gone, f"answers are gone at the end: {gone}")
        doubled = [key for key, number in answers.items() if number > 1]
        self.demand(not doubled, f"answers stand twice: {doubled}")

    def _judge_beside(self, allowed: set[str]) -> None:
        real = self.results.resolve()
        found = {path.name.removeprefix(real.name) for path in real.parent.glob(real.name + "*")}
        self.demand(found <= allowed, f"left beside the results: {sorted(found)}")

    def _everything(self) -> list[dict[str, Any]]:
        """Read the results, the replaced answers and what was set aside."""
        real = self.results.resolve()
        files = [real, *real.parent.glob(f"{real.stem}.*.jsonl")]
        for path in files:
            for line in _lines(path):
                self.demand(
                    _read(line) is not None or line == CORRUPT, f"unreadable: {path.name}: {line!r}"
                )
        return [record for path in files for record in _records(path)]

    def _answers(self) -> Counter[Key]:
        return Counter(
            (record["id"], record["digest"], record["attempts"][-1]["started_at"])
            for record in self._everything()
            if _answered(record)
        )

    def _attempts(self) -> set[Key]:
        return {
            (record["id"], attempt["run"], attempt["started_at"])
            for record in self._everything()
            for attempt in record["attempts"]
        }

    def _unresolved(self) -> set[str]:
        real = self.results.resolve()
        ends: dict[str, int] = {}
        position = 0
        for line in _lines(real):
            record = _read(line)
            if record is not None:
                ends[record["id"]] = position
            position += len(line) + 1
        entries: dict[str, int] = {}
        for line in _lines(real.with_name(real.name + ".journal")):
            with suppress(ValueError):  # torn
                job_id, _, _, at = json.loads(line)
                entries[job_id] = at
        return {i for i, at in entries.items() if at >= 0 and ends.get(i, -1) < at}


def _lines(path: Path) -> list[bytes]:
    """Read the whole lines of a file that may be missing; a whole last one may lack its end."""
    *lines, last = path.read_bytes().split(b"\n") if path.exists() else [b""]
    return lines if _read(last) is None else [*lines, last]


def _read(line: bytes) -> Any:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record


def _records(path: Path) -> list[dict[str, Any]]:
    return [record for record in map(_read, _lines(path)) if record is not None]


def _answered(record: dict[str, Any]) -> bool:
    return bool(record["status"] == "succeeded")
