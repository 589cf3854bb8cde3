"""Clients that drive the real limiter against simulated servers, and what came of it."""

import math
from bisect import bisect
from collections import deque
from dataclasses import dataclass
from random import Random

from runner.pace.limiter import Limiter
from runner.pace.permit import Need, Permit
from tests.pace.events import Events
from tests.pace.server import Job, Reply, Rules, Server

_MOST_IN_FLIGHT = 400
_FIRST_IN_FLIGHT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Jobs of random length: medians of input and output tokens, and the cap."""

    input: int
    output: int
    cap: int

    def jobs(self, count: int, chance: Random) -> list[Job]:
        """Draw jobs; the bytes of a token differ by a tenth from one to the next."""
        found = []
        for _ in range(count):
            read = max(5, int(chance.lognormvariate(math.log(self.input), 0.5)))
            written = max(1, int(chance.lognormvariate(math.log(self.output), 0.6)))
            size = max(1, int(4 * read * chance.lognormvariate(0, 0.1)))
            found.append(Job(read, min(self.cap, written), self.cap, size))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A server, the work, and what the person configured."""

    work: Work
    rules: Rules
    jobs: int
    rpm: int | None = 600
    tpm: int | None = 100_000
    clients: int = 1
    slow_start: bool = False
    says_cap: bool = True
    most: int = _MOST_IN_FLIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to. Shares are from 0 to 1."""

    use: float
    """Share of what was permitted from the start to the last send."""
    whole: float
    """The same to the last answer."""
    refused: float
    """Without those that were refused by chance."""
    unfinished: int
    minutes: float
    calls: int
    granted_at: list[float]

    def rate(self, start_s: float, end_s: float) -> float:
        """Tell how many requests a second were let in from one moment to another."""
        count = bisect(self.granted_at, end_s) - bisect(self.granted_at, start_s)
        return count / (end_s - start_s)


class Client:
    """Sends jobs as the limiter permits; the refused ones return to the head of the queue."""

    def __init__(self, events: Events, server: Server, scenario: Scenario, chance: Random) -> None:
        self.events = events
        self.server = server
        self.limiter = Limiter(0.0, rpm=scenario.rpm, tpm=scenario.tpm)
        self.chance = chance
        self.waiting = deque(scenario.work.jobs(scenario.jobs, chance))
        self.left = len(self.waiting)
        self.in_flight = 0
        self.most = scenario.most
        self.bound = _FIRST_IN_FLIGHT if scenario.slow_start else self.most
        self.says_cap = scenario.says_cap
        self.wakes_at = math.inf
        self.sent: list[float] = []
        events.at(0.0, self.pump)

    def pump(self) -> None:
        """Send what may be sent now, and come again when more may be."""
        now = self.events.now
        if now >= self.wakes_at:
            self.wakes_at = math.inf
        while self.waiting and self.in_flight < self.bound:
            need = self._need(self.waiting[0])
            wait = self.limiter.wait(need, now)
            if wait > 0:
                if now + wait < self.wakes_at - 1e-6:
                    self.wakes_at = now + wait
                    # A real event loop wakes up a little late.
                    self.events.at(now + wait + 1e-3 * self.chance.random(), self.pump)
                return
            self._send(self.waiting.popleft(), self.limiter.reserve(need, now))

    def _need(self, job: Job) -> Need:
        return Need("model", job.size, job.cap if self.says_cap else None)

    def _send(self, job: Job, permit: Permit) -> None:
        self.in_flight += 1
        self.sent.append(self.events.now)
        delay = 0.02 + self.chance.expovariate(100)
        self.events.at(self.events.now + delay, self._arrive, job, permit)

    def _arrive(self, job: Job, permit: Permit) -> None:
        delay, reply = self.server.call(job)
        self.events.at(self.events.now + delay, self._answered, job, permit, reply)

    def _answered(self, job: Job, permit: Permit, reply: Reply) -> None:
        now = self.events.now
        self.in_flight -= 1
        if reply.accepted:
            self.left -= 1
            self.bound = min(self.most, self.bound + 1)
            self.limiter.settle(
                permit,
                now,
                input_tokens=job.input,
                output_tokens=job.output,
                quota=reply.quota,
            )
        else:
            job.refused += 1
            self.limiter.refused(
                permit,
                now,
                retry_after_s=reply.retry_after_s,
                quota=reply.quota,
                draw=self.chance.random(),
            )
            alone = self.limiter.job_delay(permit, now) - self.limiter.gate_left(now)
            self.events.at(now + max(0.0, alone), self._again, job)
        self.pump()

    def _again(self, job: Job) -> None:
        self.waiting.appendleft(job)
        self.pump()


def run(scenario: Scenario, seed: int) -> Outcome:
    """Play a scenario to its end."""
    chance = Random(seed)
    events = Events()
    server = Server(events, scenario.rules, chance)
    clients = [Client(events, server, scenario, chance) for _ in range(scenario.clients)]
    events.run(lambda: not any(client.left for client in clients))
    return Outcome(
        use=server.use_when_last_sent,
        whole=server.use,
        refused=server.refused / server.calls,
        unfinished=sum(client.left for client in clients),
        minutes=events.now / 60,
        calls=server.calls,
        granted_at=server.granted_at,
    )
