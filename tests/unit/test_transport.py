"""DeadlineReader with a virtual clock. tests/integration/test_client_bounds.py tests it with real servers."""

import io
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from functions.cloudflare.transport import DeadlineReader
from tests.clock import Clock


class Drip(io.RawIOBase):
    """An endless file that returns one byte each second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.count = 0

    def readinto(self, buffer: Any) -> int:
        """Return one byte, after a second."""
        self._clock.sleep(1)
        self.count += 1
        buffer[:1] = b"x"
        return 1


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Make a pair of sockets: the client's and the server's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Ends = tuple[socket.socket, socket.socket]


def reader(ours: socket.socket, clock: Clock, seconds: float = 10.0) -> DeadlineReader:
    return DeadlineReader(ours.makefile("rb", buffering=0), ours, seconds, clock)


@pytest.mark.parametrize("method", ["readline", "read"])
def test_dripping_bytes_end_at_the_deadline(method: str, ends: Ends) -> None:
    """Ten bytes take ten seconds. Each byte arrives in time, but all together exceed the deadline."""
    clock = Clock()
    drip = Drip(clock)
    buffered = io.BufferedReader(DeadlineReader(drip, ends[0], 10.0, clock))
    with pytest.raises(TimeoutError):
        getattr(buffered, method)()
    assert (10, 10.0) == (drip.count, clock.now)


def test_each_read_waits_for_the_remaining_time(ends: Ends) -> None:
    ours, theirs = ends
    clock = Clock(now=100.0)
    it = reader(ours, clock)
    waits = []
    for _ in range(3):
        theirs.sendall(b"x")
        it.read(1)
        waits.append(ours.gettimeout())
        clock.sleep(3.0)
    assert [10.0, 7.0, 4.0] == waits


@pytest.mark.parametrize("over", [0.0, 3600.0], ids=["at the deadline", "an hour after it"])
def test_nothing_is_read_after_the_deadline(over: float, ends: Ends) -> None:
    """This includes data that has arrived, as after a Lambda freeze during which the clock continued."""
    ours, theirs = ends
    clock = Clock()
    it = reader(ours, clock)
    theirs.sendall(b"late")
    clock.sleep(10.0 + over)
    with pytest.raises(TimeoutError):
        it.read(4)


def test_reading_continues_if_the_clock_stopped(ends: Ends) -> None:
    """This is the case after a Lambda freeze during which the clock did not run."""
    ours, theirs = ends
    it = reader(ours, Clock())
    theirs.sendall(b"first")
    first = it.read(5)
    theirs.sendall(b"second")
    assert (b"first", b"second") == (first, it.read(6))


def test_silence_ends_the_read_with_the_timeout_of_the_socket(ends: Ends) -> None:
    """The virtual clock does not move."""
    with pytest.raises(TimeoutError):
        reader(ends[0], Clock(), seconds=0.01).read(1)


def test_end_of_connection_is_end_of_file(ends: Ends) -> None:
    ours, theirs = ends
    it = reader(ours, Clock())
    theirs.sendall(b"all")
    theirs.shutdown(socket.SHUT_WR)
    assert b"all" == io.BufferedReader(it).read()


def test_socket_closes_with_its_reader(ends: Ends) -> None:
    """Python keeps a socket open while one of its files is open."""
    ours, theirs = ends
    it = io.BufferedReader(reader(ours, Clock()))
    ours.close()
    it.close()
    assert b"" == theirs.recv(1)
