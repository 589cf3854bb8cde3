"""`/save`: a conversation written to a file that somebody named."""

from pathlib import Path

from runner.conversation import Conversation
from runner.errors import UsageError
from runner.view.transcript import transcript
from runner.words import printable


def save(conversation: Conversation, name: str, *, replace: bool) -> Path:
    """Write it, and give the path; keep a file that exists unless `replace`. Raises UsageError."""
    try:
        path = Path(name).expanduser()
        text = transcript(conversation, path).encode("utf-8", "replace")
        with path.open("wb" if replace else "xb") as file:
            file.write(text)
    except FileExistsError:
        shown = printable(name)
        told = f"{shown} exists and was left alone. To replace it:  /save! {shown}"
        raise UsageError(told) from None
    except (OSError, ValueError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such name"
        raise UsageError(f"cannot write {printable(name)}: {why}.") from error
    return path
