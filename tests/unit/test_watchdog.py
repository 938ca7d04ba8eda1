"""watchdog.py: real time throughout, with much more of it than is needed where something has to happen."""

import random
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from functions.cloudflare.watchdog import Deadline, Watchdog

FAR = 3600.0
"""Seconds: a deadline that no test lives to see."""
PATIENCE = 10.0
"""Seconds: what has not happened by then does not happen."""


class Barks:
    """What was barked so far, and by which thread."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.threads: set[threading.Thread] = set()
        self._changed = threading.Condition()

    def bark(self, name: object) -> Callable[[], None]:
        """A bark by this name."""

        def bark() -> None:
            with self._changed:
                self.heard.append(name)
                self.threads.add(threading.current_thread())
                self._changed.notify_all()

        return bark

    def after(self, count: int) -> list[Any]:
        """What was barked, once it is so much."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.heard) >= count, PATIENCE)
            return [*self.heard]


@pytest.fixture
def barks() -> Barks:
    return Barks()


ORDERS = {
    "the earliest first": (0.1, 0.2, 0.3),
    "the earliest last, while a later one is waited for": (0.3, 0.2, 0.1),
    "mixed": (0.2, 0.3, 0.1, 0.4),
    "the same for all": (0.1, 0.1, 0.1),
    "already past": (0.0, -1.0, -2.0, 0.1),
}


@pytest.mark.parametrize("seconds", ORDERS.values(), ids=ORDERS)
def test_order(seconds: tuple[float, ...], barks: Barks) -> None:
    """In whichever order deadlines are set, each barks once, not before its time, and the earlier ones before the later."""
    watchdog, started = Watchdog(), time.monotonic()
    ended: list[float] = []
    for it in seconds:
        watchdog.watch(it, barks.bark(it))
        time.sleep(0.01)  # so that the thread waits for this one when the next one is set
    for count in range(len(seconds)):
        barks.after(count + 1)
        ended.append(time.monotonic() - started)
    later = [it for it in seconds if it > 0]
    assert sorted(later) == [it for it in barks.after(len(seconds)) if it in later]
    assert sorted(seconds) == sorted(barks.heard)
    assert all(took >= it for took, it in zip(ended, sorted(seconds), strict=True))


def test_earlier_than_what_is_waited_for(barks: Barks) -> None:
    """It barks in its own time, not in that of the one before it."""
    watchdog = Watchdog()
    watchdog.watch(FAR, barks.bark("far"))
    time.sleep(0.1)
    watchdog.watch(0.1, barks.bark("near"))
    time.sleep(0.01)
    watchdog.watch(0.0, barks.bark("now"))
    assert ["now", "near"] == barks.after(2)


def test_cancelled(barks: Barks) -> None:
    """It does not bark, and those before and after it do."""
    watchdog = Watchdog()
    watchdog.watch(0.05, barks.bark("before"))
    watchdog.watch(0.1, barks.bark("cancelled")).cancel()
    watchdog.watch(0.15, barks.bark("after"))
    assert ["before", "after"] == barks.after(2)


def test_cancelled_late(barks: Barks) -> None:
    """To cancel what has barked, or was cancelled, changes nothing."""
    watchdog = Watchdog()
    deadline = watchdog.watch(0.0, barks.bark("first"))
    barks.after(1)
    deadline.cancel()
    deadline.cancel()
    watchdog.watch(0.0, barks.bark("second"))
    assert ["first", "second"] == barks.after(2)


def test_cancelled_while_it_barks() -> None:
    """To cancel waits until the bark is over: what it barks at may be another's after that."""
    begun, over = threading.Event(), threading.Event()

    def bark() -> None:
        begun.set()
        time.sleep(0.3)
        over.set()

    deadline = Watchdog().watch(0.0, bark)
    assert begun.wait(PATIENCE)
    deadline.cancel()
    assert over.is_set()


def test_cancelled_at_any_moment() -> None:
    """Many threads cancel about when it is time to bark: some bark, and none does once it is cancelled."""
    watchdog, cancelled, barked = Watchdog(), set[int](), list[bool]()

    def bark(number: int) -> None:
        barked.append(number in cancelled)

    def race(first: int) -> None:
        generator = random.Random(first)
        for number in range(first, first + 250):
            seconds = generator.uniform(0.0, 0.002)
            deadline = watchdog.watch(seconds, partial(bark, number))
            time.sleep(seconds)
            deadline.cancel()
            cancelled.add(number)

    threads = [threading.Thread(target=race, args=(it * 250,)) for it in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    print(f"{len(barked)} of {len(cancelled)} barked")
    assert (2_000, {False}) == (len(cancelled), {*barked})


def test_a_bark_that_cancels_and_watches(barks: Barks) -> None:
    """A bark may set and cancel deadlines: it does not wait for itself."""
    watchdog, cancelled = Watchdog(), list[Deadline]()

    def bark() -> None:
        cancelled[0].cancel()
        watchdog.watch(0.0, barks.bark("set by a bark"))

    cancelled.append(watchdog.watch(0.2, barks.bark("cancelled by a bark")))
    watchdog.watch(0.05, bark)
    barks.after(1)
    watchdog.watch(0.3, barks.bark("the last"))
    assert ["set by a bark", "the last"] == barks.after(2)


def test_a_bark_that_fails(barks: Barks) -> None:
    """What was closed in the meantime cannot be shut down: the next deadline is kept by the same thread nevertheless."""
    watchdog = Watchdog()

    def bark() -> None:
        barks.bark("failed")()
        raise OSError

    watchdog.watch(0.0, bark)
    watchdog.watch(0.1, barks.bark("next"))
    assert ["failed", "next"] == barks.after(2)
    assert 1 == len(barks.threads)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bark_that_ends_the_thread(barks: Barks) -> None:
    """The next deadline begins another one, which keeps what the first has left."""
    watchdog = Watchdog()
    watchdog.watch(0.0, barks.bark("first"))
    barks.after(1)
    [thread] = barks.threads
    watchdog.watch(0.3, barks.bark("left"))
    watchdog.watch(0.0, sys.exit)
    thread.join(PATIENCE)
    watchdog.watch(0.0, barks.bark("after the end"))
    assert ["first", "after the end", "left"] == barks.after(3)


def test_many(barks: Barks) -> None:
    """Of thousands, set by many threads, each that is not cancelled barks exactly once, and all in one thread."""
    watchdog = Watchdog()

    def some(first: int) -> None:
        generator = random.Random(first)
        for number in range(first, first + 500):
            deadline = watchdog.watch(generator.uniform(0.0, 0.5) + number % 2 * FAR, barks.bark(number))
            if number % 2:
                deadline.cancel()

    threads = [threading.Thread(target=some, args=(it * 500,)) for it in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [*range(0, 4_000, 2)] == sorted(barks.after(2_000))
    assert 1 == len(barks.threads)


def test_the_thread(barks: Barks) -> None:
    """There is none before the first deadline, and it keeps no process alive."""
    before = {*threading.enumerate()}
    watchdog = Watchdog()
    assert before >= {*threading.enumerate()}
    watchdog.watch(0.0, barks.bark("first"))
    barks.after(1)
    assert [("watchdog", True)] == [(it.name, it.daemon) for it in barks.threads]


class Socket:
    """Something that must not be held for longer than it is used."""

    def shut(self) -> None:
        """What a bark does to it."""


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "barked"])
def test_what_is_held(cancelled: bool, barks: Barks) -> None:
    """What a deadline was for is let go of as soon as it is off, however far its time may be."""
    watchdog, it = Watchdog(), Socket()
    watchdog.watch(FAR, barks.bark("never"))
    deadline = watchdog.watch(2 * FAR if cancelled else 0.0, it.shut)
    held = weakref.ref(it)
    if cancelled:
        assert held() is not None
        deadline.cancel()
    else:
        watchdog.watch(0.05, barks.bark("after it"))
        barks.after(1)
    del it
    assert (True, None) == (deadline.is_off(), held())
