"""The routes: three APIs, their batch services, their list of models, and the control pages."""

import time
from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from runner.simulator.ask import Api
from runner.simulator.batches.context import Context, Places
from runner.simulator.batches.foreign import ForeignHost
from runner.simulator.batches.routes import batch_routes
from runner.simulator.cache import PromptCache
from runner.simulator.endpoint import Endpoint
from runner.simulator.errors import ApiError
from runner.simulator.limits import Limiter
from runner.simulator.scenario import LimitsChange, Scenario
from runner.simulator.stats import Stats

_ENDPOINTS: tuple[tuple[str, Api], ...] = (
    ("/v1/chat/completions", "chat"),
    ("/v1/responses", "responses"),
    ("/v1/messages", "messages"),
)


def create_app(
    scenario: Scenario,
    clock: Callable[[], float] = time.monotonic,
    places: Places = Places(),  # noqa: B008 - frozen
) -> Starlette:
    """Make the application that plays `scenario`.

    `clock` (in seconds) drives its limits and its batches; `places` are its other addresses.
    """
    stats = Stats()
    limiter = Limiter(scenario.limits, clock, scenario.limits_after)

    def snapshot() -> JSONResponse:
        return JSONResponse({**stats.snapshot(), "buckets": limiter.book()})

    async def show_stats(request: Request) -> JSONResponse:  # noqa: ARG001 - Starlette's signature
        return snapshot()

    async def reset(request: Request) -> JSONResponse:  # noqa: ARG001 - Starlette's signature
        stats.reset()
        limiter.reset_book()
        return snapshot()

    async def change_limits(request: Request) -> JSONResponse:
        try:
            change = msgspec.json.decode(await request.body(), type=LimitsChange)
        except msgspec.DecodeError as error:
            return JSONResponse({"error": str(error)}, 400)
        limiter.change(change)
        return snapshot()

    async def models(request: Request) -> JSONResponse:
        return JSONResponse(_model_list(request, scenario.models or ["simulator"]))

    routes = [
        *_live_routes(scenario, stats, limiter, PromptCache(scenario.cache, clock)),
        *batch_routes(Context(scenario, stats, clock, places)),
        Route("/v1/models", models),
        Route("/control/stats", show_stats),
        Route("/control/reset", reset, methods=["POST"]),
        Route("/control/limits", change_limits, methods=["POST"]),
    ]
    return Starlette(
        routes=routes,
        middleware=_traps(places, stats),
        exception_handlers={HTTPException: _no_such_page},
    )


def _live_routes(
    scenario: Scenario, stats: Stats, limiter: Limiter, cache: PromptCache
) -> list[Route]:
    return [
        Route(path, Endpoint(api, scenario, stats, limiter, cache), methods=["POST"])
        for path, api in _ENDPOINTS
    ]


def _traps(places: Places, stats: Stats) -> list[Middleware]:
    if places.foreign_port is None:
        return []
    return [Middleware(ForeignHost, port=places.foreign_port, stats=stats)]


async def _no_such_page(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    api = _api_of(request)
    message = (
        "Not found" if api == "messages" else (f"Invalid URL ({request.method} {request.url.path})")
    )
    refusal = ApiError(status, message)
    return JSONResponse(refusal.body(api, "req_none"), status)


def _api_of(request: Request) -> Api:
    path = request.url.path
    theirs = (
        "anthropic-version" in request.headers or path.endswith("/messages") or "/messages/" in path
    )
    return "messages" if theirs else "chat"


def _model_list(request: Request, names: list[str]) -> dict[str, object]:
    if _api_of(request) == "messages":
        common = {"type": "model", "lifecycle": "active", "created_at": "2026-01-01T00:00:00Z"}
        entries = [{"id": name, "display_name": name, **common} for name in names]
        page = {"has_more": False, "first_id": names[0], "last_id": names[-1]}
        return {"data": entries, **page}
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": 1767225600, "owned_by": "simulator"}
            for name in names
        ],
    }
