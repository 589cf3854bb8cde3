"""A set of line numbers that costs one bit a line."""


class LineSet:
    """Line numbers, from 1. Grows to an eighth of the highest one, in bytes."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._count = 0

    def add(self, line: int) -> None:
        """Put a line in."""
        index, bit = divmod(line, 8)
        if index >= len(self._bits):
            self._bits.extend(bytes(index + 1 - len(self._bits)))
        if not self._bits[index] >> bit & 1:
            self._bits[index] |= 1 << bit
            self._count += 1

    def add_all(self, first: int, end: int) -> None:
        """Put in lines that are not in yet and follow each other, up to the one before `end`."""
        start, stop = (first + 7) // 8, end // 8
        if start >= stop:
            for line in range(first, end):
                self.add(line)
            return
        for line in (*range(first, 8 * start), *range(8 * stop, end)):
            self.add(line)
        self._bits.extend(bytes(max(0, stop - len(self._bits))))
        self._bits[start:stop] = b"\xff" * (stop - start)
        self._count += 8 * (stop - start)

    def __contains__(self, line: int) -> bool:
        index, bit = divmod(line, 8)
        return index < len(self._bits) and bool(self._bits[index] >> bit & 1)

    def __len__(self) -> int:
        return self._count
