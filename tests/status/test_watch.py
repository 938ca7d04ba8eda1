"""`escalator status --watch`: again and again, until Ctrl-C."""

from collections.abc import Callable, Iterator

import pytest

from ops.escalator.aws import CommandFailed
from ops.escalator.commands.status import repeat
from ops.escalator.output.console import Output


def pauses(count: int) -> Callable[[], None]:
    """A pause that is interrupted the last time."""
    left = iter(range(count - 1))

    def pause() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return pause


@pytest.mark.parametrize("looks", [[True], [False, True], [True, True, False]])
def test_watch_shows_a_screen_for_each_pause_and_ends_with_the_last_state(looks: list[bool]) -> None:
    left = [*looks]
    assert looks[-1] is repeat(lambda: left.pop(0), pauses(len(looks)), Output("json"))
    assert [] == left


def test_look_that_fails_does_not_end_the_watch(capsys: pytest.CaptureFixture[str]) -> None:
    """A broken network is no health."""
    looks: Iterator[bool | CommandFailed] = iter([True, CommandFailed("cannot look up the stack x: no network"), True])

    def look() -> bool:
        found = next(looks)
        if isinstance(found, CommandFailed):
            raise found
        return found

    assert repeat(look, pauses(3), Output("json")) is True
    assert "The status is not known: cannot look up the stack x: no network\n" == capsys.readouterr().err


def test_ctrl_c_during_a_look_ends_the_watch_as_not_known() -> None:
    """Of the first look. Later ones end with the state before."""

    def look() -> bool:
        raise KeyboardInterrupt

    assert repeat(look, pauses(9), Output("json")) is False
