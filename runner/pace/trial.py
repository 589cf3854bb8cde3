"""A trial of whether a lower pace is refused less: what it has come to so far. Pure data."""

import math
from dataclasses import dataclass

_IMMUNE_S, _LONGEST_IMMUNE_S = 900.0, 3600.0


@dataclass(slots=True, eq=False)
class Trial:
    """Rates are requests per second."""

    running: bool = False
    gates: bool = False
    """Whether refusals shut the gate for all."""
    checked: bool = True
    """Whether the pace is known to be what was let in, gates left out."""
    lowered: bool = False
    """Whether too much was refused even so, and the floor was lowered."""
    anchor: float = math.inf
    """The pace to return to where refusals turn out to be chance."""
    tried: float = 0.0
    """The pace of which it is asked whether a lower one is refused less."""
    floor: float = 0.0
    """No lower while it runs."""
    cuts: int = 0
    immune_until: float = -math.inf
    """So long refusals are taken for chance."""
    _immune_s: float = _IMMUNE_S

    def begin(self, anchor: float) -> None:
        """Begin anew."""
        self.running, self.anchor, self.cuts = True, anchor, 0
        self.checked, self.lowered = True, False

    def acquit(self, now: float) -> None:
        """End it: refusals are chance."""
        self.running = self.gates = False
        self.immune_until = now + self._immune_s
        self._immune_s = min(_LONGEST_IMMUNE_S, 2 * self._immune_s)

    def convict(self) -> None:
        """Take that back."""
        self.immune_until, self._immune_s = -math.inf, _IMMUNE_S

    def shuts(self, asked_s: float | None) -> bool:
        """Tell whether one more refusal shuts the gate; `asked_s` is what it asked for."""
        return self.gates and (asked_s is not None or not self.lowered)
