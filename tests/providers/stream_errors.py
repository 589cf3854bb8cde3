"""Every shape in which an error comes inside a stream, and what it means."""

from runner.models import Api
from tests.providers.raw_server import data, named

OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}
NESTED = {
    "type": "error",
    "error": {"code": "rate_limit_exceeded", "type": "tokens", "message": "m"},
}
FAILED = {"status": "failed", "error": {"code": "invalid_prompt", "message": "m"}}
FLAT = {"type": "error", "code": "server_error", "message": "m"}
BILLING = {"type": "error", "error": {"type": "billing_error", "message": "m"}}
QUOTA = {"error": {"message": "m", "type": "insufficient_quota"}}
OLD = {"object": "error", "message": "m", "code": 400}
BROKEN = ("provider", True, False)
BUSY = ("rate_limit", True, False)
NO_CREDIT = ("quota", False, True)
REFUSED = ("invalid_request", False, False)
OVERLOAD = ("overloaded", True, False)
ERRORS: list[tuple[Api, bytes, tuple[str, bool, bool]]] = [
    ("openai", data({"error": {"message": "m", "type": "server_error"}}), BROKEN),
    ("openai", data({"error": {"message": "m", "code": 429}}), BUSY),
    ("openai", data(QUOTA), NO_CREDIT),
    ("openai", b'event: error\ndata: {"message": "m"}\n\n', BROKEN),
    ("openai", data(OLD), REFUSED),
    ("openai", b'error: {"code": 500, "message": "m"}\n\n', BROKEN),
    ("openai", data({"message": "m"}), BROKEN),
    ("openai-responses", named(FLAT), BROKEN),
    ("openai-responses", named(NESTED), BUSY),
    ("openai-responses", named({"type": "response.failed", "response": FAILED}), REFUSED),
    ("anthropic", named(OVERLOADED), OVERLOAD),
    ("anthropic", data(OVERLOADED), OVERLOAD),
    ("anthropic", named(BILLING), NO_CREDIT),
]
