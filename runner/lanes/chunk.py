"""A chunk: the jobs that go to a provider as one batch, and how far it has come. Pure."""

from typing import Literal

from msgspec import Struct

Phase = Literal["uploading", "uploaded", "creating", "out"]
"""What the next step is, written down before it is taken.

| phase | what may be at the provider |
|---|---|
| uploading | perhaps the rows, under the chunk's name; no batch |
| uploaded | the rows; no batch |
| creating | perhaps a batch, whose id is not known |
| out | the batch whose id is known |
"""


class Chunk(Struct, frozen=True, kw_only=True):
    """What has to be known of a chunk after a kill. It is written before each step."""

    nonce: str
    """Tells its rows, its upload and its batch from all others."""
    run: str
    """Id of the run that made it."""
    provider: str
    model: str
    """Of its first job; the scenario where the provider is the simulator."""
    rows: int
    worst: int | None = None
    """The most that all its rows can cost, in picodollars; None where nobody can say."""
    phase: Phase = "uploading"
    upload: str | None = None
    tries: int = 1
    """Counts the batches made of it: one that the provider refused is followed by another."""
    asked_at: float = 0.0
    """Seconds since 1970: when the batch was about to be created."""
    submitted_at: str = ""
    """The same moment, RFC 3339."""
    batch: str | None = None
    expires_at: float | None = None
    strangers: tuple[str, ...] = ()
    """Batches that looked like this one and were found to be somebody else's."""

    @property
    def tag(self) -> str:
        """What its batch carries where the service keeps a word with a batch."""
        return f"{self.nonce}-{self.tries}"

    @property
    def upload_name(self) -> str:
        """The name of its rows at the provider."""
        return f"runner-{self.nonce}.jsonl"


def custom_id(nonce: str, row: int) -> str:
    """Name a row: short and plain enough for every service, whatever the job's own id is."""
    return f"r-{nonce}-{row}"


def is_of(nonce: str, name: str | None) -> bool:
    """Whether a row is one of this chunk's."""
    return name is not None and name.startswith(f"r-{nonce}-")


def row_of(nonce: str, name: str, rows: int) -> int | None:
    """Find a row by its name; None for one that is not of this chunk."""
    if not is_of(nonce, name):
        return None
    number = name.rpartition("-")[2]
    if not (number.isascii() and number.isdecimal()):
        return None
    row = int(number)
    return row if row < rows and name == custom_id(nonce, row) else None
