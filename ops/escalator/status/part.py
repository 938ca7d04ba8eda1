"""A part of the status: what is known, or why it is not. What cannot be read never counts as healthy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ops.escalator.aws import CommandFailed
from ops.escalator.text.sanitize import one_line

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NotKnown:
    """A part that could not be read."""

    why: str


def read_part(read: Callable[[], T]) -> T | NotKnown:
    """Read a part of the status."""
    try:
        return read()
    except CommandFailed as exc:
        return NotKnown(one_line(exc))
