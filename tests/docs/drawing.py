"""A terminal's screens over time as one SVG that plays once and then stands still.

Where nothing moves (a renderer without animations, a reader who wants none) the last screen stands
there from the beginning.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Screen = Sequence[str]

_WIDTH, _HEIGHT = 8.4, 19.0
"""Of a character, at 14 px."""
_MARGIN = 16
_STYLE = """\
rect { fill: #15191f; }
text { fill: #d5dae2; font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono",
  "Liberation Mono", monospace; white-space: pre; }
.typed { fill: #8fd0a4; font-weight: bold; }
.passing { visibility: hidden; }
@keyframes shown { from, to { visibility: visible; } }
@keyframes absent { from, to { visibility: hidden; } }
@media (prefers-reduced-motion: reduce) { text { animation: none !important; } }
"""


@dataclass(frozen=True, slots=True)
class Shot:
    """What stood on the screen from a moment on."""

    at_s: float
    lines: Screen


@dataclass(frozen=True, slots=True)
class _Stay:
    """A line of text in one place, from one moment to another; without an end it stays."""

    row: int
    text: str
    begin_s: float
    end_s: float | None


def svg(shots: Sequence[Shot], about: str, *, columns: int, prompt: str) -> str:
    """Draw the shots, in the order of time; lines that begin with `prompt` were typed."""
    rows = max(len(shot.lines) for shot in shots)
    width, height = columns * _WIDTH + 2 * _MARGIN, rows * _HEIGHT + 2 * _MARGIN
    texts = "".join(_text(stay, prompt) for stay in _stays(shots, rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img"'
        f' xml:space="preserve">\n'
        f"<title>{escape(about)}</title>\n<style>\n{_STYLE}</style>\n"
        f'<rect width="100%" height="100%" rx="8"/>\n{texts}</svg>\n'
    )


def _stays(shots: Sequence[Shot], rows: int) -> Iterator[_Stay]:
    for row in range(rows):
        text, since = "", 0.0
        for shot in shots:
            now = shot.lines[row] if row < len(shot.lines) else ""
            if now != text:
                if text:
                    yield _Stay(row, text, since, shot.at_s)
                text, since = now, shot.at_s
        if text:
            yield _Stay(row, text, since, None)


def _text(stay: _Stay, prompt: str) -> str:
    classes = ["typed"] if stay.text.startswith(prompt) else []
    if stay.end_s is None:
        move = f"absent {stay.begin_s:.2f}s" if stay.begin_s else ""
    else:
        classes.append("passing")
        move = f"shown {stay.end_s - stay.begin_s:.2f}s {stay.begin_s:.2f}s"
    length = len(stay.text) * _WIDTH
    y = _MARGIN + (stay.row + 0.75) * _HEIGHT
    kind = f' class="{" ".join(classes)}"' if classes else ""
    style = f' style="animation: {move}"' if move else ""
    return (
        f'<text x="{_MARGIN}" y="{y:g}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"'
        f"{kind}{style}>{escape(stay.text)}</text>\n"
    )
