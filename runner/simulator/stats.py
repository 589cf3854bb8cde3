"""What the simulator has seen, for whoever judges a client by it."""

from collections import Counter, defaultdict
from typing import Any

from runner.simulator.ask import Api, Ask
from runner.simulator.batches.tally import BatchTally


class Stats:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget all but the requests that are being answered."""
        self.peak_in_flight = self.in_flight
        self.requests = 0
        self.completed = 0
        self.refusals = 0
        self.disconnects = 0
        self.faults: Counter[str] = Counter()
        self.errors: Counter[int] = Counter()
        self.by_hash: Counter[str] = Counter()
        self.by_endpoint: Counter[str] = Counter()
        self.retries_seen: Counter[str] = Counter()
        self.input_tokens = 0
        self.output_tokens = 0
        self.cached_tokens = 0
        self.cache_write_tokens = 0
        self.by_model: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.batches = BatchTally()
        self._attempts: Counter[str] = Counter()

    def arrived(self, api: Api, retry_count: str) -> None:
        """Count a request that reached an endpoint; `left` must follow."""
        self.requests += 1
        self.by_endpoint[api] += 1
        self.retries_seen[retry_count] += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def left(self) -> None:
        """Count a request as over, however it ended."""
        self.in_flight -= 1

    def understood(self, ask: Ask) -> None:
        """Count a request that passed the checks by what it asks."""
        self.by_hash[ask.body_hash] += 1

    def attempts(self, ask: Ask) -> int:
        """Tell how often the same has been asked and not been refused by a limit."""
        return self._attempts[ask.body_hash]

    def admitted(self, ask: Ask) -> None:
        """Count a request that passed the limits, too."""
        self._attempts[ask.body_hash] += 1

    def refused(self, status: int) -> None:
        """Count an error status that was sent."""
        self.errors[status] += 1
        self.refusals += status == 429

    def delivered(self, ask: Ask, output_tokens: int, reasoning_tokens: int) -> None:
        """Count an answer that was sent whole."""
        self.completed += 1
        self.input_tokens += ask.input_tokens
        self.output_tokens += output_tokens
        self.cached_tokens += ask.cache.read
        self.cache_write_tokens += ask.cache.written
        self.by_model[ask.model].update(
            completed=1,
            input_tokens=ask.input_tokens,
            cached_tokens=ask.cache.read,
            cache_write_tokens=ask.cache.written,
            output_tokens=output_tokens,
            reasoning_tokens=reasoning_tokens,
        )

    def broken_off(self, ask: Ask, output_tokens: int) -> None:
        """Count an answer of which only so many tokens were sent."""
        self.by_model[ask.model].update(
            broken_off=1,
            broken_input_tokens=ask.input_tokens,
            broken_output_tokens=output_tokens,
        )

    def snapshot(self) -> dict[str, Any]:
        """Everything, as it goes out at `/control/stats`."""
        return {
            "requests": self.requests,
            "completed": self.completed,
            "refusals": self.refusals,
            "disconnects": self.disconnects,
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak_in_flight,
            "errors": {str(status): count for status, count in self.errors.items()},
            "faults": dict(self.faults),
            "by_endpoint": dict(self.by_endpoint),
            "by_retry_count": dict(self.retries_seen),
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "cache_write_tokens": self.cache_write_tokens,
            "output_tokens": self.output_tokens,
            "by_model": {model: dict(counts) for model, counts in self.by_model.items()},
            "by_hash": dict(self.by_hash),
            "batches": self.batches.snapshot(),
        }
