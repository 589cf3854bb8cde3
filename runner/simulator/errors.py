"""What the APIs say when they refuse, in each one's own shape."""

from typing import Any

from runner.simulator.ask import Api

_OPENAI_TYPES = {
    429: "requests",
    500: "server_error",
    502: "server_error",
    503: "service_unavailable_error",
    504: "server_error",
}
_OPENAI_CODES = {
    401: "invalid_api_key",
    404: "model_not_found",
    429: "rate_limit_exceeded",
    500: "server_error",
    503: "server_is_overloaded",
}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    503: "overloaded_error",
    529: "overloaded_error",
}
_MESSAGES = {
    400: "The request could not be understood.",
    401: "The API key is not valid.",
    402: "Your account has no credit left.",
    403: "You are not allowed to use this resource.",
    404: "The requested resource does not exist.",
    408: "The request took too long.",
    409: "The request conflicts with another one.",
    413: "The request exceeds the maximum size.",
    429: "Rate limit reached. Please slow down.",
    503: "The server is overloaded. Please try again later.",
    504: "The request timed out before an answer was ready.",
    529: "Overloaded",
}


class ApiError(Exception):
    """A request refused with an HTTP status. The defaults are what the API says for it.

    `kind` is the API's `type` of error; `code` is OpenAI's code and, given explicitly, Anthropic's
    `details.error_code`.
    """

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.message = message or _MESSAGES.get(status, "The server had an error. Try again.")
        self.code = code
        self.param = param
        self.kind = kind
        self.retry_after_s = retry_after_s
        super().__init__(self.message)

    def openai(self) -> dict[str, Any]:
        """The value of `error` in OpenAI's bodies."""
        kind = self.kind or _OPENAI_TYPES.get(self.status)
        kind = kind or ("server_error" if self.status >= 500 else "invalid_request_error")
        return {"message": self.message, "type": kind, "param": self.param, "code": self.code}

    def anthropic(self) -> dict[str, Any]:
        """The value of `error` in Anthropic's bodies."""
        kind = self.kind or _ANTHROPIC_TYPES.get(self.status, "api_error")
        error: dict[str, Any] = {"type": kind, "message": self.message}
        if self.code:
            error["details"] = {"error_code": self.code}
        return error

    def body(self, api: Api, request_id: str) -> dict[str, Any]:
        """The whole body of the refusal."""
        if api == "messages":
            return {"type": "error", "error": self.anthropic(), "request_id": request_id}
        return {"error": self.openai()}


def by_status(api: Api, status: int, **details: Any) -> ApiError:
    """The usual error of `api` for an HTTP status; `details` that are None take the default."""
    given = {key: value for key, value in details.items() if value is not None}
    if api != "messages" and status in _OPENAI_CODES:
        given.setdefault("code", _OPENAI_CODES[status])
    return ApiError(status, **given)


def quota(api: Api, **details: Any) -> ApiError:
    """The refusal of an account without credit: a 429 that no waiting cures."""
    given = {key: value for key, value in details.items() if value is not None}
    if api == "messages":
        given.setdefault("code", "enforced_spend_limit_reached")
        given.setdefault("message", "You have reached your specified API usage limits.")
        return ApiError(429, **given)
    given.setdefault("code", "insufficient_quota")
    given.setdefault("message", "You exceeded your current quota. Check your plan and billing.")
    return ApiError(429, kind="insufficient_quota", **given)


def overloaded(api: Api, **details: Any) -> ApiError:
    """The refusal of a provider that has too much to do."""
    return by_status(api, 529 if api == "messages" else 503, **details)


def missing_key(api: Api) -> ApiError:
    """The refusal of a request without a key."""
    if api == "messages":
        return ApiError(401, "x-api-key or Authorization: Bearer header is required")
    return ApiError(
        401,
        "You didn't provide an API key. Provide it in an Authorization header using Bearer"
        " auth (i.e. Authorization: Bearer YOUR_KEY).",
    )


def wrong_key(api: Api, key: str) -> ApiError:
    """The refusal of a bad key, of which OpenAI shows the first letters."""
    if api == "messages":
        return ApiError(401, "invalid x-api-key")
    return by_status(api, 401, message=f"Incorrect API key provided: {key[:3]}********.")


def no_model(api: Api, model: str) -> ApiError:
    """The refusal of a model that does not exist."""
    if api == "messages":
        return ApiError(404, f"model: {model}")
    message = f"The model `{model}` does not exist or you do not have access to it."
    return by_status(api, 404, message=message)
