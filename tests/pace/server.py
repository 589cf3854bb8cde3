"""A rate-limited server in simulated time, written apart from the code that it judges."""

import math
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from runner.quota import Gauge, Quota
from tests.pace.events import Events

Charge = Literal["kept", "returned", "late"]
Shown = Literal["true", "nothing left", "all left", "thousands"]
RetryAfter = Literal["exact", "whole seconds", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Somebody else who uses a share of everything for a while."""

    start_s: float
    end_s: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a server permits, charges and tells. Limits are per minute."""

    requests: int | None = 600
    tokens: int | None = 100_000
    input_tokens: int | None = None
    output_tokens: int | None = None
    request_burst_s: float = 1.0
    token_burst_s: float = 6.0
    charge: Charge = "kept"
    refusals_count: bool = True
    headers: bool = True
    shown: Shown = "true"
    """What the headers say is left: the truth, a lie, or rounded."""
    retry_after: RetryAfter = "exact"
    tenant: Tenant | None = None
    halved_at_s: float | None = None
    by_chance: float = 0.0
    """Share of requests that are refused whatever was sent before, and not counted."""
    chance_retry_after_s: float | None = None
    outage: tuple[float, float] | None = None
    """From when to when everything is refused."""


@dataclass(slots=True, eq=False)
class Job:
    """One request as it will turn out to be."""

    input: int
    output: int
    cap: int
    size: int
    """Bytes of the request."""
    refused: int = 0


@dataclass(slots=True, eq=False)
class Account:
    """One limit: what is left, what was granted and what could have been."""

    per_minute: float
    burst_s: float
    level: float = 0.0
    at: float = 0.0
    granted: float = 0.0
    permitted: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.permitted = self.capacity

    @property
    def rate(self) -> float:
        return self.per_minute / 60

    @property
    def capacity(self) -> float:
        return self.rate * self.burst_s

    def advance(self, now: float) -> None:
        self.permitted += self.rate * (now - self.at)
        self.level = min(self.capacity, self.level + self.rate * (now - self.at))
        self.at = now

    def grant(self, amount: float) -> None:
        self.granted += amount
        self.level = min(self.capacity, self.level - amount)

    def lose(self, amount: float) -> None:
        """Give to another tenant."""
        self.permitted -= amount
        self.level -= amount

    def wait(self, amount: float) -> float:
        return max(0.0, (min(amount, self.capacity) - self.level) / self.rate)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client sees."""

    accepted: bool
    quota: Quota | None
    retry_after_s: float | None = None


@dataclass(slots=True, eq=False)
class Server:
    """Admits or refuses at once; answers later."""

    events: Events
    rules: Rules
    chance: Random
    accounts: dict[str, Account] = field(default_factory=dict)
    calls: int = 0
    refused: int = 0
    refused_by_chance: int = 0
    granted_at: list[float] = field(default_factory=list)
    use_when_last_sent: float = 0.0

    def __post_init__(self) -> None:
        rules = self.rules
        for name in ("requests", "tokens", "input_tokens", "output_tokens"):
            limit = getattr(rules, name)
            burst_s = rules.request_burst_s if name == "requests" else rules.token_burst_s
            if limit is not None:
                self.accounts[name] = Account(limit, burst_s)
        if rules.tenant is not None:
            self.events.at(rules.tenant.start_s, self._lose)
        if rules.halved_at_s is not None:
            self.events.at(rules.halved_at_s, self._halve)

    @property
    def use(self) -> float:
        """Share of what was permitted until now, bursts included, that was granted.

        It is that of the limit which binds; not a number where there is none.
        """
        self._advance()
        shares = (one.granted / one.permitted for one in self.accounts.values())
        return max(shares, default=math.nan)

    def call(self, job: Job) -> tuple[float, Reply]:
        """Admit or refuse; tell in how many seconds the reply leaves, and the reply."""
        self._advance()
        self.calls += 1
        rules, now = self.rules, self.events.now
        if rules.outage is not None and rules.outage[0] <= now < rules.outage[1]:
            self.refused += 1
            return 0.05, Reply(False, None, rules.chance_retry_after_s)
        if rules.by_chance and self.chance.random() < rules.by_chance:
            self.refused_by_chance += 1
            return 0.05, Reply(False, None, rules.chance_retry_after_s)
        charges = {name: self._charge(name, job) for name in self.accounts}
        if not all(self._fits(name, amount) for name, amount in charges.items()):
            return 0.05, self._refuse(charges)
        for name, amount in charges.items():
            self.accounts[name].grant(amount)
        self.use_when_last_sent = self.use
        self.granted_at.append(now)
        quota = self._quota()
        delay = 0.4 + self.chance.expovariate(5) + job.output / 60
        self.events.at(self.events.now + delay, self._complete, job)
        return delay, Reply(True, quota)

    def _fits(self, name: str, amount: float) -> bool:
        account = self.accounts[name]
        if self.rules.charge == "late" and name in ("tokens", "output_tokens"):
            return account.level > 0
        return account.level >= min(amount, account.capacity) - 1e-6

    def _refuse(self, charges: dict[str, float]) -> Reply:
        self.refused += 1
        requests = self.accounts.get("requests")
        if self.rules.refusals_count and requests is not None:
            requests.level = max(requests.level - 1, -requests.capacity)
        quota = self._quota()
        wait = max(self.accounts[name].wait(max(1.0, much)) for name, much in charges.items())
        if self.rules.retry_after == "none":
            return Reply(False, quota)
        if self.rules.retry_after == "whole seconds":
            wait = max(1, math.ceil(wait))
        return Reply(False, quota, wait)

    def _complete(self, job: Job) -> None:
        self._advance()
        for name in ("tokens", "output_tokens"):
            if name not in self.accounts or self.rules.charge == "kept":
                continue
            late = self.rules.charge == "late"
            self.accounts[name].grant(job.output if late else job.output - job.cap)

    def _charge(self, name: str, job: Job) -> float:
        output = 0 if self.rules.charge == "late" else job.cap
        return {
            "requests": 1,
            "tokens": job.input + output,
            "input_tokens": job.input,
            "output_tokens": output,
        }[name]

    def _quota(self) -> Quota | None:
        if not self.rules.headers:
            return None
        gauges = {
            name: Gauge(limit=int(found.per_minute), remaining=self._shown(found))
            for name, found in self.accounts.items()
        }
        return Quota(**gauges)

    def _shown(self, account: Account) -> int:
        left = max(0, math.floor(account.level))
        return {
            "true": left,
            "nothing left": 0,
            "all left": int(account.per_minute),
            "thousands": 1000 * round(left / 1000),
        }[self.rules.shown]

    def _advance(self) -> None:
        for account in self.accounts.values():
            account.advance(self.events.now)

    def _lose(self) -> None:
        self._advance()
        tenant = self.rules.tenant
        assert tenant is not None
        for account in self.accounts.values():
            account.lose(account.rate * tenant.share * 0.1)
        if self.events.now < tenant.end_s:
            self.events.at(self.events.now + 0.1, self._lose)

    def _halve(self) -> None:
        self._advance()
        for account in self.accounts.values():
            account.per_minute /= 2
            account.level = min(account.level, account.capacity)
