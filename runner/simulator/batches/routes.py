"""The paths of the batch services, and what answers each."""

from starlette.routing import Route

from runner.simulator.ask import Api
from runner.simulator.batches.anthropic_batches import MessageBatches
from runner.simulator.batches.context import Context
from runner.simulator.batches.files import Files
from runner.simulator.batches.openai_batches import Batches
from runner.simulator.batches.service import Handler, Service
from runner.simulator.scenario import RouteName

_Line = tuple[str, str, RouteName, Handler]


def batch_routes(context: Context) -> list[Route]:
    """Make the routes of both services, which share nothing but the scenario and the counts."""
    files = Files(context)
    batches, message_batches = Batches(context, files), MessageBatches(context)
    openai: tuple[_Line, ...] = (
        ("POST", "/v1/files", "files.create", files.create),
        ("GET", "/v1/files", "files.list", files.list),
        ("GET", "/v1/files/{name}", "files.retrieve", files.retrieve),
        ("GET", "/v1/files/{name}/content", "files.content", files.content),
        ("DELETE", "/v1/files/{name}", "files.delete", files.delete),
        ("POST", "/v1/batches", "batches.create", batches.create),
        ("GET", "/v1/batches", "batches.list", batches.list),
        ("GET", "/v1/batches/{name}", "batches.retrieve", batches.retrieve),
        ("POST", "/v1/batches/{name}/cancel", "batches.cancel", batches.cancel),
    )
    root, ours = "/v1/messages/batches", message_batches
    anthropic: tuple[_Line, ...] = (
        ("POST", root, "messages.batches.create", ours.create),
        ("GET", root, "messages.batches.list", ours.list),
        ("GET", f"{root}/{{name}}", "messages.batches.retrieve", ours.retrieve),
        ("POST", f"{root}/{{name}}/cancel", "messages.batches.cancel", ours.cancel),
        ("GET", f"{root}/{{name}}/results", "messages.batches.results", ours.results),
        ("DELETE", f"{root}/{{name}}", "messages.batches.delete", ours.delete),
    )
    return [
        *(_route("chat", context, line) for line in openai),
        *(_route("messages", context, line) for line in anthropic),
    ]


def _route(api: Api, context: Context, line: _Line) -> Route:
    method, path, name, handler = line
    return Route(path, Service(name, api, context, handler), methods=[method])
