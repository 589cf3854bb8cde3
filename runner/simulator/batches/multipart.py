"""multipart/form-data, as SDKs and curl send it."""

from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from runner.simulator.errors import ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field of a form."""

    name: str
    filename: str | None
    data: bytes

    @property
    def text(self) -> str:
        """The field as text."""
        return self.data.decode("utf-8", "replace")


def read_form(content_type: str, body: bytes) -> dict[str, Part]:
    """Take a form apart; of several fields with one name the last counts.

    Raises:
        ApiError: 400, it is none.
    """
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise ApiError(400, "Content-Type must be multipart/form-data with a boundary.")
    mark = b"--" + boundary.encode("latin-1", "replace")
    if not body.startswith(mark):
        raise _broken()
    parts: dict[str, Part] = {}
    place = len(mark)
    while body[place : place + 2] != b"--":
        end = body.find(b"\r\n" + mark, place)
        if end < 0 or body[place : place + 2] != b"\r\n":
            raise _broken()
        part = _read_part(body, place + 2, end)
        parts[part.name] = part
        place = end + 2 + len(mark)
    return parts


def _read_part(body: bytes, start: int, end: int) -> Part:
    gap = body.find(b"\r\n\r\n", start, end)
    if gap < 0:
        raise _broken()
    head = BytesHeaderParser().parsebytes(body[start : gap + 4])
    name = head.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise _broken()
    return Part(name=name, filename=head.get_filename(), data=body[gap + 4 : end])


def _broken() -> ApiError:
    return ApiError(400, "Could not parse multipart form")
