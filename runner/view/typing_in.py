"""What a person types in a conversation: lines with editing and history, over prompt_toolkit.

Why not `input` with readline, or click's prompt over it: on macOS, and in many builds of Python,
readline is libedit, in which every line of a pasted text is sent by itself; and it reads in a call
that no signal ends but by an exception, at any moment. prompt_toolkit is the same everywhere, keeps
pasted lines together, edits over several lines, and reads within the event loop, where signals are
heard as elsewhere. It takes 0.1 s to import, which only a conversation pays.
"""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from anyio import CancelScope
from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.utils import is_dumb_terminal

PROMPT, CONTINUED = "> ", "  "
MOST_HISTORY = 1024 * 1024
"""Bytes; beyond them the older half goes."""


class StoppedError(Exception):
    """Ctrl-C at the prompt: what was typed is not to be sent."""

    def __init__(self, typed: str) -> None:
        super().__init__(typed)
        self.typed = typed


class LeftError(Exception):
    """Nothing more will be typed: Ctrl-D, or the terminal is gone."""


class Keyboard:
    """Reads what is typed. Only one of its calls may be under way at a time."""

    def __init__(self, history: Path | None) -> None:
        """`history`: a file for what is sent, made for this user alone; None remembers nothing."""
        output, terminal = _output(), create_input(sys.stdin)
        self._lines: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation=CONTINUED,
            key_bindings=_keys(),
            history=InMemoryHistory() if history is None else _file_history(history),
            enable_suspend=True,
            reserve_space_for_menu=0,
            input=terminal,
            output=output,
        )
        self._words: PromptSession[str] = PromptSession(
            key_bindings=_stop_keys(), history=InMemoryHistory(), input=terminal, output=output
        )

        self._scope: CancelScope | None = None
        """Of the call under way, or the last one."""
        self._left = False

    async def read(self) -> str:
        """Read one message, which may have several lines. Raises StoppedError and LeftError."""
        return await self._read(self._lines, PROMPT)

    async def agree(self, question: str) -> bool:
        """Ask something that Return and `y` agree to."""
        while True:
            try:
                answer = await self._read(self._words, question)
            except (StoppedError, LeftError):
                return False
            if answer.strip().lower() in ("", "y", "yes", "n", "no"):
                return not answer.strip().lower().startswith("n")

    def stop(self) -> None:
        """Let the call under way raise StoppedError."""
        if self._scope is not None:
            self._scope.cancel()

    def leave(self) -> None:
        """Let the call under way raise LeftError."""
        self._left = True
        self.stop()

    async def _read(self, session: PromptSession[str], prompt: str) -> str:
        # Cancelled, it leaves the terminal as it found it, at whatever moment that is.
        with CancelScope() as self._scope:
            try:
                text = await session.prompt_async(
                    prompt, handle_sigint=False, set_exception_handler=False
                )
            except KeyboardInterrupt:
                raise StoppedError(session.default_buffer.text) from None
            except (EOFError, OSError):
                raise LeftError from None
            # Bytes that are no UTF-8 came in as half characters, which no request can hold.
            return text.encode("utf-8", "replace").decode()
        raise LeftError if self._left else StoppedError(session.default_buffer.text)


def _output() -> Output | None:
    if is_dumb_terminal():
        return None  # the default then asks in the plainest way
    output = Vt100_Output.from_pty(sys.stderr, term=os.environ.get("TERM"))
    # Asked where its cursor is, a slow terminal would answer into the next question.
    output.enable_cpr = False
    return output


def _stop_keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("c-c")
    @keys.add(Keys.SIGINT)
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=StoppedError(event.current_buffer.text))

    return keys


def _keys() -> KeyBindings:
    keys = _stop_keys()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.text.endswith("\\") and buffer.document.is_cursor_at_the_end:
            buffer.delete_before_cursor(1)
            buffer.insert_text("\n")
        elif buffer.text.strip():
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _file_history(path: Path) -> History:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        _shorten(path)
    except OSError:
        return InMemoryHistory()
    return _Kept(str(path))


def _shorten(path: Path) -> None:
    if path.stat().st_size <= MOST_HISTORY:
        return
    data = path.read_bytes()[-MOST_HISTORY // 2 :]
    path.write_bytes(data[max(0, data.find(b"\n# ")) :])


class _Kept(FileHistory):
    """A file that is a convenience: what cannot be read or written there is no reason to fail."""

    def load_history_strings(self) -> Iterable[str]:
        try:
            return super().load_history_strings()
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        with suppress(OSError):
            super().store_string(string)
