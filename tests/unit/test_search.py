"""The search page by page: cursors, slow searches, pages that are too large, repeat or never end."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from functions.cloudflare.errors import Refused, SearchIncomplete, StillSearching, TooLarge, Unavailable
from functions.cloudflare.search import MAX_PAGES, POLL_PAUSES, Page, Query, pages, read_page
from functions.domain.email_id import EmailId
from functions.domain.search_row import SearchRow

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def row(number: int) -> SearchRow:
    return SearchRow(EmailId(f"4jTHXX1BkfzpM0K-2026-11-17T08:12:44-{number}"), "MALICIOUS")


class Server:
    """Answers the requests with these pages or errors, in order."""

    def __init__(self, *answers: Page | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, str]] = []
        self.pauses: list[float] = []

    def fetch(self, path: str) -> Page:
        """Answer the next request."""
        self.requests.append({name: value for name, [value] in parse_qs(path.removeprefix("?")).items()} or {path: ""})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def search(self, query: Query) -> list[Page]:
        """Return all pages of a search."""
        return list(pages(self.fetch, query, self.pauses.append))

    def sent(self, name: str) -> list[str | None]:
        """Return the values of a parameter, by request."""
        return [request.get(name) for request in self.requests]


def test_pages_follow_the_cursor_to_the_last_page() -> None:
    """The page number is never sent."""
    server = Server(Page((row(1),), "a"), Page((row(2),), "b"), Page((row(3),), None))
    assert [[row(1)], [row(2)], [row(3)]] == [list(page.rows) for page in server.search(Query({"query": "x"}))]
    assert [None, "a", "b"] == server.sent("cursor")
    assert ["x"] * 3 == server.sent("query")
    assert not any("page" in request for request in server.requests)


def test_empty_list_is_a_result() -> None:
    server = Server(Page((), None))
    assert [Page((), None)] == server.search(Query())


def test_empty_page_with_a_cursor_is_not_the_last() -> None:
    server = Server(Page((), "a"), Page((), "b"), Page((row(1),), None))
    assert [0, 0, 1] == [len(page.rows) for page in server.search(Query())]


def test_times_are_sent_in_utc() -> None:
    server = Server(Page((), None))
    server.search(Query(start=NOW, end=datetime(2026, 11, 25, 13, 0, 1, 999_000, UTC)))
    assert server.requests == [{"start": "2026-11-25T12:00:00Z", "end": "2026-11-25T13:00:01Z", "per_page": "500"}]


@pytest.mark.parametrize("refusals", range(1, len(POLL_PAUSES) + 1))
def test_slow_search_is_polled_with_growing_pauses(refusals: int) -> None:
    """The pauses are 1, 2, 4 and 8 s, and 30 s in all."""
    waiting = [StillSearching("slow", f"/poll/{n}") for n in range(refusals)]
    server = Server(*waiting, Page((row(1),), None))
    assert [Page((row(1),), None)] == server.search(Query())
    assert list(POLL_PAUSES[:refusals]) == server.pauses
    assert f"/poll/{refusals - 1}" in server.requests[-1]


def test_slow_search_that_does_not_end_is_given_up_after_30_seconds() -> None:
    server = Server(*[StillSearching("slow", "/poll")] * 10)
    with pytest.raises(Unavailable):
        server.search(Query())
    assert 30 == sum(server.pauses)


def test_page_that_is_too_large_is_halved_until_it_fits() -> None:
    """The smaller page stays for the rest of the search, and starts at the same cursor."""
    server = Server(Page((row(1),), "a"), TooLarge("x"), TooLarge("x"), Page((row(2),), "b"), Page((row(3),), None))
    assert 3 == len(server.search(Query(per_page=500)))
    assert ["500", "500", "250", "125", "125"] == server.sent("per_page")
    assert [None, "a", "a", "a", "b"] == server.sent("cursor")


def test_single_row_that_is_too_large_is_an_error() -> None:
    server = Server(*[TooLarge("x")] * 20)
    with pytest.raises(TooLarge):
        server.search(Query(per_page=500))
    assert ["500", "250", "125", "62", "31", "15", "7", "3", "1"] == server.sent("per_page")


def test_start_in_the_future_of_the_server_becomes_its_time() -> None:
    server = Server(Refused("x", datetime(2026, 11, 25, 11, 58, tzinfo=UTC)), Page((row(1),), "a"), Page((), None))
    server.search(Query(start=NOW))
    assert [f"2026-11-25T{time}Z" for time in ("12:00:00", "11:58:00", "11:58:00")] == server.sent("start")


@pytest.mark.parametrize(
    ("start", "server_time"),
    [(NOW, None), (None, NOW), (NOW, NOW)],
    ids=["no time of the server", "no start", "start is not in the future"],
)
def test_other_refusal_is_an_error(start: datetime | None, server_time: datetime | None) -> None:
    server = Server(Refused("x", server_time))
    with pytest.raises(Refused):
        server.search(Query(start=start))


@pytest.mark.parametrize(
    ("answers", "rows"),
    [
        ([Page((row(1),), "a"), Page((row(1),), "b")], 1),
        ([Page((row(1),), "a"), Page((row(2),), "b"), Page((row(1),), "c")], 2),
        ([Page((row(1),), "a"), Page((row(2),), "a")], 2),
        ([Page((row(1),), "a"), Page((row(2),), "b"), Page((row(3),), "a")], 3),
    ],
    ids=["page repeats", "earlier page repeats", "cursor repeats", "earlier cursor repeats"],
)
def test_repetition_is_incomplete(answers: list[Page], rows: int) -> None:
    """Each row is yielded once."""
    found: list[SearchRow] = []
    with pytest.raises(SearchIncomplete):
        found.extend(row for page in pages(Server(*answers).fetch, Query(), lambda _: None) for row in page.rows)
    assert rows == len(found) == len({*found})


def test_search_without_an_end_is_incomplete() -> None:
    server = Server(*(Page((row(number),), str(number)) for number in range(1000)))
    with pytest.raises(SearchIncomplete):
        server.search(Query())
    assert MAX_PAGES == len(server.requests)


def test_rows_without_an_investigate_id_are_counted() -> None:
    """All other members of a row are optional."""
    result: list[Any] = [
        {"id": row(1).id.value, "final_disposition": "MALICIOUS", "edf_hash": None},
        {"id": row(2).id.value, "final_disposition": 7, "delivery_status": "delivered", "edf_hash": "e"},
        {"id": "4jTHXX1BkfzpM0K"},
        {"id": "../x"},
        {},
        None,
    ]
    page = read_page({"success": True, "result": result, "result_info": {"next": "a"}})
    odd = SearchRow(row(2).id, None, None, ("delivered",), "e")
    assert Page((row(1), odd), "a", unreadable=4) == page


@pytest.mark.parametrize("info", [None, {}, {"next": None}, {"next": ""}, {"next": 5}, []])
def test_missing_cursor_ends_the_search(info: object) -> None:
    assert read_page({"result": [], "result_info": info}).next is None


@pytest.mark.parametrize("result", [None, {}, "x"])
def test_result_that_is_no_list_is_unavailable(result: object) -> None:
    """The rows are unknown, so the list does not count as empty."""
    with pytest.raises(Unavailable):
        read_page({"result": result})
