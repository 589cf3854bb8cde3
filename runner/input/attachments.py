"""The files that jobs name: found, told apart by what they hold, measured and hashed.

Nothing of them is kept but a hash: what is sent is read again when it is sent. A file is read once
here however many jobs name it.
"""

import codecs
import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from runner.input.problems import BadLineError
from runner.input.words import quoted
from runner.models import Api, Attachment

PDF, TEXT = "application/pdf", "text/plain"
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", PDF),
)
_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf"}
"""What is named so and holds text is a download that failed, or a pointer to the real file."""

_MOST_BYTES: dict[Api, int] = {
    "openai": 50_000_000,
    "openai-responses": 50_000_000,
    "anthropic": 32_000_000,
}
"""Of all files of a request as they are sent. OpenAI's guides to images and to file inputs allow
50 MB a request, Anthropic's list of errors 32 MB."""
_MOST_IMAGE_BYTES: dict[Api, int] = {"anthropic": 5 * 1024 * 1024}
"""Of one picture in base64: "image exceeds 5 MB maximum: 5272940 bytes > 5242880 bytes"."""

_HEAD_BYTES, _BLOCK_BYTES = 16, 1 << 20
_KEPT = 50_000


class _Known(NamedTuple):
    stamp: tuple[int, int, int, int]
    kind: str
    sha256: str


class Attachments:
    """Finds files in one folder. Not for several threads."""

    def __init__(
        self, folder: Path | None = None, *, chosen: bool = False, anywhere: bool = False
    ) -> None:
        """Look in a folder, the current one if None, and never outside of it.

        `chosen`: the user named the folder, so an absolute path into it is fine as well.
        `anywhere`: the user typed each path.
        """
        self._folder = Path() if folder is None else folder
        self._chosen = chosen
        self._anywhere = anywhere
        self._root: str | None = None
        self._known: dict[str, _Known] = {}

    def of(self, names: Sequence[str], api: Api) -> tuple[Attachment, ...]:
        """Give what a job attaches. Raises BadLineError where it cannot be sent to this API."""
        files = tuple(self._one(name, api) for name in names)
        total, most = sum(map(sent_size, files)), _MOST_BYTES[api]
        if total > most:
            raise BadLineError(
                f"the files of this job have {total:,} bytes as they are sent; "
                f"{api} takes {most:,} in a request"
            )
        return files

    def _one(self, name: str, api: Api) -> Attachment:
        path = self._path(name)
        try:
            with _opened(path, name) as file:
                status = os.fstat(file.fileno())
                known = self._look(path, file, status, name, api)
        except OSError as error:
            raise BadLineError(
                f"the file {quoted(name)} cannot be read: {error.strerror}"
            ) from None
        return Attachment(
            name=name, path=path, kind=known.kind, size=status.st_size, sha256=known.sha256
        )

    def _path(self, name: str) -> str:
        if not name or "\0" in name:
            raise BadLineError('"files" holds an empty name, or one with a NUL character')
        given = self._folder / name
        path = os.path.realpath(given)
        if not self._anywhere:
            self._refuse_outside(name, path)
        return path

    def _refuse_outside(self, name: str, path: str) -> None:
        if self._root is None:
            self._root = os.path.realpath(self._folder)
        parts = Path(name).parts
        absolute = Path(name).is_absolute() and not self._chosen
        if absolute or ".." in parts or not Path(path).is_relative_to(self._root):
            raise BadLineError(
                f"the file {quoted(name)} is not in the folder "
                f"{'given with --files-from' if self._chosen else 'of the jobs'}; "
                "--files-from DIR names another"
            )

    def _look(
        self, path: str, file: BinaryIO, status: os.stat_result, name: str, api: Api
    ) -> _Known:
        stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get(path)
        if known is not None and known.stamp == stamp:
            _refuse_large(name, known.kind, status.st_size, api)
            return known
        kind = _kind(file.read(_HEAD_BYTES), name)
        _refuse_large(name, kind, status.st_size, api)
        file.seek(0)
        known = _Known(stamp, kind, _hashed(file, kind, name))
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[path] = known
        return known


def sent_size(file: Attachment) -> int:
    """How many bytes a file takes in a request."""
    return file.size if file.kind == TEXT else 4 * ((file.size + 2) // 3)


def _opened(path: str, name: str) -> BinaryIO:
    try:
        # Without O_NONBLOCK a FIFO would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise BadLineError(f"there is no file {quoted(name)}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadLineError(f"{quoted(name)} is no file")
    return open(descriptor, "rb", buffering=0)  # noqa: PTH123 - a descriptor has no path


def _kind(head: bytes, name: str) -> str:
    if not head:
        raise BadLineError(f"the file {quoted(name)} is empty")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    found = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if found is None and Path(name).suffix.lower() in _SUFFIXES:
        raise BadLineError(
            f"the file {quoted(name)} does not hold what its name says, nor a picture or a PDF"
        )
    return found or TEXT


def _refuse_large(name: str, kind: str, size: int, api: Api) -> None:
    is_image = kind.startswith("image/")
    most = _MOST_IMAGE_BYTES.get(api, _MOST_BYTES[api]) if is_image else _MOST_BYTES[api]
    if kind != TEXT:
        most = most * 3 // 4
    if size > most:
        what = "picture" if is_image else "file"
        raise BadLineError(
            f"the file {quoted(name)} has {size:,} bytes; {api} takes a {what} of {most:,} at most"
        )


def _hashed(file: BinaryIO, kind: str, name: str) -> str:
    hashed, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    is_text = True
    try:
        while block := file.read(_BLOCK_BYTES):
            hashed.update(block)
            if kind == TEXT:
                decoder.decode(block)
                is_text = is_text and b"\0" not in block
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        raise BadLineError(
            f"the file {quoted(name)} is neither a picture (PNG, JPEG, GIF, WebP) nor a PDF "
            "nor text in UTF-8"
        )
    return hashed.hexdigest()
