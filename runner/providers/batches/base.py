"""What the batch lane expects of a provider's batch service: the contract of the seam."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from runner.errors import ProviderError
from runner.models import Completion, Request

State = Literal["working", "stopping", "ended", "refused"]


class Limits(NamedTuple):
    """The most that one batch may hold."""

    rows: int
    bytes: int


class Frame(NamedTuple):
    """What stands around the rows in what is uploaded."""

    begin: bytes
    between: bytes
    end: bytes


class LineFault(NamedTuple):
    """Why a whole batch was refused after it had been created."""

    line: int | None
    """The row, counted from 1; None where it is no row's fault."""
    error: ProviderError


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """A batch as its service describes it. Times are seconds since 1970, by the service's clock."""

    id: str
    state: State
    """`refused`: it failed validation, and no row was asked."""
    word: str
    """The service's own word for its state."""
    rows: int
    """0 where it is not known yet."""
    done: int
    """Rows that have ended, well or badly, so far as the service tells."""
    created_at: float
    ended_at: float | None = None
    expires_at: float | None = None
    tag: str | None = None
    """What `create` was given; None where this service keeps none."""
    faults: tuple[LineFault, ...] = ()
    results: tuple[str, ...] = ()
    """Where the results are, in the service's own terms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What became of one row: an answer or an error."""

    custom_id: str
    completion: Completion | None = None
    error: ProviderError | None = None
    free: bool = False
    """Certainly not billed, whatever the error."""


class BatchService(Protocol):
    """One provider's batch service. Every call raises ProviderError for every failure.

    Calls have deadlines of their own and are not repeated here.
    """

    limits: Limits
    frame: Frame
    one_model: bool
    """Whether all rows of a batch must name the same model."""
    uploads: bool
    """Whether rows are uploaded before a batch is created of them."""
    tags: bool
    """Whether a batch carries the word that `create` was given."""
    keeps: str
    """How long the provider keeps what was sent and answered, for a person."""

    def body(self, model: str, request: Request) -> bytes:
        """Write a request's body as a live one's. Raises ProviderError where that cannot be."""

    def row(self, custom_id: str, body: bytes) -> bytes:
        """Put a body into a row."""

    async def upload(self, path: Path, name: str) -> str:
        """Upload rows under a name; give the upload's id."""

    async def uploaded(self, name: str) -> str | None:
        """Find an upload by its name."""

    async def forget(self, upload: str) -> None:
        """Delete an upload."""

    async def create(self, path: Path, upload: str | None, tag: str) -> Batch:
        """Make a batch of rows, which are sent along where they were not uploaded."""

    async def look(self, batch_id: str) -> Batch:
        """See how a batch is."""

    def listed(self, since: float) -> AsyncGenerator[Batch, None]:
        """List the account's batches created since then, newest first."""

    async def cancel(self, batch_id: str) -> None:
        """Ask for the end of a batch."""

    async def fetch(self, batch: Batch, into: Path) -> None:
        """Download all results of a batch that has ended, one a line."""

    async def first_id(self, batch: Batch) -> str | None:
        """Read the `custom_id` of any row of a batch that has ended; None where it has none."""

    def named(self, line: bytes) -> str | None:
        """Read only which row a line of the results is of; None where it is none."""

    def read(self, line: bytes) -> Row | None:
        """Read one line of the results; None where it is none."""
