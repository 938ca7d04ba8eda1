"""AWS's batch calls take ten entries, and all entries together only as many bytes as a single one may have."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

ENTRIES = 10

T = TypeVar("T")


def chunks(items: Sequence[T], size: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """The items in order, in chunks that one call takes.

    size: of an item, in bytes. limit: bytes of a call. An item beyond the limit is a chunk of its own, so that it
    alone is refused.
    """
    chunk: list[T] = []
    room = limit
    for item in items:
        if chunk and (len(chunk) == ENTRIES or size(item) > room):
            yield chunk
            chunk, room = [], limit
        chunk.append(item)
        room -= size(item)
    if chunk:
        yield chunk
