"""Small disks of our own, to be filled and broken."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CannotMountError(Exception):
    """Only root can make a small disk, and not in every container."""


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a tmpfs of so many bytes. Raises CannotMountError."""
    folder.mkdir(parents=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        unmount(folder)


@contextmanager
def real_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount an ext4 of so many bytes, kept in a file beside it. Raises CannotMountError."""
    folder.mkdir(parents=True)
    image = image_of(folder)
    with image.open("wb") as file:
        file.truncate(size)
    _run("mkfs.ext4", "-q", str(image))
    mount_image(folder)
    try:
        yield folder
    finally:
        unmount(folder)
        image.unlink()


def image_of(folder: Path) -> Path:
    """Name the file that holds a disk."""
    return folder.with_name(folder.name + ".img")


def mount_image(folder: Path) -> None:
    """Mount a disk that is there already."""
    _mount("-o", "loop", str(image_of(folder)), str(folder))


def unmount(folder: Path) -> None:
    """Take a disk away, at the latest when nobody uses it any more."""
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _mount(*words: str) -> None:
    _run("mount", *words)


def _run(*words: str) -> None:
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotMountError(f"no disk of our own can be had here: {error}") from error
