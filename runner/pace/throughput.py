"""How much gets done at a level of requests in flight. Pure sums, without a clock.

An answer takes as long as it is long. So latencies are compared with the work in them: a constant
and the tokens written. What is left is how slow the server is, whatever the jobs happen to be.
"""

import math
from dataclasses import dataclass

_FORGET = 0.995
_ENOUGH = 12.0


@dataclass(slots=True)
class Window:
    """Sums over answers that were asked for at about the same level."""

    count: float = 0.0
    levels: float = 0.0
    seconds: float = 0.0
    tokens: float = 0.0
    seconds2: float = 0.0
    tokens2: float = 0.0
    product: float = 0.0

    def add(self, level: float, seconds: float, tokens: float) -> None:
        """Take in an answer; `level` is how many were in flight when it was asked for."""
        self.count += 1
        self.levels += level
        self.seconds += seconds
        self.tokens += tokens
        self.seconds2 += seconds * seconds
        self.tokens2 += tokens * tokens
        self.product += seconds * tokens

    def merge(self, other: "Window") -> None:
        """Take in all of another window."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def fade(self, share: float) -> None:
        """Let what was taken in so far weigh less."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) * share)

    @property
    def level(self) -> float:
        """The mean number of requests in flight."""
        return self.levels / self.count if self.count else 0.0

    def slowness(self, constant: float | None) -> float:
        """Give the seconds per unit of work: a token, or an answer where `constant` is None."""
        return self.seconds / max(1e-9, self._work(constant))

    def throughput(self, constant: float | None) -> float:
        """Give the work done per second at this level, by Little's law."""
        return self.level * self._work(constant) / max(1e-9, self.seconds)

    def error(self, constant: float | None) -> float:
        """Give the standard error of the throughput as a share of it."""
        slow = self.slowness(constant)
        if constant is None:
            squares = self.seconds2 - 2 * slow * self.seconds + slow * slow * self.count
        else:
            works2 = self.tokens2 + 2 * constant * self.tokens + constant**2 * self.count
            both = self.product + constant * self.seconds
            squares = self.seconds2 - 2 * slow * both + slow * slow * works2
        return math.sqrt(max(0.0, squares)) / max(1e-9, self.seconds)

    def _work(self, constant: float | None) -> float:
        return self.count if constant is None else constant * self.count + self.tokens


class Shape:
    """What an answer costs before its first token, in tokens: a line through what was seen."""

    __slots__ = ("_count", "_product", "_seconds", "_tokens", "_tokens2", "tokens")

    def __init__(self) -> None:
        self._count = self._seconds = self._tokens = self._tokens2 = self._product = 0.0
        self.tokens: float | None = None
        """The mean number of tokens; None while nobody tells."""

    def add(self, seconds: float, tokens: float) -> None:
        """Take in an answer of known length."""
        self._count = self._count * _FORGET + 1
        self._seconds = self._seconds * _FORGET + seconds
        self._tokens = self._tokens * _FORGET + tokens
        self._tokens2 = self._tokens2 * _FORGET + tokens * tokens
        self._product = self._product * _FORGET + seconds * tokens
        self.tokens = self._tokens / self._count

    @property
    def constant(self) -> float | None:
        """The constant in tokens; None where length does not tell how long an answer takes."""
        if self._count < _ENOUGH:
            return None
        mean_tokens, mean_seconds = self._tokens / self._count, self._seconds / self._count
        spread = self._tokens2 / self._count - mean_tokens**2
        together = self._product / self._count - mean_tokens * mean_seconds
        if together <= 0 or spread <= 1e-6 * mean_tokens**2:
            return None
        return max(0.0, mean_seconds * spread / together - mean_tokens)
