"""Room that is kept for answers on their way."""

import errno
import os
from pathlib import Path

import pytest

from runner.results import reserve as module
from runner.results.reserve import BYTES_PER_ANSWER, LEAST_BYTES, NoReserve, Reserve, reserve_size

SIZE = 64 * 1024
on_linux = pytest.mark.skipif(
    not hasattr(os, "posix_fallocate"), reason="macOS cannot allocate room ahead"
)


@on_linux
@pytest.mark.parametrize("left_behind", [False, True])
def test_room_is_kept_and_given_back(tmp_path: Path, left_behind: bool) -> None:
    """The room is really taken while it is held, also what a killed run left, and then gone."""
    path = tmp_path / "r"
    if left_behind:
        path.write_bytes(b"\0" * 100)
    with Reserve(path, SIZE):
        assert path.stat().st_blocks * 512 >= SIZE
    assert not path.exists()


@on_linux
def test_given_back_once(tmp_path: Path) -> None:
    """Only room that was held is said to be given back."""
    reserve = Reserve(tmp_path / "r", SIZE)
    reserve.take()
    assert [reserve.give_back(), reserve.give_back()] == [True, False]
    assert reserve.regain()
    assert reserve.give_back()


@on_linux
def test_none_on_a_disk_without_plenty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with little room is left all of it, what a killed run kept included."""
    path = tmp_path / "r"
    path.write_bytes(b"")
    monkeypatch.setattr(module, "_SPARE", 1 << 60)
    with Reserve(path, SIZE) as reserve:
        assert not path.exists()
        assert not reserve.give_back()


@on_linux
@pytest.mark.parametrize(("number", "room"), [(errno.ENOSPC, False), (errno.EINVAL, True)])
def test_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, room: bool) -> None:
    """Only a full disk says that there is no room; no half reserve stays behind."""

    def refuse(*_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    reserve = Reserve(tmp_path / "r", SIZE)
    assert reserve.regain() is room
    assert not reserve.give_back()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["gone", "file/below"])
def test_no_folder(tmp_path: Path, place: str) -> None:
    """Where no file can stand there is no reserve, and no failure."""
    (tmp_path / "file").touch()
    with Reserve(tmp_path / place / "r", SIZE) as reserve:
        assert not reserve.give_back()


def test_not_known_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot allocate ahead keeps nothing and never says that room is missing."""
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with Reserve(tmp_path / "r", SIZE) as reserve:
        assert reserve.regain()
        assert not reserve.give_back()


def test_nothing_beside_stdout() -> None:
    """Without a results file nothing is kept."""
    with NoReserve() as reserve:
        assert (reserve.regain(), reserve.give_back()) == (True, False)


def test_enough_for_all_that_can_be_on_their_way() -> None:
    """The room grows with the concurrency."""
    assert reserve_size(1) == LEAST_BYTES
    assert reserve_size(1000) == 1000 * BYTES_PER_ANSWER
