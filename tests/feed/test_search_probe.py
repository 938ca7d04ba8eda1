"""What the probe concludes from the rows of a search."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from functions.cloudflare.search import Page, Query
from functions.domain.email_id import EmailId
from functions.domain.search_row import SearchRow
from functions.feed.search_probe import probe_search

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Search:
    """A search that returns rows of so many minutes ago."""

    minutes: Sequence[int]
    waits: tuple[str, ...] = ()
    answer: str = "accepted"

    def search(self, query: Query, _: float) -> Iterator[Page]:
        """One page."""
        assert query.max_pages == 1
        times = (NOW - timedelta(minutes=it) for it in self.minutes)
        rows = [SearchRow(EmailId(f"4Njp3P0STMz2c02Q-{at:%Y-%m-%dT%H:%M:%S}-1"), "MALICIOUS") for at in times]
        yield Page(tuple(rows), None, 0, self.waits)

    def accepts(self, id: EmailId, _: float) -> str:
        """The same for each form."""
        return f"{self.answer} {id.kind}"


@pytest.mark.parametrize(
    ("minutes", "order"),
    [
        ((1, 2, 3), "newest first, by the time in the id"),
        ((3, 2, 1), "oldest first, by the time in the id"),
        ((1, 3, 2), "by none of the times"),
        ((1, 1, 2), "not known: too few detections in the last 24 hours"),
        ((), "not known: too few detections in the last 24 hours"),
    ],
)
def test_order_of_the_rows_is_that_of_their_ids(minutes: Sequence[int], order: str) -> None:
    assert order == probe_search(Search(minutes), NOW)["order of the rows"]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ((1, 2), "the time in the id fits: no row is outside"),
        ((1, 60 * 25), "another time than that in the id: 1 of 2 rows are outside"),
        ((), "not known: no detections in the last 24 hours"),
    ],
)
def test_filter_is_compared_with_the_times_of_the_ids(minutes: Sequence[int], expected: str) -> None:
    assert expected == probe_search(Search(minutes), NOW)["time that start and end filter by"]


def test_slow_search_says_how_its_address_is_written() -> None:
    assert "the address to poll is a path" == probe_search(Search((1,), ("a path",)), NOW)["slow search (202)"]


def test_forms_of_an_id_are_asked_for_one_by_one() -> None:
    found = probe_search(Search((1,), answer="refused"), NOW)
    forms = [found[f"{name} in the path"] for name in ("investigate id", "alert id", "postfix id")]
    assert 3 == len({*forms})
