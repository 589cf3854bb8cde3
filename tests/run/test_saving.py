"""Promises of `/save`: a file of the person's own, never replaced unasked."""

from pathlib import Path

import pytest

from runner.conversation import Conversation, Turn
from runner.errors import UsageError
from runner.run.saving import save

SAID = Conversation(turns=(Turn(question="Why?", answer="Because.", model="sim/steady"),))


def test_a_file_that_exists_is_replaced_only_on_demand(tmp_path: Path) -> None:
    """It is left as it was, and the text says how to replace it."""
    path = tmp_path / "talk.md"
    assert save(SAID, str(path), replace=False) == path
    path.write_text("mine")
    with pytest.raises(UsageError, match="/save! "):
        save(SAID, str(path), replace=False)
    assert path.read_text() == "mine"
    save(SAID, str(path), replace=True)
    assert path.read_text().startswith("## You\n")


@pytest.mark.parametrize("name", ["nowhere/talk.md", ".", "a\0b", "~nobody-at-all/talk.md"])
def test_what_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A folder that is not there, one instead of a file, and no name at all end in words."""
    monkeypatch.chdir(tmp_path)
    for replace in (False, True):
        with pytest.raises(UsageError, match=r"cannot write|exists"):
            save(SAID, name, replace=replace)
