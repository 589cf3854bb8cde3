"""`--lane flex` before anything is sent: who has no such tier, and what bounds a job's cost."""

from collections.abc import Collection, Mapping

from runner.config import Config
from runner.errors import LineProblem, UsageError
from runner.models import Job
from runner.pricing.book import PriceBook
from runner.pricing.terms import terms_of
from runner.providers.flex import has_flex
from runner.settings import BatchSettings
from runner.view.texts_flex import flexless_job_text, flexless_text

Models = Mapping[tuple[str, str], int]
"""Jobs by provider and model."""


def bound_lane(settings: BatchSettings) -> str:
    """Name the lane at whose price a job's worst case is counted.

    Where it may fall back to the standard price, that is the dearer one.
    """
    return "flex" if settings.lane == "flex" and not settings.fallback else "live"


def refuse_without_flex(
    settings: BatchSettings,
    config: Config,
    models: Models | None,
    environ: Mapping[str, str],
) -> None:
    """Refuse jobs that would be asked at the standard price though flex was wanted.

    `models`: those of the jobs to ask; None for a stream, whose jobs are not known yet: there the
    model counts that is meant for jobs that name none. Raises UsageError.
    """
    asked: Models = {}
    if models is not None:
        asked = models
    elif settings.ask.model is not None:
        asked = {config.resolve(settings.ask.model): 0}
    without = {
        model: jobs
        for model, jobs in asked.items()
        if not has_flex(config.providers[model[0]], environ)
    }
    if without:
        raise UsageError(flexless_text(without, config.providers))


def flexless(
    job: Job, config: Config, label: str, environ: Mapping[str, str]
) -> LineProblem | None:
    """Say of a stream's job that its provider has no flex tier; None where it has."""
    provider = config.providers[job.provider]
    if has_flex(provider, environ):
        return None
    return LineProblem(f"{label}:{job.line}", job.line or 0, flexless_job_text(provider), job.id)


def unpriced_at_flex(book: PriceBook, models: Collection[tuple[str, str]]) -> list[str]:
    """Name the models whose price is known, but not at flex."""
    flex = terms_of({}, "flex") or ()
    return [
        f"{provider}/{model}"
        for provider, model in models
        if book.rates(provider, model) is not None and book.rates(provider, model, flex) is None
    ]
