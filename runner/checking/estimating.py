"""An estimate in the making: takes in the jobs of a file as they are checked."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.checking.estimate import estimate
from runner.checking.gather import Gatherer, Group, Long
from runner.checking.recorded import Recorded
from runner.checking.times import Limits, timed
from runner.config import Config, ModelRef, ProviderConfig
from runner.input.stretch import Stretch
from runner.models import Job
from runner.pricing.book import PriceBook
from runner.providers.flex import has_flex
from runner.settings import BatchSettings, Lane
from runner.view.texts_estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the jobs will take."""

    models: list[Estimate]
    """Commonest first."""
    whole: Estimate
    longest: list[Long]


class Estimating:
    """Takes in jobs; not for several threads."""

    def __init__(
        self, settings: BatchSettings, config: Config, book: PriceBook, results: Path | None
    ) -> None:
        """Begin. `results`: a file of answers to learn from, which may be missing."""
        self._settings, self._config, self._book = settings, config, book
        self._gatherer = Gatherer(book)
        self._recorded = Recorded(book, results)

    def look(self, job: Job) -> None:
        """Learn from what is recorded of a job."""
        self._recorded.look(job)

    def look_through(self, stretch: Stretch) -> None:
        """Do so for many jobs, those of the whole file in order."""
        self._recorded.look_through(stretch)

    def take(self, job: Job) -> None:
        """Take in a job that is to be asked."""
        self._gatherer.take(job)

    def take_stretch(self, stretch: Stretch) -> None:
        """Do so for many."""
        self._gatherer.take_stretch(stretch)

    def outlook(self, environ: Mapping[str, str]) -> Outlook:
        """Say what all that was taken in comes to."""
        settings, providers = self._settings, self._config.providers
        groups: dict[ModelRef, list[Group]] = defaultdict(list)
        for group in self._gatherer.groups():
            groups[group.ref].append(group)
        models = [
            estimate(
                ref,
                some,
                self._recorded.learnt.get(ref),
                self._book,
                providers[ref.provider],
                _lanes(providers[ref.provider], settings.lane, environ),
                settings.lane,
                _dearest(settings),
            )
            for ref, some in groups.items()
        ]
        models.sort(key=lambda one: (-one.jobs, one.model))
        limits = Limits(settings.rpm, settings.tpm, settings.concurrency)
        each, whole = timed(models, limits, providers, settings.lane)
        return Outlook(models=each, whole=whole, longest=self._gatherer.longest)


def _dearest(settings: BatchSettings) -> Lane:
    """Name the lane at whose price a job may end up."""
    live = settings.then_live if settings.lane == "batch" else settings.fallback
    return "live" if live else settings.lane


def _lanes(provider: ProviderConfig, meant: Lane, environ: Mapping[str, str]) -> list[Lane]:
    lanes: list[Lane] = ["live"]
    if has_flex(provider, environ):
        lanes.append("flex")
    # Nobody knows whether a server of somebody's own has batches, but who means to use them.
    if provider.base_url is None or provider.simulated or meant == "batch":
        lanes.append("batch")
    return lanes
