"""Batches within the limits of one AWS call."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.aws import ENTRIES, chunks

CASES: dict[str, tuple[list[int], list[list[int]]]] = {
    "no items": ([], []),
    "one item": ([1], [[1]]),
    "ten small items": ([1] * 10, [[1] * 10]),
    "eleven small items": ([1] * 11, [[1] * 10, [1]]),
    "exactly the limit": ([60, 40], [[60, 40]]),
    "one byte over the limit": ([60, 41], [[60], [41]]),
    "one item over the limit": ([101], [[101]]),
    "one item over the limit among small ones": ([1, 101, 1], [[1], [101], [1]]),
    "two items of the maximum size": ([100, 100], [[100], [100]]),
    "25 empty items": ([0] * 25, [[0] * 10, [0] * 10, [0] * 5]),
}


@pytest.mark.parametrize(("sizes", "expected"), CASES.values(), ids=CASES)
def test_items_are_split_by_count_and_size(sizes: list[int], expected: list[list[int]]) -> None:
    """The limit is 100 bytes in a call."""
    assert expected == list(chunks(sizes, lambda size: size, 100))


@given(st.lists(st.integers(0, 150)), st.integers(1, 200))
def test_any_items_keep_their_order_in_as_few_chunks_as_possible(sizes: list[int], limit: int) -> None:
    """No item is lost, each chunk fits or is one oversized item, and no two adjacent chunks fit into one."""
    chunked = list(chunks(sizes, lambda size: size, limit))
    assert sizes == [size for chunk in chunked for size in chunk]
    assert all(1 <= len(chunk) <= ENTRIES for chunk in chunked)
    assert all(sum(chunk) <= limit or len(chunk) == 1 for chunk in chunked)
    for chunk, following in itertools.pairwise(chunked):
        assert len(chunk) == ENTRIES or sum(chunk) + following[0] > limit
