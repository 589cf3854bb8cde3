"""An OTLP collector on loopback that keeps what it is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collected:
    """All that came."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def spans(self) -> list[dict[str, Any]]:
        """The spans in the order of their coming, with plain attributes."""
        return [
            _plain(span)
            for request in self._requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def resource(self) -> dict[str, Any]:
        """Who sent them."""
        return _attributes(self._requests[0].resource_spans[0].resource.attributes)

    @property
    def _requests(self) -> list[Any]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]


def _plain(span: Any) -> dict[str, Any]:
    return {
        "name": span.name,
        "kind": span.kind,
        "id": span.span_id,
        "parent": span.parent_span_id,
        "trace": span.trace_id,
        "began": span.start_time_unix_nano,
        "ended": span.end_time_unix_nano,
        "failed": span.status.code == 2,
        "attributes": _attributes(span.attributes),
    }


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def collector(status: int = 200, silent: threading.Event | None = None) -> Iterator[Collected]:
    """Run one. It answers with `status`; where `silent` is given, not before that is set."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if silent is not None:
                silent.wait(30)
            found.bodies.append(body)
            found.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Collected(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        if silent is not None:
            silent.set()
        server.shutdown()
        server.server_close()
        thread.join()
