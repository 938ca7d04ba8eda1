"""chunks.py: as many as one call takes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.escalate.chunks import ENTRIES, chunks

CHUNKED: dict[str, tuple[list[int], list[list[int]]]] = {
    "nothing": ([], []),
    "one": ([1], [[1]]),
    "ten small ones": ([1] * 10, [[1] * 10]),
    "eleven small ones": ([1] * 11, [[1] * 10, [1]]),
    "exactly the limit": ([60, 40], [[60, 40]]),
    "one byte beyond": ([60, 41], [[60], [41]]),
    "one beyond the limit alone": ([101], [[101]]),
    "one beyond the limit among others": ([1, 101, 1], [[1], [101], [1]]),
    "the largest": ([100, 100], [[100], [100]]),
    "nothing in them": ([0] * 25, [[0] * 10, [0] * 10, [0] * 5]),
}


@pytest.mark.parametrize(("sizes", "expected"), CHUNKED.values(), ids=CHUNKED)
def test_items_of_these_sizes(sizes: list[int], expected: list[list[int]]) -> None:
    """With room for 100 bytes in a call."""
    assert expected == list(chunks(sizes, lambda size: size, 100))


@given(st.lists(st.integers(0, 150)), st.integers(1, 200))
def test_any_items(sizes: list[int], limit: int) -> None:
    """None is lost, their order stays, every chunk fits but for one item that never does, and no two could be one."""
    chunked = list(chunks(sizes, lambda size: size, limit))
    assert sizes == [size for chunk in chunked for size in chunk]
    assert all(1 <= len(chunk) <= ENTRIES for chunk in chunked)
    assert all(sum(chunk) <= limit or len(chunk) == 1 for chunk in chunked)
    for chunk, following in itertools.pairwise(chunked):
        assert len(chunk) == ENTRIES or sum(chunk) + following[0] > limit
