"""What the batch services have seen: enough to prove that each row was submitted exactly once."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from runner.simulator.scenario import RouteName


class BatchTally:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self.created = 0
        """Batches that came into being, those that failed validation included."""
        self.rows_by_batch: dict[str, int] = {}
        """Rows of each batch that passed validation."""
        self.files_uploaded = 0
        self.uploaded_bytes = 0
        self.failed_uploads = 0
        self.lost_creates = 0
        self.outcomes: Counter[str] = Counter()
        self.input_tokens = 0
        self.output_tokens = 0
        self.by_route: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.foreign: Counter[str] = Counter()
        self._by_custom_id: Counter[str] = Counter()
        # Digests as bytes: there may be hundreds of thousands.
        self._by_content: Counter[bytes] = Counter()
        self._by_path: Counter[tuple[str, str]] = Counter()

    def called(self, route: RouteName, path: str) -> int:
        """Count a call; tell how many have come to its path, this one included."""
        self.by_route[route] += 1
        self._by_path[route, path] += 1
        return self._by_path[route, path]

    def refused(self, route: RouteName, status: int) -> None:
        """Count an error status that was sent."""
        self.errors[f"{route} {status}"] += 1

    def times_submitted(self, digest: bytes) -> int:
        """Tell how many accepted rows have asked the same, whatever their `custom_id`."""
        return self._by_content[digest]

    def submitted(self, batch_id: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Count the rows of an accepted batch: each its `custom_id` and its content's digest."""
        count = 0
        for custom_id, digest in rows:
            self._by_custom_id[custom_id] += 1
            self._by_content[digest] += 1
            count += 1
        self.rows_by_batch[batch_id] = count

    def snapshot(self) -> dict[str, Any]:
        """Everything, as it goes out under `batches` at `/control/stats`."""
        return {
            "created": self.created,
            "rows": sum(self.rows_by_batch.values()),
            "rows_by_batch": dict(self.rows_by_batch),
            "by_custom_id": dict(self._by_custom_id),
            "by_content": {digest.hex(): count for digest, count in self._by_content.items()},
            "files_uploaded": self.files_uploaded,
            "uploaded_bytes": self.uploaded_bytes,
            "failed_uploads": self.failed_uploads,
            "lost_creates": self.lost_creates,
            "outcomes": dict(self.outcomes),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "by_route": dict(self.by_route),
            "errors": dict(self.errors),
            "foreign": {
                "requests": self.foreign["requests"],
                "with_key": self.foreign["with_key"],
            },
        }
