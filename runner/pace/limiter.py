"""Permits for one provider, key and model family: wait, reserve, settle. Pure; never waits itself.

Three things hold a request back: ceilings that a person gave, meters of what the server says,
and, where the server refuses without saying, a pace found by trying. The slowest one counts.
"""

import math
from typing import Literal

from runner.pace.ceiling import request_ceiling, token_ceiling
from runner.pace.entry import Size, Unit
from runner.pace.estimate import Estimate
from runner.pace.finder import Finder
from runner.pace.gate import Gate, wait_alone
from runner.pace.meter import Meter
from runner.pace.permit import Need, Permit
from runner.quota import Gauge, Quota

Holder = Literal["rpm", "tpm", "server", "gate"]
"""What holds the pace: requests, tokens, a pace found by trying, or a refusal's gate."""

_STILL_HELD_S = 1.0
_LONG_S = 2.0
"""A server that asks for so much may well mean all requests."""

_UNITS = (
    Unit("requests", requests=1),
    Unit("tokens", input=1, output=1),
    Unit("input_tokens", input=1),
    Unit("output_tokens", output=1, starts="late"),
)


class Limiter:
    """Grants starts. Numbers a person gave are hard ceilings; headers only lower or fill in."""

    def __init__(self, now: float, *, rpm: int | None = None, tpm: int | None = None) -> None:
        self.refusals = 0
        self.gate = Gate()
        self._finder = Finder(now)
        self._rpm = request_ceiling(now, rpm) if rpm is not None else None
        self._tpm = token_ceiling(now, tpm) if tpm is not None else None
        self._estimates: dict[str, Estimate] = {}
        # All are kept until the first headers tell which of them there are.
        self._meters = {unit.name: Meter(now, unit) for unit in _UNITS}
        self._told = False
        self._holder: Holder | None = None
        self._held_until = now

    def estimate(self, model: str) -> Estimate:
        """Give what is known of a model's requests."""
        found = self._estimates.get(model)
        if found is None:
            found = self._estimates[model] = Estimate()
        return found

    def wait(self, need: Need, now: float) -> float:
        """Tell in how many seconds a request may start; 0 when it may now. Ask again after."""
        longest = self.gate.left(now)
        holder: Holder = "gate"
        size = self._size(need)
        for meter in self._meters.values():
            wait = meter.wait(size, now)
            if wait > longest:
                longest, holder = wait, "rpm" if meter.unit.requests else "tpm"
        if self._rpm is not None and (wait := self._rpm.wait(1.0, now)) > longest:
            longest, holder = wait, "rpm"
        if (
            self._tpm is not None
            and (wait := self._tpm.wait(self._held(need, size), now)) > longest
        ):
            longest, holder = wait, "tpm"
        if (wait := self._finder.wait(now)) > longest:
            longest, holder = wait, "server"
        if longest > 0:
            self._holder, self._held_until = holder, now + longest
        return longest

    def reserve(self, need: Need, now: float) -> Permit:
        """Take what a request needs; it is to be sent now."""
        size = self._size(need)
        held = 0.0
        if self._rpm is not None:
            self._rpm.take(1.0, now)
        if self._tpm is not None:
            held = self._held(need, size)
            self._tpm.take(held, now)
        serial = self._finder.sent(now)
        entries = [(meter, meter.reserve(size, now)) for meter in self._meters.values()]
        return Permit(need, now, size, held, entries, serial)

    def settle(
        self,
        permit: Permit,
        now: float,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        quota: Quota | None = None,
    ) -> None:
        """End a request that was let in, with what it used; None where that is unknown.

        `input_tokens` are those that count for the limit: without cached ones where those are free.
        """
        _close(permit)
        self.gate.passed(permit.sent_at)
        need, size = permit.need, permit.size
        self.estimate(need.model).learn(need.input_bytes, input_tokens, output_tokens)
        known = input_tokens is not None and output_tokens is not None
        used = Size(
            size.input if input_tokens is None else input_tokens,
            size.output if output_tokens is None else output_tokens,
            size.cap,
        )
        if self._tpm is not None and known:
            self._tpm.put_back(permit.held - used.input - used.output, now)
        for meter, entry in permit.entries:
            meter.settle(entry, used, now)
        if quota is not None:
            self._observe(permit, quota, now)

    def failed(self, permit: Permit, now: float, *, quota: Quota | None = None) -> None:
        """End a request that was sent and of which nothing is known: it counts as it was held."""
        self.settle(permit, now, quota=quota)

    def cancelled(self, permit: Permit, now: float) -> None:
        """Take back a permit whose request was never sent."""
        _close(permit)
        self._finder.unsent(now)
        if self._rpm is not None:
            self._rpm.take(-1.0, now)
        if self._tpm is not None:
            self._tpm.put_back(permit.held, now)
        for meter, entry in permit.entries:
            meter.undo(entry, now)

    def turned_away(self, permit: Permit, now: float, *, quota: Quota | None = None) -> None:
        """End a request for which there was no room, whatever the rate.

        It counts as a request, since some servers count it, but not as tokens; no gate is shut.
        """
        _close(permit)
        if self._tpm is not None:
            self._tpm.put_back(permit.held, now)
        for meter, entry in permit.entries:
            if not meter.unit.requests:
                meter.undo(entry, now)
        if quota is not None:
            self._observe(permit, quota, now)

    def refused(
        self,
        permit: Permit,
        now: float,
        *,
        retry_after_s: float | None,
        quota: Quota | None,
        draw: float,
    ) -> bool:
        """End a request that was refused for rate; `draw`, from 0 to 1, spreads those who wait.

        True if a figure of the server's explains it. It counts as a request, since some servers
        count it, but not as tokens.
        """
        _close(permit)
        self.refusals += 1
        if self._tpm is not None:
            self._tpm.put_back(permit.held, now)
        explained = False
        for meter, entry in permit.entries:
            if not meter.unit.requests:
                meter.undo(entry, now)
            if quota is not None:
                gauge = _gauge(quota, meter)
                explained |= meter.refused(entry, gauge, permit.sent_at, now)
        if quota is not None:
            self._observe(permit, quota, now)
        if self._finder.refused(
            now, permit.sent_at, permit.serial, cut=not explained, asked_s=retry_after_s
        ):
            self._shut(permit, now, retry_after_s, draw)
        else:
            permit.again_at = now + wait_alone(retry_after_s, draw)
            if retry_after_s is not None and _LONG_S <= retry_after_s < math.inf:
                self.gate.shut_in_doubt(now, permit.sent_at, retry_after_s, draw)
        return explained

    def doubts(self, now: float) -> bool:
        """Tell whether refusals are taken for chance just now, whatever the pace."""
        return self._finder.doubts(now)

    def job_delay(self, permit: Permit, now: float) -> float:
        """Tell for how many seconds a job that was just refused has to wait, the gate included."""
        return max(self.gate.left(now), permit.again_at - now, 0.0)

    def _shut(self, permit: Permit, now: float, retry_after_s: float | None, draw: float) -> None:
        self.gate.shut(now, permit.sent_at, retry_after_s, draw)
        if retry_after_s is not None:
            self._finder.hold(self.gate.until)
        for meter in self._meters.values():
            meter.hold(self.gate.until)

    def holds(self, now: float) -> Holder | None:
        """Tell what holds requests back just now; None when nothing does."""
        if now < self.gate.until:
            return "gate"
        return self._holder if now <= self._held_until + _STILL_HELD_S else None

    def gate_left(self, now: float) -> float:
        """Tell for how many seconds the gate stays shut."""
        return self.gate.left(now)

    def rate(self, need: Need) -> float | None:
        """Tell how many requests like this may start per second; None where nothing bounds them."""
        size = self._size(need)
        rates = [meter.rate(size) for meter in self._meters.values()]
        rates += [self._finder.rate, self._rpm.rate if self._rpm else None]
        if self._tpm is not None:
            rates.append(self._tpm.rate / (size.input + size.output))
        return min((rate for rate in rates if rate is not None), default=None)

    @property
    def is_told(self) -> bool:
        """Whether the server tells of any limit."""
        return any(meter.limit for meter in self._meters.values())

    def _size(self, need: Need) -> Size:
        estimate = self.estimate(need.model)
        usual = estimate.output_tokens(need.output_cap)
        cap = usual if need.output_cap is None else need.output_cap
        return Size(estimate.input_tokens(need.input_bytes), usual, cap)

    def _held(self, need: Need, size: Size) -> float:
        return size.input + (size.output if self.estimate(need.model).is_known else size.cap)

    def _observe(self, permit: Permit, quota: Quota, now: float) -> None:
        for meter, entry in permit.entries:
            meter.observe(entry, _gauge(quota, meter), permit.sent_at, now)
        if self._told:
            for unit in _UNITS:
                if unit.name not in self._meters and getattr(quota, unit.name).limit:
                    self._meters[unit.name] = Meter(now, unit)
        elif quota.told:
            self._told = True
            told = {name: meter for name, meter in self._meters.items() if meter.limit}
            self._meters = told


def _gauge(quota: Quota, meter: Meter) -> Gauge:
    gauge: Gauge = getattr(quota, meter.unit.name)
    return gauge


def _close(permit: Permit) -> None:
    if not permit.open:
        raise ValueError("A permit may be given back only once.")
    permit.open = False
