"""The one owner of OpenTelemetry's SDK: spans go to an OTLP collector, and never hold anything up.

Where to, with which headers and how they are sampled is said by the standard variables, such as
OTEL_EXPORTER_OTLP_ENDPOINT.
"""

import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec

from runner.errors import UsageError
from runner.telemetry.names import JOB_SPAN
from runner.telemetry.spans import SpanData
from runner.words import count, printable

FLUSH_S = 5.0
"""How long the end of a run waits for a collector."""
_QUEUE = 16_384
"""Spans that may wait for it; the SDK's own 2,048 are two seconds of a fast run."""
_PROTOCOL = "http/protobuf"
_CODE = re.compile(r"batch code: (\d{3})")
_LOGGERS = ("opentelemetry", "urllib3", "requests")


def refuse_without_sdk(environ: Mapping[str, str]) -> None:
    """Raise UsageError where traces cannot be sent as this environment says. Imports no SDK."""
    try:
        found = find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter") is not None
    except ModuleNotFoundError:
        found = False
    if not found or find_spec("opentelemetry.sdk") is None:
        raise UsageError(
            "--otel needs a part of runner that is not installed. To install it:\n"
            "  pip install 'jsonl-runner[otel]'"
        )
    for name, known in (
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", (_PROTOCOL,)),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", (_PROTOCOL,)),
        ("OTEL_TRACES_EXPORTER", ("otlp", "none")),
    ):
        value = environ.get(name, "").strip()
        if value and value not in known:
            raise UsageError(
                f"{name} is {printable(value)}; --otel knows {' and '.join(known)} only."
            )

    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        value = environ.get(name, "").strip()
        if value and not value.startswith(("http://", "https://")):
            raise UsageError(f"{name} is not an address such as http://127.0.0.1:4318")


def wants_texts(environ: Mapping[str, str]) -> bool:
    """Whether questions and answers are asked for, by the variable that others use for it, too."""
    asked = environ.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "")
    return asked.strip().lower() in ("true", "1", "span_only", "span_and_event")


class Exporting:
    """Sends spans from a thread of its own. `give` and `close` never raise."""

    def __init__(self, version: str, run: str) -> None:
        """Import the SDK and begin; nothing is connected to yet."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from runner.telemetry.counting import Counting

        self._heard = _Heard()
        for name in _LOGGERS:
            logging.getLogger(name).handlers = [self._heard]
            logging.getLogger(name).propagate = False
        own = {"service.version": version, "service.instance.id": run}
        told = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        if not os.environ.get("OTEL_SERVICE_NAME") and "service.name=" not in told:
            own["service.name"] = "runner"
        self._provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
        self._counting = Counting()
        self._processor: BatchSpanProcessor | None = None
        self._made = 0
        if os.environ.get("OTEL_TRACES_EXPORTER", "").strip() != "none":
            queue = None if os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") else _QUEUE
            self._processor = BatchSpanProcessor(self._counting, max_queue_size=queue)
            self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("runner", version)

    def give(self, make: Callable[[], SpanData | None]) -> None:
        """Queue a span with its children; one that cannot be made is counted as lost."""
        try:
            span = make()
            if span is not None:
                self._start(span, None)
        except Exception as error:  # noqa: BLE001 - a trace is never worth a run
            self._made += 1
            self._heard.why = f"a bug in runner ({type(error).__name__}); please report it"

    def _start(self, span: SpanData, parent: object) -> None:
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        context = Context() if parent is None else set_span_in_context(parent, Context())  # type: ignore[arg-type]
        kind = SpanKind.INTERNAL if span.name == JOB_SPAN else SpanKind.CLIENT
        begun = self._tracer.start_span(
            span.name, context, kind, span.attributes, start_time=span.began
        )
        if span.error is not None:
            begun.set_status(Status(StatusCode.ERROR, span.error))
        if begun.get_span_context().trace_flags.sampled:
            self._made += 1
        for child in span.children:
            self._start(child, begun)
        begun.end(span.ended)

    def close(self) -> str | None:
        """Send what is left, for 5 s at most; say what could not be sent, None if all was."""
        if self._processor is None:
            return None
        # The SDK's own bound is half a minute, and some of its calls have none.
        thread = threading.Thread(target=self._processor.shutdown, name="spans", daemon=True)
        thread.start()
        thread.join(FLUSH_S)
        lost = self._made - self._counting.sent
        if lost <= 0:
            return None
        with suppress(Exception):
            self._counting.shutdown()  # it would try again in the background
        why = self._heard.why or f"the collector did not answer within {FLUSH_S:g}s"
        return f"{count(lost)} of {count(self._made)} spans were not sent: {why}."


class _Heard(logging.Handler):
    """Keeps the SDK's words off stderr, and what they mean for the end."""

    why: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            return
        # Its words may hold anything, headers with keys included; only what is known is passed on.
        words = record.getMessage()
        code = _CODE.search(words)
        if code is not None:
            self.why = f"the collector answered {code[1]}"
        elif "timed out" in words:
            self.why = "the collector did not answer in time"
        elif "Queue full" in words:
            self.why = "the collector took them too slowly"
        elif "ConnectionPool" in words or "ConnectionError" in words:
            self.why = "the collector cannot be reached"
        elif "Failed to" in words and self.why is None:
            self.why = "the request for the collector could not be made"
