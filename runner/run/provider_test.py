"""`runner providers --test`: one tiny request to each provider, and what it shows."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches

from anyio import create_task_group, move_on_after
from msgspec.structs import replace

from runner.config import Config, ModelRef, ProviderConfig
from runner.errors import ExitCode, ProviderError, UsageError, internal_error
from runner.looping import run_async
from runner.models import Completion, Job, Request
from runner.pricing.book import PriceBook
from runner.providers.base import Provider
from runner.providers.endpoints import endpoint, missing_key
from runner.providers.registry import Providers
from runner.run.prices import price_book
from runner.view.texts_tested import Tested, no_model_text
from runner.words import printable

MAX_TOKENS = 16
"""The least that OpenAI's Responses take."""
DEADLINE_S = 60.0
_QUESTION = "Answer with the one word: ok"
_SCENARIO = "steady"


def chosen(config: Config, wanted: Sequence[str], model: str | None) -> list[Tested]:
    """Say whom to ask for what: the providers named, else that of `model`, else all with a key.

    Raises UsageError where a named one cannot be asked, or nobody is left to ask.
    """
    models = _known_models(config, model)
    if not wanted and model is not None:
        wanted = [config.resolve(model).provider]
    if wanted:
        found = [_named(config, name, models) for name in dict.fromkeys(wanted)]
    else:
        usual = [one for one in config.providers.values() if not one.simulated]
        found = [_implied(one, models) for one in usual]
    if all(one.works is None for one in found):
        raise UsageError(_nobody(found))
    return list({one.name: one for one in found}.values())


def test_providers(
    config: Config, found: Sequence[Tested], tell: Callable[[Sequence[Tested]], None]
) -> tuple[list[Tested], ExitCode]:
    """Ask those that `chosen` gave; `tell` hears of whom is asked, before anything is sent.

    Raises UsageError where one cannot be opened; nothing was sent then.
    """
    asked = run_async(_test_all, config, [one for one in found if one.works is not None], tell)
    by_name = {one.name: one for one in asked}
    return [by_name.get(one.name, one) for one in found], _code(asked)


def _code(asked: Sequence[Tested]) -> ExitCode:
    if all(one.works for one in asked):
        return ExitCode.OK
    return ExitCode.ACCOUNT if all(one.refused for one in asked) else ExitCode.SOME_UNANSWERED


def _known_models(config: Config, model: str | None) -> dict[str, str]:
    """Give the model that somebody has named for each provider; nothing is guessed."""
    known = {
        one.name: next(iter(one.model_prices))
        for one in config.providers.values()
        if len(one.model_prices) == 1
    }
    known |= {one.name: _SCENARIO for one in config.providers.values() if one.simulated}
    for named in (config.default_model, os.environ.get("RUNNER_MODEL")):
        with suppress(UsageError):
            ref = config.resolve(named or "")
            known[ref.provider] = ref.model
    if model is not None:
        ref = config.resolve(model)
        known[ref.provider] = ref.model
    return known


def _named(config: Config, name: str, models: Mapping[str, str]) -> Tested:
    if name in config.providers:
        ref = ModelRef(name, models.get(name, ""))
    elif "/" in name and name.partition("/")[0] in config.providers:
        ref = config.resolve(name)
    else:
        raise UsageError(_unknown(config, name))
    endpoint(config.providers[ref.provider], os.environ)
    if not ref.model:
        raise UsageError(f"{printable(name)}: {no_model_text(name)}")
    return Tested(provider=ref.provider, model=ref.model, works=False)


def _implied(provider: ProviderConfig, models: Mapping[str, str]) -> Tested:
    model, problem = models.get(provider.name), None
    missing = missing_key(provider, os.environ)
    try:
        if missing is None:
            endpoint(provider, os.environ)
    except UsageError as error:
        problem = str(error)
    if missing is not None:
        problem = f"{missing} is not set."
    elif problem is None and model is None:
        problem = no_model_text(provider.name)
    return Tested(
        provider=provider.name,
        model=model,
        works=None if problem else False,
        not_tested=problem,
    )


def _nobody(found: Sequence[Tested]) -> str:
    lines = ["there is nobody to test; nothing was sent."]
    lines += [f"  {one.provider}: {one.not_tested}" for one in found]
    return "\n".join([*lines, "Without a key:  runner providers --test sim"])


def _unknown(config: Config, name: str) -> str:
    first = name.partition("/")[0]
    near = get_close_matches(first, config.providers, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return (
        f"no provider is called {printable(first)}.{hint}\n"
        f"Configured are: {', '.join(config.providers)}."
    )


async def _test_all(
    config: Config, asked: Sequence[Tested], tell: Callable[[Sequence[Tested]], None]
) -> list[Tested]:
    found: dict[str, Tested] = {}
    book = price_book(config)
    async with Providers(
        config, concurrency=len(asked), http="httpx2", environ=os.environ
    ) as providers:
        opened = [(one, await providers.get(one.provider, one.model or "")) for one in asked]
        tell(asked)

        async def test(one: Tested, provider: Provider) -> None:
            found[one.name] = await _tested(one, provider, book)

        async with create_task_group() as group:
            for one, provider in opened:
                group.start_soon(test, one, provider)
    return [found[one.name] for one in asked]


async def _tested(one: Tested, provider: Provider, book: PriceBook) -> Tested:
    began = time.monotonic()
    job = _job(one)
    try:
        completion = await _ask(job, provider)
    except ProviderError as error:
        return replace(
            one,
            reachable=error.http_status is not None or error.completion is not None,
            latency_s=time.monotonic() - began,
            limits=error.quota if error.quota is not None and error.quota.told else None,
            error=error.record(),
            refused=error.fatal,
        )
    usage, quota = completion.usage, completion.quota
    tier = completion.service_tier
    return replace(
        one,
        works=True,
        reachable=True,
        latency_s=time.monotonic() - began,
        response_model=completion.response_model,
        finish_reason=completion.finish_reason,
        usage=usage,
        cost_usd=None if usage is None else book.cost_usd(job, usage, "live", tier),
        limits=quota if quota is not None and quota.told else None,
    )


async def _ask(job: Job, provider: Provider) -> Completion:
    try:
        body = provider.body(job.model, job.request, stream=False)
        with move_on_after(DEADLINE_S):
            return await provider.complete(body, timeout_s=DEADLINE_S)
    except ProviderError:
        raise
    except Exception as bug:
        raise internal_error(bug) from bug
    raise ProviderError("timeout", f"no answer within {DEADLINE_S:.0f}s", retryable=True)


def _job(one: Tested) -> Job:
    request = Request(messages=[{"role": "user", "content": _QUESTION}], max_tokens=MAX_TOKENS)
    return Job(
        id="test",
        digest="",
        line=None,
        provider=one.provider,
        model=one.model or "",
        request=request,
    )
