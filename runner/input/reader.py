"""The jobs of an input, one by one, while a run works: a checked file's, or a stream's."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path

import aiofiles
from anyio import CancelScope

from runner.errors import LineProblem, UsageError
from runner.input.cutting import Cutting, Unpacking
from runner.input.ids import IdBook, KnownIds
from runner.input.intake import Intake, blank
from runner.input.lines import Line
from runner.input.parser import JobParser
from runner.input.source import BLOCK_BYTES, Fingerprint, Source, fingerprint
from runner.input.stream import read_stream
from runner.input.unpack import DamagedError
from runner.models import Job


class InputChangedError(Exception):
    """The file is no longer the one that was checked; the text says so for a person."""


async def read_jobs(
    source: Source,
    parser: JobParser,
    *,
    wanted: Callable[[int], bool] | None = None,
    suffixes: Mapping[int, int] | None = None,
    fingerprint: Fingerprint | None = None,
) -> AsyncGenerator[Job | LineProblem]:
    """Yield what stands on the wanted lines, in order.

    A file that was checked comes with its `suffixes` and `fingerprint`; `wanted` must leave out its
    invalid lines, for ids are not compared again. Raises InputChangedError before anything of a
    changed content is yielded. Without them lines are checked as they come: bad ones, and second
    uses of an id, are yielded as problems; UsageError is raised only if the first line shows that
    the whole input is at fault. Cancelling takes effect at once, also while a stream is silent.
    """
    known = suffixes is not None or fingerprint is not None
    intake = Intake(
        parser,
        KnownIds(suffixes) if known else IdBook(),
        resumed=known,
        as_it_comes=not source.rereadable,
    )
    cutter, unpacking = Cutting(source, parser.max_line_bytes).begin(), Unpacking(source)
    try:
        async with aclosing(_blocks(source, fingerprint)) as blocks:
            async for block in blocks:
                for piece in unpacking.pieces(block):
                    for item in _items(cutter.feed(piece), intake, wanted):
                        yield item
        unpacking.finish()
    except DamagedError as error:
        if not intake.begun:
            raise UsageError(f"{source.label} {error}. Nothing was sent.") from None
        raise InputChangedError(f"{source.label} {error}.") from None
    for item in _items(cutter.finish(), intake, wanted):
        yield item


def _items(
    lines: Iterable[tuple[int, Line]], intake: Intake, wanted: Callable[[int], bool] | None
) -> Iterable[Job | LineProblem]:
    for line, raw in lines:
        if (wanted is None or wanted(line)) and not blank(raw):
            yield intake.take(raw, line)


def _blocks(source: Source, expected: Fingerprint | None) -> AsyncGenerator[bytes]:
    if source.path is None or not source.rereadable:
        return read_stream(source)
    return _file_blocks(source, source.path, expected)


async def _file_blocks(
    source: Source, path: Path, expected: Fingerprint | None
) -> AsyncGenerator[bytes]:
    _compare(source, expected)
    try:
        # Shielded: cancelled in that moment, nobody would hold the file that a thread opens.
        with CancelScope(shield=True):
            file = await aiofiles.open(path, "rb", buffering=0)
        try:
            while block := await file.read(BLOCK_BYTES):
                _compare(source, expected)
                yield block
        finally:
            # A cancelled run closes it as well: that is a hop to a thread, too.
            with CancelScope(shield=True):
                await file.close()
    except OSError as error:
        raise InputChangedError(f"{source.label} cannot be read: {error.strerror}.") from None
    _compare(source, expected)


def _compare(source: Source, expected: Fingerprint | None) -> None:
    if expected is not None and fingerprint(source) != expected:
        raise InputChangedError(f"{source.label} changed while it was being asked.")
