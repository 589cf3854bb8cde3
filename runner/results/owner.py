"""Refuse to touch a file that is not a results file of ours."""

import os
import re
import stat
from pathlib import Path

from runner.errors import UsageError
from runner.models import SCHEMA_VERSION
from runner.results.durable import cannot_write
from runner.results.heads import head_of
from runner.results.paths import ResultPaths

_BLOCK_BYTES = 64 * 1024
_LONGEST_LINE = 1 << 30
_BEGINNING = b'{"v":'
_BLANK = b"\0 \t\r\n"
"""A loss of power leaves zeros where bytes were to be written."""
_NOTHING = re.compile(rb"\Z")
_ANYTHING = re.compile(rb"")
_RECORDS = re.compile(rb'\Z|\{\Z|\{\s*"(?:\Z|v\Z|v")')
_LOCK = re.compile(rb'\Z|\{"pid":')
_JOURNAL = re.compile(rb'\Z|\[\Z|\["')
_RUN_FILE = re.compile(rb'\Z|(?s:\{.*"runner")')
_CHECKPOINT = re.compile(rb'\Z|\{"layout":')
_LONGEST_NAME = 255
"""Bytes, on every file system in common use."""
_ROOM_FOR_SUFFIX = len(".run.json.tmp")


def refuse_foreign(paths: ResultPaths, jobs: Path | None) -> None:
    """Raise UsageError where writing results would harm something else; nothing is touched.

    `jobs` is None where the jobs are no file. A missing or empty output is fine, and so is every
    file beside it that is missing, empty or ours.
    """
    shown, results = paths.shown, paths.results
    if len(os.fsencode(results.name)) > _LONGEST_NAME - _ROOM_FOR_SUFFIX:
        raise UsageError(
            f"the name {shown} is too long for the files that are kept beside it.\n"
            "Give a shorter one with -o."
        )
    try:
        status = results.stat()
    except FileNotFoundError:
        _refuse_missing_folder(shown, results)
        _refuse_foreign_beside(paths)
        return
    except OSError as error:
        raise cannot_write(shown, error) from error
    if jobs is not None and _same(results, jobs):
        raise UsageError(f"{shown} is the list of jobs itself.\nName another file with -o.")
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{shown} is a folder.\nName a file in it with -o.")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(
            f"{shown} is not a file that can be kept and resumed.\n"
            "To send the records to a pipe:  -o -"
        )
    if status.st_size:
        _refuse_other_content(shown, results)
    _refuse_foreign_beside(paths)


def refuse_summary(summary: Path | None, paths: ResultPaths | None, jobs: Path | None) -> None:
    """Raise UsageError where `--summary-json` names the jobs or any file of the results."""
    if summary is None:
        return
    taken = [] if paths is None else list(paths.every)
    for path in taken if jobs is None else [*taken, jobs]:
        if os.path.realpath(summary) == os.path.realpath(path) or _same(path, summary):
            raise UsageError(
                f"--summary-json {summary} would overwrite {path}.\nName another file for it."
            )


def _refuse_missing_folder(shown: str, results: Path) -> None:
    if not results.parent.is_dir():
        raise UsageError(
            f"the folder of {shown} does not exist.\nMake it, or name another file with -o."
        )


def _refuse_foreign_beside(paths: ResultPaths) -> None:
    """Refuse where a file of another's has the name of one that is overwritten or removed.

    `-o yarn` would empty `yarn.lock`.
    """
    ours = {
        paths.lock: _LOCK,
        paths.journal: _JOURNAL,
        paths.run: _RUN_FILE,
        paths.old: _RECORDS,
        paths.checkpoint: _CHECKPOINT,
        paths.temporary: _RECORDS,
        paths.reserve: _NOTHING,
        paths.torn: _ANYTHING,
    }
    for path, beginning in ours.items():
        try:
            status = path.stat()
            regular = stat.S_ISREG(status.st_mode)
            head = _head(path) if regular else b""
        except OSError:
            continue  # missing; or said where it is opened to be written
        if not regular and path == paths.lock:
            continue  # opened without waiting for anything, and refused there
        if not regular or not beginning.match(head):
            raise UsageError(
                f"{Path(paths.shown).with_name(path.name)} is not runner's, and would be lost.\n"
                "Name another file for the results with -o."
            )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BLOCK_BYTES).strip(_BLANK)


def _refuse_other_content(shown: str, results: Path) -> None:
    try:
        line, ended = _first_line(results)
    except OSError as error:
        raise cannot_write(shown, error) from error
    head = head_of(line)
    if head is not None and head.v > SCHEMA_VERSION:
        raise UsageError(
            f"{shown} was written by a newer runner (its records say v {head.v}).\n"
            "Upgrade runner, or name another file with -o."
        )
    # A run killed while it wrote its first record leaves a part of one.
    if head is None and (ended or not _may_be_torn(line)):
        raise UsageError(
            f"{shown} is not a results file of runner, and is left as it is.\n"
            "Name another file with -o."
        )


def _may_be_torn(line: bytes) -> bool:
    beginning = line[: len(_BEGINNING)]
    return bool(beginning) and _BEGINNING.startswith(beginning)


def _first_line(path: Path) -> tuple[bytes, bool]:
    """Read the first line that is not blank, and whether it is ended; a foreign one in part."""
    line = b""
    with path.open("rb") as file:
        while not line.strip():
            line = file.readline(_BLOCK_BYTES)
            if not line:
                return b"", False
        if line.startswith(_BEGINNING) and not line.endswith(b"\n"):
            line += file.readline(_LONGEST_LINE)
    return line.removesuffix(b"\n"), line.endswith(b"\n")


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
