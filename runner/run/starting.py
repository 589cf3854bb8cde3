"""From a prepared batch to what its start says."""

from runner.providers.anthropic_messages import DEFAULT_ANTHROPIC_MAX_TOKENS
from runner.run.flex import unpriced_at_flex
from runner.run.preparing import Prepared
from runner.schemas.strictness import loose
from runner.view.texts_flex import flex_notes
from runner.view.texts_start import Earlier, Start


def start_of(prepared: Prepared) -> Start:
    """Gather what is said before anything is sent."""
    plan, settings = prepared.plan, prepared.settings
    streamed = prepared.checked is None
    return Start(
        jobs=prepared.source.label,
        total=None if streamed else plan.selected,
        repeat=settings.repeat,
        models=[f"{provider}/{model}" for (provider, model), _ in plan.models.most_common()]
        or _model_of_stream(prepared),
        results=None if prepared.paths is None else prepared.paths.shown,
        earlier=_earlier(prepared),
        max_tokens=settings.ask.max_tokens,
        default_max_tokens=_default_cap(prepared),
        own_model=_own_model(prepared),
        wanted_at_once=settings.concurrency_wanted,
        at_once=settings.concurrency,
        flex=_flex(prepared),
        loose=_loose(prepared),
    )


def _model_of_stream(prepared: Prepared) -> list[str]:
    model = prepared.settings.ask.model
    return [model] if prepared.checked is None and model else []


def _flex(prepared: Prepared) -> list[str]:
    settings = prepared.settings
    if settings.lane != "flex":
        return []
    unpriced = unpriced_at_flex(prepared.book, prepared.plan.models)
    return flex_notes(fallback=settings.fallback, unpriced=unpriced)


def _loose(prepared: Prepared) -> str | None:
    schema, providers = prepared.settings.ask.schema, prepared.config.providers
    if schema is None or schema.strict:
        return None
    asked = {provider for provider, _ in prepared.plan.models}
    if prepared.checked is None and prepared.settings.ask.model is not None:
        asked = {prepared.config.resolve(prepared.settings.ask.model).provider}
    apis = {providers[provider].api for provider in asked}
    return loose(schema.document) if apis & {"openai", "openai-responses"} else None


def _default_cap(prepared: Prepared) -> int | None:
    providers = prepared.config.providers
    apis = {providers[provider].api for provider, _ in prepared.plan.models}
    return DEFAULT_ANTHROPIC_MAX_TOKENS if "anthropic" in apis and prepared.plan.uncapped else None


def _own_model(prepared: Prepared) -> int:
    ask = prepared.settings.ask
    if ask.model is None or "model" in ask.overrides:
        return 0
    default = prepared.config.resolve(ask.model)
    return sum(number for model, number in prepared.plan.models.items() if model != default)


def _earlier(prepared: Prepared) -> Earlier:
    plan = prepared.plan
    times = [at for job_id, at in plan.unknown.items()] if plan.again["unknown"] else []
    return Earlier(
        answered=plan.kept["succeeded"],
        failed_kept=plan.kept["failed"],
        interrupted_kept=plan.kept["interrupted"],
        unknown_kept=plan.kept["unknown"],
        failed_again=plan.again["failed"],
        interrupted_again=plan.again["interrupted"],
        unknown_again=plan.again["unknown"],
        replaced=plan.again["succeeded"],
        killed_at=f"{max(times)[11:19]}Z" if times else None,
    )
