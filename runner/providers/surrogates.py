"""Halves of characters in JSON escapes: joined where both come, replaced where one is missing.

A provider may escape a character beyond U+FFFF as two halves and cut its stream between them.
"""


def whole_text(text: str) -> str:
    """Join surrogate pairs and put U+FFFD for a half that stands alone."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class Pieces:
    """Streamed text: what goes out piece by piece is exactly what `text` holds."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._half = ""

    def add(self, piece: str) -> str:
        """Take a piece; return what may be shown, holding back half a character at its end."""
        piece = self._half + piece
        self._half = ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            self._half = piece[-1]
            piece = piece[:-1]
        piece = whole_text(piece)
        if piece:
            self._pieces.append(piece)
        return piece

    @property
    def text(self) -> str:
        """All that has come."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""
