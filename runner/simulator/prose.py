"""Deterministic prose: a prompt in, an exact number of English word pieces out."""

import re
from collections.abc import Iterator

from runner.simulator.chance import units
from runner.simulator.vocabulary import PATTERNS, WORDS

_SLOT = re.compile(r"{(\w+)}")
# A word with the white space before it; very long ones come in pieces, as from a real tokenizer.
_PIECE = re.compile(r"\s*\S{1,16}|\s+")
_SENTENCES_A_PARAGRAPH = 5


def pieces(text: str) -> tuple[str, ...]:
    """Cut text into what the simulator calls tokens; joined, they are the text again."""
    return tuple(_PIECE.findall(text))


def compose(count: int, *words: object) -> tuple[str, ...]:
    """Write prose of exactly `count` pieces that depends on `words` alone."""
    written: list[str] = []
    for sentence_number, sentence in enumerate(_sentences(units("prose", *words))):
        if len(written) >= count:
            break
        gap = " " if sentence_number % _SENTENCES_A_PARAGRAPH else "\n\n"
        written += pieces(gap + sentence if sentence_number else sentence)
    del written[count:]
    if written:
        written[-1] = written[-1].rstrip(".,") + "."
    return tuple(written)


def _sentences(chance: Iterator[float]) -> Iterator[str]:
    def pick(options: tuple[str, ...]) -> str:
        return options[int(next(chance) * len(options))]

    while True:
        yield _SLOT.sub(lambda slot: pick(WORDS[slot[1]]), pick(PATTERNS))
