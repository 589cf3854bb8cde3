"""Promises of the file behind `--continue`: private, whole, without keys."""

from pathlib import Path

import pytest

from runner.conversation import Conversation, Turn
from runner.errors import UsageError
from runner.run.last_exchange import NAME, keep, last_exchange


def said(question: str = "Why?", answer: str = "Because.") -> Conversation:
    turn = Turn(question=question, answer=answer, model="sim/steady", whole=False)
    return Conversation(system="Be brief.", turns=(turn,))


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    """The last one counts; file and folder are the user's alone, and nothing lies about."""
    folder = tmp_path / "state" / "runner"
    assert keep(said("one"), folder) is None
    assert keep(said("two"), folder) is None
    assert last_exchange(folder) == said("two")
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_keys_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key from the environment is blotted out of questions and answers."""
    monkeypatch.setenv("OPENAI_API_KEY", 'sk-very"secret')
    keep(said('is sk-very"secret fine?', 'sk-very"secret is fine'), tmp_path)
    assert "secret" not in (tmp_path / NAME).read_text()
    (turn,) = last_exchange(tmp_path).turns
    assert (turn.question, turn.answer) == ("is *** fine?", "*** is fine")


@pytest.mark.parametrize("data", [None, b"", b"{", b'{"v":2,"system":null,"turns":[]}'])
def test_what_cannot_be_taken_up_is_said(tmp_path: Path, data: bytes | None) -> None:
    """No file, a torn one and one of another version end in words."""
    if data is not None:
        (tmp_path / NAME).write_bytes(data)
    with pytest.raises(UsageError, match="nothing to continue" if data is None else "no conv"):
        last_exchange(tmp_path)


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """Where it cannot be written, it is given back as a failure."""
    (tmp_path / "file").write_text("")
    failure = keep(said(), tmp_path / "file")
    assert isinstance(failure, OSError)
