"""How long jobs take at the limits that are known before anything is sent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from runner.checking.estimate import whole_of
from runner.config import ProviderConfig
from runner.view.texts_estimate import Estimate, Sum


class Limits(NamedTuple):
    """Requests and tokens a minute; None where nobody said."""

    rpm: int | None
    tpm: int | None


def timed(
    models: Sequence[Estimate], run: Limits, providers: Mapping[str, ProviderConfig]
) -> tuple[list[Estimate], Estimate]:
    """Say how long the jobs of each model take by themselves, and all together.

    A provider's limits are for all its models, those of the run for all that it sends.
    """
    by_provider: dict[str, list[Estimate]] = {}
    each = []
    for one in models:
        name = one.model.partition("/")[0]
        by_provider.setdefault(name, []).append(one)
        own = _longest([_at(run, one), _at(_limits(providers[name]), one)])
        each.append(replace(one, time_s=own))
    lane = models[0].lane if models else "live"
    whole = whole_of(each, lane)
    times = [_at(run, whole)]
    for name, some in by_provider.items():
        times.append(_at(_limits(providers[name]), whole_of(some, lane)))
    return each, replace(whole, time_s=_longest(times))


def _limits(provider: ProviderConfig) -> Limits:
    return Limits(provider.rpm, provider.tpm)


def _at(limits: Limits, jobs: Estimate) -> Sum | None:
    """Give the seconds at some limits; None where there are none."""
    rpm, tpm = limits
    if rpm is None and tpm is None:
        return None
    by_jobs = 60 * jobs.jobs / rpm if rpm else 0.0
    if not tpm:
        return Sum(by_jobs, by_jobs, by_jobs)

    def by_tokens(read: float | None, written: float | None) -> float | None:
        if read is None or written is None:
            return None
        return max(by_jobs, 60 * (read + written) / tpm)

    read = jobs.input_tokens
    return Sum(
        by_tokens(read.low, 0),
        by_tokens(read.about, jobs.output_tokens),
        by_tokens(read.high, jobs.capped_tokens),
    )


def _longest(times: Iterable[Sum | None]) -> Sum:
    """Several limits hold at once: the slowest decides."""
    known = [one for one in times if one is not None]
    return Sum(*map(_most, zip(*known, strict=True))) if known else Sum()


def _most(column: Iterable[float | None]) -> float | None:
    values = list(column)
    return None if None in values else max(one for one in values if one is not None)
