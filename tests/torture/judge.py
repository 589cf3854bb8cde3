"""Reads a results file and its journal with nothing but `json`, and says what became of them."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.torture.report import Report
from tests.torture.stage import Stage

Send = tuple[str, str]
"""A request that went out: the job's id and the moment."""


@dataclass(slots=True)
class Judge:
    """Looks at one results file again and again, and never forgives a line that is gone."""

    path: Path
    report: Report
    answers: dict[str, bytes] = field(default_factory=dict)
    """The line of every answer that was ever seen, by id."""
    ends: dict[str, int] = field(default_factory=dict)
    """Where the last record of each job begins now."""
    tails: list[bytes] = field(default_factory=list)
    """Torn ends that were seen."""
    lost: int = 0
    unreadable: int = 0
    _seen: bytes = b""

    def look(self) -> None:
        """Take in what stands there now; every answer seen before must still stand there."""
        data = self.path.read_bytes() if self.path.exists() else b""
        whole = data.rfind(b"\n") + 1
        if data.startswith(self._seen):
            self._take(data, len(self._seen), whole)
        else:
            # Put in order meanwhile: the lines have other places.
            self.ends.clear()
            before, self.answers = self.answers, {}
            self._take(data, 0, whole)
            gone = {i for i, line in before.items() if self.answers.get(i) != line}
            self.lost += len(gone)
            self.report.demand(not gone, f"answers are gone: {sorted(gone)[:5]}")
        self._seen = data[:whole]
        if len(data) > whole:
            self.tails.append(data[whole:])

    def unresolved(self) -> set[Send]:
        """Read from the journal which requests are out, or were when their run was killed."""
        journal = self.path.with_name(self.path.name + ".journal")
        entries: dict[str, tuple[str, int]] = {}
        lines = journal.read_bytes().split(b"\n") if journal.exists() else []
        for number, line in enumerate(lines):
            try:
                job_id, _, at, position = json.loads(line)
            except ValueError:
                torn = number == len(lines) - 1
                self.report.demand(torn, f"unreadable line in the journal: {line[:80]!r}")
                continue
            entries[job_id] = (at, position)
        return {
            (job_id, at)
            for job_id, (at, position) in entries.items()
            if position >= 0 and self.ends.get(job_id, -1) < position
        }

    def _take(self, data: bytes, start: int, whole: int) -> None:
        for line in data[start:whole].split(b"\n")[:-1]:
            record = self._read(line)
            if record is not None:
                self.ends[record["id"]] = start
                if record["status"] == "succeeded":
                    self.answers.setdefault(record["id"], line)
            start += len(line) + 1

    def _read(self, line: bytes) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads(line)
        except ValueError:
            self.unreadable += 1
            self.report.demand(False, f"unreadable line: {line[:80]!r}")
            return None
        return record

    def finished(self, stage: Stage) -> list[dict[str, Any]]:
        """Judge the file at the end of all: every job once, in input order, answered."""
        self.look()
        data = self.path.read_bytes()
        found = [json.loads(line) for line in data.split(b"\n") if line]
        ids = [record["id"] for record in found]
        report = self.report
        report.equal("records", len(found), len(stage.asks))
        report.equal("lost", self.lost + len(stage.asks.keys() - set(ids)), 0)
        report.equal("doubled", len(ids) - len(set(ids)), 0)
        report.equal("unreadable", self.unreadable, 0)
        report.demand(ids == list(stage.asks), "the records are not in input order")
        report.demand(data.endswith(b"\n"), "the last line is not ended")
        report.equal("by status", dict(Counter(r["status"] for r in found)), _all(stage))
        self._judge_tails(data)
        beside = sorted(path.name for path in self.path.parent.glob(self.path.name + ".*"))
        known = {f"{self.path.name}.{end}" for end in ("lock", "run.json", "torn", "checkpoint")}
        report.demand(set(beside) <= known, f"left beside the results: {beside}")
        return found

    def _judge_tails(self, data: bytes) -> None:
        torn = self.path.with_name(self.path.name + ".torn")
        kept = torn.read_bytes() if torn.exists() else b""
        for tail in self.tails:
            self.report.demand(
                tail in kept or tail in data, f"a torn end was thrown away: {tail[:60]!r}"
            )


def _all(stage: Stage) -> dict[str, int]:
    return {"succeeded": len(stage.asks)}


def judge_repeats(
    report: Report, stage: Stage, found: list[dict[str, Any]], unresolved: set[Send]
) -> None:
    """Hold the simulator's count of each job against its record and what was out at a kill.

    A job's answers beyond the one in its record have been paid twice: each of them must have been
    out when a run was killed. The failures of a killed run are lost with it and cost nothing.
    """
    out = Counter(job_id for job_id, _ in unresolved)
    requests = stage.requests()
    repeated = 0
    for record in found:
        job_id = record["id"]
        outcomes = Counter(attempt["outcome"] for attempt in record["attempts"])
        again = stage.answers(job_id, requests[job_id]) - 1
        repeated += again
        report.demand(again <= out[job_id], f"{job_id} was asked {again} times too often")
        report.demand(again >= 0, f"{job_id} has an answer that was never given")
        report.demand(outcomes["ok"] == 1, f"{job_id} records {outcomes['ok']} good attempts")
        unnoted = requests[job_id] - outcomes.total()
        report.demand(unnoted >= 0, f"{job_id} records more attempts than were made")
    report.figures["requests"] = sum(requests.values())
    report.most("repeated requests", repeated, len(unresolved))
