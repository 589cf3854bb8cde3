"""Promises of `-x`: the first fenced block of an answer, wherever its pieces were cut."""

import pytest

from runner.view.extracting import FirstBlock

CODE = "def f():\n    return 1\n"
CASES = {
    "plain": (f"Here:\n```python\n{CODE}```\nDone.\n```\nsecond\n```\n", CODE),
    "no end": ("```sh\nls\necho `a` ```\n", "ls\necho `a` ```\n"),
    "cut within": ("```\nls -", "ls -"),
    "end without a newline": ("```\nls\n```", "ls\n"),
    "tildes around backticks": ("~~~ md `x`\n```\na\n```\n~~~\nb", "```\na\n```\n"),
    "four around three": ("````\n```\na\n```\n````\n", "```\na\n```\n"),
    "in a list": ("1. Do:\n   ```sh\n   a\n\n     b\n  c\n   ```\n", "a\n\n  b\nc\n"),
    "empty": ("```\n```\nafter", ""),
    "carriage returns": ("```\r\na\r\n```\r\nb", "a\r\n"),
    "inline is no block": ("Use ```x``` or `y`.\n```\na\n```\n", "a\n"),
    "blank lines and spaces": ("```\n\n  \na\n```\n", "\n  \na\n"),
}


@pytest.mark.parametrize(("answer", "code"), CASES.values(), ids=CASES)
def test_the_first_block_is_given_however_it_is_cut(answer: str, code: str) -> None:
    """Cut at any one place, or into single characters, the same block comes out."""
    cuts = [[answer[:at], answer[at:]] for at in range(len(answer))]
    for pieces in [*cuts, list(answer)]:
        block = FirstBlock()
        assert "".join(map(block.feed, pieces)) + block.end() == code
        assert block.found


def test_code_is_given_as_it_arrives() -> None:
    """Only what may be the end of the block is held back; the rest of a line is not."""
    block = FirstBlock()
    pieces = ["A\n``", "`\nx", " = `", "1`\n", "``", "y\n", "```"]
    assert [block.feed(piece) for piece in pieces] == ["", "x", " = `", "1`\n", "", "``y\n", ""]


@pytest.mark.parametrize("answer", ["", "no code", "a `b` c\n", "```not``` closed\n"])
def test_without_a_block_nothing_is_found(answer: str) -> None:
    """What has no fence on a line of its own is no block."""
    block = FirstBlock()
    assert (block.feed(answer), block.end(), block.found) == ("", "", False)
