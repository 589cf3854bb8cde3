"""The one table of what spans are called and what they hold.

`gen_ai.*`, `openai.*`, `server.*`, `http.*` and `error.type` are OpenTelemetry's semantic
conventions, which for generative AI are in development and may change; `runner.*` are our own.
"""

from collections.abc import Mapping

from runner.models import Api

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
MODEL = "gen_ai.request.model"
STREAM = "gen_ai.request.stream"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
FIRST_CHUNK_S = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITES = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
INPUT = "gen_ai.input.messages"
OUTPUT = "gen_ai.output.messages"
SYSTEM = "gen_ai.system_instructions"
ERROR = "error.type"
"""An error kind of the results file, such as `rate_limit`, or `interrupted`."""
HTTP_STATUS = "http.response.status_code"
SERVER = "server.address"
PORT = "server.port"

RUN = "runner.run"
JOB = "runner.job.id"
LINE = "runner.job.line"
STATUS = "runner.job.status"
PROVIDER_NAME = "runner.provider"
"""As it is configured; `gen_ai.provider.name` names whose API it speaks."""
ATTEMPT = "runner.attempt"
"""The number of the request within the job's record, from 1."""
ATTEMPTS = "runner.attempts"
LANE = "runner.lane"
COST_USD = "runner.cost_usd"
REQUEST_ID = "runner.request_id"
RETRY_AFTER_S = "runner.retry_after_s"
BATCH = "runner.batch"

CHAT = "chat"
"""What all three APIs do, as the conventions call it."""
JOB_SPAN = "runner.job"

PROVIDERS: Mapping[Api, str] = {
    "openai": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
}

PARAMETERS: Mapping[str, tuple[str, type[int] | type[float] | type[str]]] = {
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "max_completion_tokens": ("gen_ai.request.max_tokens", int),
    "max_output_tokens": ("gen_ai.request.max_tokens", int),
    "temperature": ("gen_ai.request.temperature", float),
    "top_p": ("gen_ai.request.top_p", float),
    "top_k": ("gen_ai.request.top_k", int),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
    "seed": ("gen_ai.request.seed", int),
    "n": ("gen_ai.request.choice.count", int),
    "service_tier": ("openai.request.service_tier", str),
}
"""A request's parameters that spans name, and their types there."""
