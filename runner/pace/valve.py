"""The valve: how many requests of one provider and model may be in flight. Pure; never waits.

It knows nothing of rates and of Retry-After: pace is the limiter's. It opens while nothing is
wrong, finds where more in flight bring no more, and closes a little where the server says so.
"""

import math
from collections import deque
from typing import Literal

from msgspec import Struct

from runner.pace.climb import Answer, Climb

Outcome = Literal["ok", "refused", "unlucky", "overloaded", "failed", "cancelled"]
"""`refused`: a 429 although the known rates had room; `unlucky`: the same from a server that
refuses by chance; `overloaded`: 503, 529 or slow_down;
`failed`: any other failure of the server or the way to it, which says little about load;
`cancelled`: ended by us, or for a reason of the job's own."""
Reason = Literal["start", "server", "-c", "system"]
"""Why the ceiling is not higher: it still grows, the server, the person, or this machine."""

MOST = 1000
_START, _START_GIVEN, _START_PART = 20, 32, 32
"""In flight before anything is known; where a person asked for very many, that part of them."""
_CUT, _SLIGHT_CUT = 0.7, 0.96
_CALM_TRIPS = 3.0
_CALM_S = 1.0
_OVERLOADED, _FAILED = 0.12, 0.5
"""Shares of the recent requests from which on these are a sign of too much load."""
_LEAST_FAILING = 8
"""Where most requests fail, and not for load, so many are out all the same: the run must end."""
_RECENT = 50
_RECENT_S = 10.0
_WALL_S, _LONGEST_WALL_S = 5.0, 240.0
_SAME_WALL = 0.95
_A_CHANCE = 64
"""Among so many one is refused by chance sooner or later."""
_LUCK, _UNLUCKY = 4, 12
"""Where some are refused by chance: how many refusals each one let in outweighs, and how many more
make a wall."""
_LIFT, _LIFT_S, _LIFT_TRIPS = 1.04, 2.0, 3.0
"""How a wall is tried again: first a little above, then by more and more."""
_EAGER_S, _EAGER = 1.0, 8.0
"""Before the first answer so many more are let out every second, while nothing is refused."""
_EAGER_GIVEN_S, _SHARE_GIVEN, _EAGER_HIGH_S = 0.1, 1 / 3, 0.2
"""To what a person asked for it doubles so soon, above this share of it with the second pause: the
first answers tell how slow the server becomes, and a second's worth of them is not waited for."""
_LOOK_AGAIN_S = 1.0
_BLIND_S, _MOST_BLIND = 10.0, 128
_HEADROOM = 1.5
_USED = 0.9
"""The ceiling counts as used from this share of it on."""


class Ticket(Struct, eq=False, gc=False):
    """A request in flight; to be given back exactly once."""

    started_at: float
    serial: int
    in_flight: int
    """With itself."""
    open: bool = True


class Valve:
    """Counts what is in flight and says how much may be."""

    def __init__(
        self,
        now: float,
        *,
        most: int | None = None,
        system: int | None = None,
        start: int | None = None,
    ) -> None:
        """`most` is the person's hard ceiling, `system` what this machine can bear."""
        self._most = most
        bounds = [MOST if most is None else most, *([system] if system is not None else [])]
        self._top = max(1, min(bounds))
        begin = start or (_START if most is None else max(_START_GIVEN, most // _START_PART))
        self._climb = Climb(
            now, float(min(begin, self._top)), top=float(self._top), keen=most is not None
        )
        self.in_flight = 0
        self.peak = 0
        self._rate: float | None = None
        self._started = 0
        self._used_at = -math.inf
        self._troubles: dict[Outcome, deque[int]] = {"overloaded": deque(), "failed": deque()}
        self._cut_at = -math.inf
        self._episode_at = -math.inf
        self._wall = math.inf
        self._wall_s = _WALL_S
        self._lift = _LIFT
        self._levels: deque[tuple[float, int, bool]] = deque(maxlen=MOST)
        self._was_doubling = True
        self._wall_until = -math.inf
        self._grown, self._grown_at = self._climb.level, now
        self._eager_s = _EAGER_S if most is None else _EAGER_GIVEN_S
        self._eager_at = now + self._eager_s
        self._eager = True
        """Whether nothing has spoken against more so far."""

    @property
    def ceiling(self) -> int:
        """The most that may be in flight now."""
        return int(self._climb.level + 1e-9)

    @property
    def may_start(self) -> bool:
        """Whether one more may go out."""
        return self.in_flight < self.ceiling

    def look_again(self, now: float) -> float:
        """Tell in how many seconds `advance` may let more out."""
        return max(0.0, min(_LOOK_AGAIN_S, self._eager_at - now)) if self._eager else _LOOK_AGAIN_S

    @property
    def why(self) -> Reason:
        """Tell why the ceiling is not higher."""
        if self.ceiling >= self._top:
            return "-c" if self._most == self._top else "system"
        return "start" if self._climb.doubling and self._wall == math.inf else "server"

    def started(self, now: float) -> Ticket:
        """Note a request that goes out."""
        self._started += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        if self.in_flight >= _USED * self.ceiling:
            self._used_at = now
        return Ticket(now, self._started, self.in_flight)

    def ended(
        self, ticket: Ticket, now: float, outcome: Outcome, tokens: float | None = None
    ) -> None:
        """Note how a request ended; `tokens` were written, None where nobody knows.

        An estimate from the text's length is better than None.
        """
        if not ticket.open:
            raise ValueError("A ticket may be given back only once.")
        ticket.open = False
        in_flight = self.in_flight
        self.in_flight -= 1
        if outcome == "cancelled":
            return
        if outcome != "ok" or self._most is None:
            self._eager = False
        self._levels.append((now, ticket.in_flight, outcome not in ("refused", "unlucky")))
        if outcome == "ok":
            self._refresh(now)
            seconds = max(1e-6, now - ticket.started_at)
            answer = Answer(ticket.started_at, ticket.in_flight, seconds, tokens)
            used = self._used_at >= ticket.started_at
            self._climb.answered(answer, now, in_flight, used=used)
        elif outcome in ("refused", "unlucky"):
            self._refused(ticket, now, chance=outcome == "unlucky")
        elif outcome == "failed" and self.ceiling <= _LEAST_FAILING:
            return
        elif self._is_too_much(ticket, outcome):
            self._cut(ticket, now, _CUT)

    def rate_known(self, per_second: float | None) -> None:
        """Take in the rate that the limiter paces by, so that the valve does not hold it up."""
        self._rate = per_second

    def advance(self, now: float) -> None:
        """Let time pass; to be called about once a second while requests wait for the valve."""
        self._refresh(now)
        climb = self._climb
        if self._eager and now >= self._eager_at:
            # A refusal would have come by now, an answer takes longer.
            self._eager = climb.doubling and climb.level < climb.cap
            if self._most is None:
                climb.leap(min(climb.level + _EAGER, climb.cap, _MOST_BLIND))
            else:
                climb.leap(min(2 * climb.level, climb.cap))
                if climb.level >= _SHARE_GIVEN * self._most:
                    self._eager_s = _EAGER_HIGH_S
            self._eager_at = now + self._eager_s
        if self.may_start or climb.level >= 1.5 * self._grown:
            self._grown, self._grown_at = climb.level, now
        elif now - self._grown_at >= _BLIND_S and climb.doubling and self._wall == math.inf:
            # Answers take long, and nothing speaks against more.
            climb.leap(min(2 * climb.level, climb.cap, _MOST_BLIND))
            self._grown, self._grown_at = climb.level, now

    def _refresh(self, now: float) -> None:
        climb = self._climb
        if self._wall < math.inf and now >= self._wall_until:
            climb.cap = min(float(self._top), max(climb.cap + 1, climb.cap * self._lift))
            self._lift = min(2.0, self._lift**2)
            self._wall_until = now + max(_LIFT_S, _LIFT_TRIPS * climb.trip)
            if climb.cap >= self._top:
                self._open(now)
            elif self._was_doubling and not climb.doubling:
                climb.go(now, climb.level, doubling=True)
        if self._rate is not None and climb.doubling and climb.trip:
            wanted = self._rate * climb.trip * _HEADROOM + 1
            climb.leap(min(wanted, climb.cap))

    def _is_too_much(self, ticket: Ticket, outcome: Outcome) -> bool:
        # Counted by what was started, not by what ended: failures end sooner than answers.
        serials = self._troubles[outcome]
        serials.append(ticket.serial)
        recent = max(_RECENT, 2 * self.ceiling)
        while serials[0] <= self._started - recent:
            serials.popleft()
            if not serials:
                return False
        return len(serials) > recent * (_OVERLOADED if outcome == "overloaded" else _FAILED)

    def _refused(self, ticket: Ticket, now: float, *, chance: bool) -> None:
        if 2 * ticket.in_flight < self.ceiling:
            return  # so few were out that the valve has nothing to do with it
        if not self._is_wall(ticket, now, chance=chance):
            self._open(now)
        elif ticket.started_at >= self._cut_at:
            self._cut(ticket, now, _SLIGHT_CUT if self._is_calm(now) else _CUT)
        elif self._episode_at <= ticket.started_at and ticket.in_flight < self._wall:
            # Of the same episode: it may tell more exactly where the wall is, and no more.
            self._lower(now, (ticket.in_flight - 1) * _SLIGHT_CUT, ticket.in_flight)

    def _is_wall(self, ticket: Ticket, now: float, *, chance: bool) -> bool:
        # A limit on how many are in flight refuses nearly all above it. Where as many or more
        # have just been let in, it is the rate, or chance, and none of the valve's business.
        since = now - max(_RECENT_S, _CALM_TRIPS * self._climb.trip)
        balance, luck = (_UNLUCKY, _LUCK) if chance else (ticket.in_flight // _A_CHANCE, 1)
        for at, level, let_in in reversed(self._levels):
            if at < since:
                break
            if level >= ticket.in_flight:
                balance += luck if let_in else -1
        return balance <= 0

    def _open(self, now: float) -> None:
        """Forget a wall that is none."""
        if self._wall < math.inf:
            self._wall = math.inf
            self._climb.cap = float(self._top)
            self._climb.go(now, self._climb.level, doubling=self._was_doubling)

    def _is_calm(self, now: float) -> bool:
        return now - self._cut_at > max(_CALM_S, _CALM_TRIPS * self._climb.trip)

    def _cut(self, ticket: Ticket, now: float, factor: float) -> None:
        if ticket.started_at < self._cut_at:
            return
        at = min(ticket.in_flight, self.ceiling)
        wall = float(at)
        if self._is_calm(now):
            again = now - self._wall_until < _CALM_TRIPS * self._wall_s
            self._wall_s = min(_LONGEST_WALL_S, 2 * self._wall_s) if again else _WALL_S
        elif self._wall < math.inf:
            # One bad time: it tells little about lower levels.
            wall = max(wall, _SAME_WALL * self._wall)
        self._wall_until = now + self._wall_s
        self._lift = _LIFT
        self._episode_at = ticket.started_at
        self._cut_at = now
        for serials in self._troubles.values():
            serials.clear()
        self._lower(now, factor * (at - 1 if factor == _SLIGHT_CUT else at), wall)

    def _lower(self, now: float, level: float, wall: float) -> None:
        level = max(1.0, min(level, self._climb.level))
        if self._wall == math.inf:
            self._was_doubling = self._climb.doubling
        self._wall = wall
        self._climb.cap = max(level, min(float(self._top), _SLIGHT_CUT * (wall - 1)))
        self._climb.go(now, level, doubling=2 * level < self._climb.cap)
