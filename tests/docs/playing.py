"""A page's shell blocks, run one after the other by one shell, and what each wrote.

A ```sh block is run as it stands. The ```console block that follows holds what it writes: there,
`...` stands for anything on its line, and alone on a line for any lines. Times, dates and what is
made for one run are blanked on both sides. `<!-- not run: why -->` before a block keeps it from
being run, `<!-- needs: jq -->` where the machine has no jq.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import Block, blocks
from tests.processes.running import environment

_SCRIPTS = Path(sys.executable).parent
_MARKER = "=== block at line "
_VARYING = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z|\b\d\d:\d\d:\d\dZ"), "<moment>"),
    (re.compile(r"\b(\d+h )?(\d+m )?\d+(\.\d+)?(ms|s)\b"), "<time>"),
    (re.compile(r"\b\d+(\.\d+)?/s\b"), "<rate>"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A shell block that ran."""

    block: Block
    shown: str | None
    """What the page says that it writes; None if the page does not say."""
    written: str
    """What it wrote, to stdout and stderr."""


def runnable(block: Block) -> bool:
    """Whether a block is a shell's and this machine can run it."""
    mark = block.mark or ""
    if block.kind != "sh" or mark.startswith("not run: "):
        return False
    needs = mark.removeprefix("needs: ").split(", ") if mark.startswith("needs: ") else []
    return all(shutil.which(program) for program in needs)


def play(
    page: Path, folder: Path, env: Mapping[str, str], instead: Mapping[str, str]
) -> list[Played]:
    """Run a page's blocks in `folder` and give what they wrote.

    `instead`: texts of the blocks that are replaced, such as an address that nobody serves here.
    A block that fails fails the test, with all that was written.
    """
    steps = list(_steps(page))
    script = "exec 2>&1\n" + "".join(f"echo '{_MARKER}{b.line}'\n{b.text}" for b, _ in steps)
    for text, other in instead.items():
        script = script.replace(text, other)
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", script],
        cwd=folder,
        env={**environment(folder, env), "PATH": f"{_SCRIPTS}:/usr/local/bin:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{page.name}: a block failed:\n{done.stdout}{done.stderr}"
    parts = re.split(rf"{_MARKER}\d+\n", done.stdout)[1:]
    assert len(parts) == len(steps)
    return [
        Played(block=block, shown=shown, written=written)
        for (block, shown), written in zip(steps, parts, strict=True)
    ]


def _steps(page: Path) -> Iterator[tuple[Block, str | None]]:
    """Give each block that is run, and the text of the console block that belongs to it."""
    waiting: Block | None = None
    for block in blocks(page):
        if block.kind == "sh":
            if waiting is not None:
                yield waiting, None
            waiting = block if runnable(block) else None
        elif block.kind == "console" and waiting is not None:
            yield waiting, block.text
            waiting = None
    if waiting is not None:
        yield waiting, None


def fits(shown: str, written: str) -> bool:
    """Whether a text is what a page shows."""
    pattern = ""
    for line in _blanked(shown).splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*"
        else:
            pattern += r"[^\n]*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, _blanked(written)) is not None


def _blanked(text: str) -> str:
    for varying, blank in _VARYING:
        text = varying.sub(blank, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
