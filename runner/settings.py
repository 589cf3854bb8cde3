"""What the user asked for, as frozen values: the seam between `cli` and everything that works.

Options, environment and configuration have been merged and checked by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from runner.models import Schema  # not for a help: it needs no msgspec

from runner.conversation import Conversation

DEFAULT_ATTEMPT_TIMEOUT_S = 600.0
"""Both SDKs' own default for a whole call."""
FLEX_ATTEMPT_TIMEOUT_S = 900.0
"""What OpenAI advises for its flex tier, which takes its time."""
DEFAULT_IDLE_S = 120.0
"""Proxies on the way give a silent server up after 60 s (nginx, load balancers) or 100 s
(Cloudflare), and no model pauses so long between two pieces of an answer that has begun."""
DEFAULT_GRACE_S = 30.0
DEFAULT_MAX_ATTEMPTS = 5
MAX_LINE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What to ask of every job: all that enters a job's digest beside its own line."""

    model: str | None = None
    """`provider/model`, for jobs that name none."""
    system: str | None = None
    template: str | None = None
    """Jinja2 text; with it every line is a row."""
    id_column: str | None = None
    max_tokens: int | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """`--set`: request parameters where a job sets none."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """`--override`: request parameters over what jobs say, `model` among them."""
    schema: "Schema | None" = None
    """`--schema`: what answers must look like, where a job does not say so itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """A number of jobs, or a share of them in percent."""

    count: int = 0
    percent: float | None = None

    def covers(self, failed: int, total: int) -> bool:
        """Whether so many failures of so many jobs are allowed."""
        return failed <= self.of(total)

    def of(self, total: int) -> float:
        """Give the number of jobs, of so many in all."""
        return self.count if self.percent is None else total * self.percent / 100

    def __str__(self) -> str:
        return str(self.count) if self.percent is None else f"{self.percent:g}%"


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """Bounds on waiting, in seconds. None means no bound."""

    attempt_s: float = DEFAULT_ATTEMPT_TIMEOUT_S
    job_s: float | None = None
    idle_s: float = DEFAULT_IDLE_S
    """Between two events of a stream, once the model's words have begun; before, models may
    think for minutes. Keep-alive comments and pings do not count."""


Lane = Literal["live", "flex", "batch"]
"""How jobs reach a provider: at once, at once for less, or through its batch service."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchSettings:
    """Everything `runner batch` needs to know, besides the configuration of providers."""

    jobs: str
    """A path, or `-` for stdin."""
    ask: Ask = field(default_factory=Ask)
    limit: int | None = None
    sample: int | None = None
    repeat: int | None = None
    """How often each job is asked; None gives its one answer no number."""
    retry: str | None = None
    """The text of `--retry`; None where the option was not given."""
    fresh: bool = False
    skip_invalid: bool = False
    dry_run: bool = False
    """Say what would be sent, and send nothing."""
    max_line_bytes: int = MAX_LINE_BYTES
    files_from: Path | None = None
    """Where files are that jobs name; None means beside the jobs."""
    output: Path | None = None
    """None together with `stdout` false means the default beside the jobs."""
    stdout: bool = False
    """`-o -`: records go to stdout and nothing is kept, locked or resumed."""
    unordered: bool = False
    no_response: bool = False
    keep_request: bool = False
    summary_json: Path | None = None
    concurrency: int | None = None
    """Most requests in flight; None lets the run find its own level."""
    concurrency_wanted: int | None = None
    """What was asked for, where the system allows less."""
    most_in_flight: int | None = None
    """What the system allows; None where nobody has looked."""
    prime: bool = True
    """Of live jobs whose prompts begin alike, one is sent first, so that the others can read the
    provider's cache."""
    processes: int = 1
    """Processes that send requests; with more than one, this one sends none itself."""
    lane: Lane = "live"
    fallback: bool = True
    """In the flex lane: asked again at the standard price where flex has no capacity."""
    wait: bool = True
    """In the batch lane: until all is in; else what can be done now."""
    cancel: bool = False
    """In the batch lane: cancel what is out and collect what was finished."""
    then_live: bool = False
    """After the batch lane: ask live what its batches let expire or failed for the moment."""
    rpm: int | None = None
    """Never more requests in any minute; None leaves it to what the servers say."""
    tpm: int | None = None
    """Never more tokens a minute, as they are reserved; None as for `rpm`."""
    max_cost: int | None = None
    """Picodollars for all that the results file records; None sets no bound."""
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    deadlines: Deadlines = field(default_factory=Deadlines)
    grace_s: float = DEFAULT_GRACE_S
    max_runtime_s: float | None = None
    """From the start of the command; None sets no bound."""
    max_failures: Allowance | None = None
    """So many failed jobs stop the run; None sets no bound."""
    allow_failures: Allowance = field(default_factory=Allowance)
    wait_lock_s: float = 0.0
    tail: bool = False
    quiet: bool = False
    verbose: bool = False
    otel: bool = False
    """Send traces to an OpenTelemetry collector."""
    log_json: bool = False
    """Lines on stderr as JSON, for machines; with `quiet` errors only."""
    command: tuple[str, ...] = ()
    """The command as typed (without the program), for texts that say how to go on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TailSettings:
    """Everything `runner tail` needs to know."""

    prompt: str | None
    """None opens a conversation on the terminal."""
    files: tuple[str, ...] = ()
    """Paths of what is attached to it."""
    ask: Ask = field(default_factory=Ask)
    deadlines: Deadlines = field(default_factory=Deadlines)
    output: Path | None = None
    """Results file to append the record to; None keeps none."""
    quiet: bool = False
    extract: bool = False
    """Show the first fenced block only; the record holds the whole answer."""
    thinking: bool | None = None
    """Show what a model thinks before it speaks, on stderr; None: on a terminal only."""
    earlier: Conversation = field(default_factory=Conversation)
    """What was said before; its system prompt is in `ask` already."""
    state: Path | None = None
    """Folder for the last exchange and what was typed in conversations; None keeps neither."""
