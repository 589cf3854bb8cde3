"""The one conversation that `--continue` takes up: a small file for this user's eyes only."""

import os
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from runner.conversation import Conversation, Turn
from runner.errors import UsageError
from runner.words import printable, scrubbed

NAME = "last-exchange.json"
_VERSION = 1


class _Kept(msgspec.Struct, kw_only=True):
    v: int
    system: str | None
    turns: tuple[Turn, ...]


def last_exchange(folder: Path) -> Conversation:
    """Read what was said last. Raises UsageError where nothing was kept, or it cannot be read."""
    try:
        data = (folder / NAME).read_bytes()
    except FileNotFoundError:
        raise UsageError(
            "nothing to continue: no answer of runner tail was kept here yet.\n"
            "(--no-save, and no_save under [tail], keep none.)"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot read {_shown(folder)}: {error.strerror}.") from error
    try:
        kept = msgspec.json.decode(data, type=_Kept)
    except msgspec.MsgspecError:
        kept = None
    if kept is None or kept.v != _VERSION or not kept.turns:
        raise UsageError(f"{_shown(folder)} holds no conversation that this version can read.")
    return Conversation(system=kept.system, turns=kept.turns)


def keep(conversation: Conversation, folder: Path) -> OSError | None:
    """Write it in the place of what was kept before, whole or not at all; give a failure back.

    No key that stands in the environment is written; attachments are no part of what was said.
    """
    system = None if conversation.system is None else scrubbed(conversation.system)
    kept = _Kept(v=_VERSION, system=system, turns=tuple(map(_fit_to_keep, conversation.turns)))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A name of its own: two answers may end at the same moment.
        draft = folder / f"{NAME}.{secrets.token_hex(4)}"
        _write_new(draft, msgspec.json.encode(kept))
        try:
            draft.replace(folder / NAME)
        except OSError:
            draft.unlink()
            raise
    except OSError as error:
        return error
    return None


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _fit_to_keep(turn: Turn) -> Turn:
    return replace(turn, question=scrubbed(turn.question), answer=scrubbed(turn.answer))


def _shown(folder: Path) -> str:
    return printable(str(folder / NAME))
