"""Money that may still be spent. Pure: knows no prices, no jobs and no waiting.

Every request in flight is held at the most it can cost, so that what is spent never passes the
limit however answers turn out. Near the end fewer and fewer fit beside each other, down to one.
Amounts are whole numbers of one unit (picodollars), so that sums never drift.
"""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Reservation:
    """What is held for one request in flight."""

    worst: int
    settled: bool = False


class Budget:
    """What may be spent on one results file."""

    def __init__(self, limit: int, spent: int = 0, unknown: int = 0) -> None:
        """`spent`: what is recorded already, attempts of unknown cost at their worst case.

        `unknown`: how much of that stands for such attempts.
        """
        self.limit = limit
        self._spent = spent
        self._unknown = unknown
        self._held = 0

    @property
    def spent(self) -> int:
        """What is gone, attempts of unknown cost at their worst case."""
        return self._spent

    @property
    def unknown(self) -> int:
        """The part of `spent` that nobody knows: it may be less, down to nothing."""
        return self._unknown

    @property
    def held(self) -> int:
        """The most that requests in flight can cost."""
        return self._held

    @property
    def left(self) -> int:
        """What is not spent, requests in flight not counted."""
        return max(0, self.limit - self._spent)

    def admit(self, worst: int) -> bool:
        """Whether a request fits beside those in flight, all at their worst."""
        return self._spent + self._held + worst <= self.limit

    def exhausted(self, next_worst: int) -> bool:
        """Whether this request will not fit any more, even if those in flight cost nothing."""
        return self._spent + next_worst > self.limit

    def reserve(self, worst: int) -> Reservation:
        """Hold the most that a request can cost. Raises ValueError where it does not fit."""
        if worst < 0 or not self.admit(worst):
            raise ValueError("a request must be admitted before it is reserved for")
        self.hold(worst)
        return Reservation(worst)

    def hold(self, worst: int) -> None:
        """Hold what is out already, whether it fits or not."""
        self._held += worst

    def let_go(self, worst: int, cost: int | None) -> None:
        """Take in what became of so much that was held; see `settle`."""
        self._held -= worst
        if cost is None:
            self._unknown += worst
        self._spent += worst if cost is None else cost

    def settle(self, reservation: Reservation, cost: int | None) -> None:
        """Take in what a request cost; None counts its worst case, 0 gives all of it back.

        Raises ValueError for a reservation that is settled already.
        """
        if reservation.settled:
            raise ValueError("a reservation is settled once")
        reservation.settled = True
        self.let_go(reservation.worst, cost)
