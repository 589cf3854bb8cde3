"""How large a request will be: tokens from bytes and the usual output, learned from usage."""

_START_TOKENS_PER_BYTE = 0.3
"""English prose has some 0.25 tokens a byte, code and JSON more; before the first usage."""
_START_OUTPUT = 200.0
_LEARN = 0.02
_FIRST = 0.3
"""The first usages weigh more, so that a wrong start is soon forgotten."""


class Estimate:
    """What is known of one model's requests."""

    __slots__ = ("_learn", "output", "tokens_per_byte")

    def __init__(self) -> None:
        self.tokens_per_byte = _START_TOKENS_PER_BYTE
        self.output = _START_OUTPUT
        """The mean number of tokens in an answer."""
        self._learn = 1.0

    def input_tokens(self, size: int) -> float:
        """Estimate the tokens of a request of `size` bytes."""
        return max(1.0, size * self.tokens_per_byte)

    def output_tokens(self, cap: int | None) -> float:
        """Estimate the tokens of an answer that has at most `cap`."""
        return self.output if cap is None or self.output < cap else cap

    @property
    def is_known(self) -> bool:
        """Whether there was usage enough to go by."""
        return self._learn < _FIRST / 4

    def learn(self, size: int, input_tokens: int | None, output_tokens: int | None) -> None:
        """Take in what a request really used; None where that is unknown."""
        weight = self._learn
        if input_tokens and size > 0:
            self.tokens_per_byte += weight * (input_tokens / size - self.tokens_per_byte)
        if output_tokens is not None:
            self.output += weight * (output_tokens - self.output)
        if weight > _LEARN:
            self._learn = max(_LEARN, min(_FIRST, weight * 0.8))
