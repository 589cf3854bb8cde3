"""How long jobs take at the limits that are known before anything is sent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from runner.checking.estimate import whole_of
from runner.config import ProviderConfig
from runner.settings import Lane
from runner.view.texts_estimate import Estimate, Sum


class Limits(NamedTuple):
    """Requests and tokens a minute, and requests at once; None where nobody said."""

    rpm: int | None
    tpm: int | None
    at_once: int | None = None


def timed(
    models: Sequence[Estimate], run: Limits, providers: Mapping[str, ProviderConfig], lane: Lane
) -> tuple[list[Estimate], Estimate]:
    """Say how long the jobs of each model take by themselves, and all together.

    A provider's limits are for all its models, those of the run for all that it sends. Batches
    take what time they take.
    """
    if lane == "batch":
        return list(models), whole_of(models, lane)
    by_provider: dict[str, list[Estimate]] = {}
    each = []
    for one in models:
        name = one.model.partition("/")[0]
        by_provider.setdefault(name, []).append(one)
        own = _longest([_at(run, one), _at(_limits(providers[name]), one)])
        each.append(replace(one, time_s=own))
    whole = whole_of(each, lane)
    times = [_at(run, whole)]
    for name, some in by_provider.items():
        times.append(_at(_limits(providers[name]), whole_of(some, lane)))
    return each, replace(whole, time_s=_longest(times))


def _limits(provider: ProviderConfig) -> Limits:
    return Limits(provider.rpm, provider.tpm)


def _at(limits: Limits, jobs: Estimate) -> Sum | None:
    """Give the seconds at some limits; None where there are none."""
    rpm, tpm, at_once = limits
    times: list[Sum] = []
    if rpm:
        times.append(Sum(*3 * (60 * jobs.jobs / rpm,)))
    if tpm:
        read = jobs.input_tokens
        times.append(
            Sum(
                _by_tokens(read.low, 0, tpm),
                _by_tokens(read.about, jobs.output_tokens, tpm),
                _by_tokens(read.high, jobs.capped_tokens, tpm),
            )
        )
    if at_once:
        # How long an answer takes is known from answers alone, and bounded by nothing.
        times.append(Sum(0.0, None if jobs.busy_s is None else jobs.busy_s / at_once))
    return _longest(times) if times else None


def _by_tokens(read: float | None, written: float | None, tpm: int) -> float | None:
    return None if read is None or written is None else 60 * (read + written) / tpm


def _longest(times: Iterable[Sum | None]) -> Sum:
    """Several limits hold at once: the slowest decides."""
    known = [one for one in times if one is not None]
    found = Sum(*map(_most, zip(*known, strict=True))) if known else Sum()
    # Where both ends are the same, the middle is known whatever the answers' lengths.
    return found._replace(about=found.low) if found.low == found.high else found


def _most(column: Iterable[float | None]) -> float | None:
    values = list(column)
    return None if None in values else max(one for one in values if one is not None)
