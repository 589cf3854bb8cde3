"""Pictures and files in requests: what the real APIs take, and what they refuse."""

import base64
from typing import Any

import pytest

from runner.simulator.errors import ApiError
from runner.simulator.strict_messages import check_messages

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n1234").decode()
GIF = base64.b64encode(b"GIF89a1234").decode()
PDF = base64.b64encode(b"%PDF-1.4").decode()


def chat(part: dict[str, Any]) -> None:
    """Check a part in Chat Completions."""
    check_messages("chat", {"messages": [{"role": "user", "content": [part]}]}, current=True)


def responses(part: dict[str, Any]) -> None:
    """Check a part in Responses."""
    check_messages("responses", {"input": [{"role": "user", "content": [part]}]}, current=True)


def messages(part: dict[str, Any]) -> None:
    """Check a block in Messages."""
    check_messages("messages", {"messages": [{"role": "user", "content": [part]}]}, current=True)


def picture(url: Any, **more: Any) -> dict[str, Any]:
    """A picture for Chat Completions."""
    return {"type": "image_url", "image_url": {"url": url, **more}}


def file(**inner: Any) -> dict[str, Any]:
    """A file for Chat Completions."""
    return {"type": "file", "file": inner}


def block(kind: str, media: str, data: Any, form: str = "base64", **more: Any) -> dict[str, Any]:
    """A block for Messages."""
    return {"type": kind, "source": {"type": form, "media_type": media, "data": data, **more}}


PDF_URL = f"data:application/pdf;base64,{PDF}"


@pytest.mark.parametrize(
    ("check", "part"),
    [
        (chat, picture(f"data:image/png;base64,{PNG}", detail="low")),
        (chat, picture("https://example.com/a.png")),
        (chat, file(filename="a.pdf", file_data=PDF_URL)),
        (chat, file(file_id="file-1")),
        (responses, {"type": "input_image", "image_url": f"data:image/gif;base64,{GIF}"}),
        (responses, {"type": "input_image", "file_id": "file-1"}),
        (responses, {"type": "input_file", "filename": "a.pdf", "file_data": PDF_URL}),
        (responses, {"type": "input_file", "file_url": "https://example.com/a.pdf"}),
        (messages, block("image", "image/png", PNG)),
        (messages, block("document", "application/pdf", PDF)),
        (messages, block("document", "text/plain", "words", form="text")),
        (messages, {"type": "image", "source": {"type": "url", "url": "https://a.example/b"}}),
    ],
)
def test_what_is_right_is_taken(check: Any, part: dict[str, Any]) -> None:
    """Data URLs, addresses, ids and base64 in their right places are taken."""
    check(part)


@pytest.mark.parametrize(
    ("check", "part", "words"),
    [
        (chat, picture("a.png"), "expected a base64-encoded data URL with a MIME type"),
        (chat, picture(f"data:image/png,{PNG}"), "expected a base64-encoded data URL"),
        (chat, picture("data:image/png;base64,***"), "Invalid base64 data"),
        (chat, picture(f"data:image/bmp;base64,{PNG}"), "unsupported image"),
        (chat, picture(f"data:image/png;base64,{PDF}"), "unsupported image"),
        (chat, picture(None), "expected an image URL"),
        (chat, picture("https://a.example/b", detail="best"), "no level of detail"),
        (chat, picture("https://a.example/b", size=1), "Unknown parameter"),
        (chat, {"type": "image_url", "image_url": "https://a.example/b"}, "expected an object"),
        (chat, file(filename="a.pdf"), "Missing required parameter"),
        (chat, file(file_data=PDF_URL), "file.filename"),
        (chat, file(filename="a.pdf", file_data=PDF), "expected a base64-encoded data URL"),
        (chat, file(filename="a", file_data=PDF_URL.replace(PDF, PNG)), "no valid PDF"),
        (responses, {"type": "input_image", "image_url": {"url": "x"}}, "expected an image URL"),
        (responses, {"type": "input_file", "file_data": PDF_URL}, "filename"),
        (responses, {"type": "input_file", "file": {}}, "Unknown parameter"),
        (messages, {"type": "image"}, "source: Field required"),
        (messages, block("image", "image/bmp", PNG), "media_type: Input should be"),
        (messages, block("image", "image/png", f"data:image/png;base64,{PNG}"), "Invalid base64"),
        (messages, block("image", "image/png", GIF), "appears to be a image/gif"),
        (messages, block("image", "image/png", PDF), "Could not process image"),
        (messages, block("image", "image/png", "A" * 5_300_000), "exceeds 5 MB maximum"),
        (messages, block("image", "image/png", PNG, detail="low"), "Extra inputs"),
        (messages, block("document", "application/pdf", PNG), "PDF specified was not valid"),
        (messages, block("document", "application/pdf", None), "valid string"),
        (messages, {"type": "image", "source": {"type": "text"}}, "is not one of"),
    ],
)
def test_what_is_malformed_is_refused(check: Any, part: dict[str, Any], words: str) -> None:
    """A part that the real API would refuse is a 400 that names the mistake."""
    with pytest.raises(ApiError) as raised:
        check(part)
    assert words in raised.value.message
    assert raised.value.status == 400
