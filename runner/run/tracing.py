"""The traces of one run (`--otel`): opened before it, flushed after it, and never in its way."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from runner import __version__
from runner.config import ProviderConfig
from runner.errors import UsageError
from runner.providers.endpoints import base_url_of
from runner.run.preparing import Prepared
from runner.run.telling import Teller
from runner.telemetry.export import Exporting, wants_texts
from runner.telemetry.sink import SpanSink
from runner.telemetry.spans import Place


@contextmanager
def traced(prepared: Prepared, teller: Teller) -> Iterator[None]:
    """Trace what the block asks; its end waits a few seconds for the collector at most."""
    try:
        exporting = Exporting(__version__, prepared.run_id)
    except (ValueError, OSError) as error:
        raise UsageError(f"the OTEL_... variables cannot be used: {error}") from error
    names = {provider for provider, _ in prepared.plan.models}
    names |= {chunk.provider for chunk in prepared.plan.out.chunks}
    providers = prepared.config.providers
    # A stream may still name any of them.
    wanted = providers if prepared.checked is None else names
    places = {name: _place(providers[name]) for name in wanted}
    texts = wants_texts(os.environ)
    teller.also(SpanSink(exporting.give, places, run=prepared.run_id, texts=texts))
    try:
        yield
    finally:
        problem = exporting.close()
        if problem is not None:
            teller.untraced(problem)


def _place(provider: ProviderConfig) -> Place:
    if provider.simulated:
        return Place(api=provider.api)
    parts = urlsplit(base_url_of(provider, os.environ))
    return Place(
        api=provider.api,
        address=parts.hostname,
        port=parts.port or {"https": 443, "http": 80}.get(parts.scheme),
    )
