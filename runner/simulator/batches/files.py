"""OpenAI's Files, as far as batches need them."""

from dataclasses import dataclass
from typing import Any

from runner.simulator.batches.context import Context
from runner.simulator.batches.multipart import Part, read_form
from runner.simulator.batches.service import Call, Download
from runner.simulator.batches.shelf import Shelf, place_of, read_limit
from runner.simulator.batches.spool import Spool
from runner.simulator.errors import ApiError

_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_FIELDS = {"file", "purpose", "expires_after[anchor]", "expires_after[seconds]"}
_LARGEST = 512 * 1024 * 1024
_THIRTY_DAYS_S = 30 * 24 * 3600
_SHORTEST_S = 3600
_MOST_LISTED = 10_000
_OPEN_PURPOSES = {"batch", "batch_output"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file and what is said of it."""

    id: str
    filename: str
    purpose: str
    created_at: int
    expires_at: int | None
    content: Spool

    def view(self) -> dict[str, Any]:
        """The `file` object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.content.size,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


class Files:
    """The files of the account, and the calls that reach them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.shelf: Shelf[StoredFile] = Shelf(context)

    def keep_output(self, filename: str, content: Spool, moment: float, lasts_s: int) -> str:
        """Keep a file that a batch has written; return its id."""
        created = int(self._context.wall(moment))
        file = StoredFile(
            id=f"file-{self._context.serial()}",
            filename=filename,
            purpose="batch_output",
            created_at=created,
            expires_at=created + lasts_s,
            content=content,
        )
        self.shelf.add(file, at_once=True)
        return file.id

    async def create(self, call: Call) -> dict[str, Any]:
        """`POST /v1/files`."""
        form = read_form(call.headers.get("content-type", ""), call.body)
        for name in form:
            if name not in _FIELDS:
                raise _bad(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        file, purpose = _needed(form, "file"), _needed(form, "purpose").text
        if purpose not in _PURPOSES:
            raise _bad(f"'{purpose}' is not one of {list(_PURPOSES)} - 'purpose'", "purpose")
        if file.filename is None:
            raise _bad("Expected a file with a name.", "file")
        if purpose == "batch" and not file.filename.endswith(".jsonl"):
            raise _bad("Invalid file format for Batch API. Must be .jsonl", None)
        if len(file.data) > _LARGEST:
            raise ApiError(413, "The file exceeds the maximum size of 512 MB.")
        lasts = _lifetime(form)
        if lasts is None and purpose == "batch":
            lasts = _THIRTY_DAYS_S
        created = int(self._context.wall(self._context.clock()))
        stored = StoredFile(
            id=f"file-{self._context.serial()}",
            filename=file.filename,
            purpose=purpose,
            created_at=created,
            expires_at=None if lasts is None else created + lasts,
            content=Spool(file.data),
        )
        self.shelf.add(stored)
        self._context.tally.files_uploaded += 1
        self._context.tally.uploaded_bytes += len(file.data)
        return stored.view()

    async def list(self, call: Call) -> dict[str, Any]:
        """`GET /v1/files`."""
        limit = read_limit(call.query, _MOST_LISTED, _MOST_LISTED)
        order = call.query.get("order", "desc")
        if order not in {"asc", "desc"}:
            raise _bad("Invalid value for 'order': supported values are: 'asc', 'desc'.", "order")
        found = self.shelf.listed()[:: 1 if order == "desc" else -1]
        purpose = call.query.get("purpose")
        found = [file for file in found if purpose is None or file.purpose == purpose]
        after = call.query.get("after")
        start = 0 if after is None else place_of(after, found, "after") + 1
        return page([file.view() for file in found[start:]], limit)

    async def retrieve(self, call: Call) -> dict[str, Any]:
        """`GET /v1/files/{id}`."""
        return self._find(call).view()

    async def content(self, call: Call) -> Download:
        """`GET /v1/files/{id}/content`."""
        file = self._find(call)
        if file.purpose not in _OPEN_PURPOSES:
            raise _bad(f"Not allowed to download files of purpose: {file.purpose}", None)
        return Download(
            kind="application/octet-stream", size=file.content.size, blocks=file.content.blocks
        )

    async def delete(self, call: Call) -> dict[str, Any]:
        """`DELETE /v1/files/{id}`."""
        file = self._find(call)
        self.shelf.remove(file.id)
        return {"id": file.id, "object": "file", "deleted": True}

    def _find(self, call: Call) -> StoredFile:
        file = self.shelf.find(call.name)
        if file is None:
            raise ApiError(404, f"No such File object: {call.name}", param="id")
        return file


def page(views: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """Make a list of OpenAI's from what comes after its cursor."""
    shown = views[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(views) > limit,
    }


def check_lifetime(anchor: object, seconds: object, where: str) -> int:
    """Check when a file shall expire.

    Raises:
        ApiError: 400.
    """
    if anchor != "created_at":
        message = f"Invalid value for '{where}.anchor': supported values are: 'created_at'."
        raise _bad(message, f"{where}.anchor", "invalid_value")
    whole = isinstance(seconds, int) and not isinstance(seconds, bool)
    if not whole or not _SHORTEST_S <= seconds <= _THIRTY_DAYS_S:  # type: ignore[operator] # is an int
        message = f"Invalid value for '{where}.seconds': expected 3600 to 2592000."
        raise _bad(message, f"{where}.seconds", "invalid_value")
    return seconds  # type: ignore[return-value] # is an int


def _lifetime(form: dict[str, Part]) -> int | None:
    anchor, seconds = form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return None
    text = seconds.text if seconds else ""
    return check_lifetime(
        anchor and anchor.text, int(text) if text.isdecimal() else None, "expires_after"
    )


def _needed(form: dict[str, Part], name: str) -> Part:
    if name not in form:
        message = f"Missing required parameter: '{name}'."
        raise _bad(message, name, "missing_required_parameter")
    return form[name]


def _bad(message: str, param: str | None, code: str | None = None) -> ApiError:
    return ApiError(400, message, param=param, code=code)
