"""Cloudflare's search, page by page: cursors, searches that take long, and bounds for both.

The order of the rows is not documented, so no row's time says how far a search has come. A search is complete only when
`pages` ends without an error.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from functions.cloudflare.errors import Refused, SearchIncomplete, StillSearching, TooLarge, Unavailable
from functions.domain.json_values import fields, text
from functions.domain.search_row import SearchRow, read_search_row

POLL_PAUSES = (1.0, 2.0, 4.0, 8.0, 8.0, 7.0)
"""Seconds between the polls of a search that answered 202: 30 in all."""
PER_PAGE = 500
"""Rows of a page. A row has up to 8 KB, so a page has at most half of the bytes that the client reads."""
MAX_PAGES = 200


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for.

    filters: parameters of Cloudflare, such as `alert_id`. start, end: UTC; None for Cloudflare's default.
    """

    filters: Mapping[str, str] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None
    per_page: int = PER_PAGE
    max_pages: int = MAX_PAGES


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    next:       the cursor of the next page; None after the last one.
    unreadable: rows without a usable id.
    waits:      how Cloudflare wrote each address to poll, of a search that took long.
    """

    rows: tuple[SearchRow, ...]
    next: str | None
    unreadable: int = 0
    waits: tuple[str, ...] = field(default=(), compare=False)


Fetch = Callable[[str], Page]
"""GETs a path, which is a query such as `?per_page=5` or the path of a poll. Raises a leaf of CloudflareError."""


def pages(fetch: Fetch, query: Query, sleep: Callable[[float], None]) -> Iterator[Page]:
    """Yield the pages of a search. No page has the rows of an earlier one.

    Raises SearchIncomplete if a page comes again or the pages do not end, and the errors of `fetch`.
    """
    pager = _Pager(fetch, query, sleep, query.start, query.per_page)
    cursor: str | None = None
    seen: set[object] = set()
    for _ in range(query.max_pages):
        page = pager.page(cursor)
        ids = tuple(row.id.value for row in page.rows)
        if ids and ids in seen:
            raise SearchIncomplete("Cloudflare's search returned the same page again")
        yield page
        if page.next is None:
            return
        seen |= {ids, cursor}
        cursor = page.next
        if cursor in seen:
            raise SearchIncomplete("Cloudflare's search returned the same cursor again")
    raise SearchIncomplete(f"Cloudflare's search has more than {query.max_pages} pages")


@dataclass(slots=True)
class _Pager:
    """Fetches single pages. start, per_page: as the answers so far require."""

    fetch: Fetch
    query: Query
    sleep: Callable[[float], None]
    start: datetime | None
    per_page: int

    def page(self, cursor: str | None) -> Page:
        while True:
            try:
                return self._poll(self._path(cursor))
            except TooLarge:
                if self.per_page == 1:
                    raise
                self.per_page //= 2
            except Refused as exc:
                # `start` must not be in the future, and the two clocks can differ.
                if exc.server_time is None or self.start is None or self.start <= exc.server_time:
                    raise
                self.start = exc.server_time

    def _poll(self, path: str) -> Page:
        waits: list[str] = []
        for pause in POLL_PAUSES:
            try:
                return replace(self.fetch(path), waits=tuple(waits))
            except StillSearching as exc:
                path = exc.location
                waits.append(exc.form)
                self.sleep(pause)
        return replace(self.fetch(path), waits=tuple(waits))

    def _path(self, cursor: str | None) -> str:
        times = {"start": self.start, "end": self.query.end}
        parameters = {
            **self.query.filters,
            **{name: search_time(at) for name, at in times.items() if at},
            "per_page": str(self.per_page),
            **({"cursor": cursor} if cursor else {}),
        }
        return f"?{urlencode(parameters)}"


def search_time(at: datetime) -> str:
    """A time as a parameter of the search: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_page(envelope: Mapping[str, object]) -> Page:
    """Parse a page. An empty list is a result. Raises Unavailable for anything but a list."""
    result = envelope.get("result")
    if not isinstance(result, list):
        raise Unavailable("Cloudflare's search did not return a list")
    rows = tuple(filter(None, map(read_search_row, result)))
    cursor = text(fields(envelope.get("result_info")).get("next"))
    return Page(rows, cursor or None, len(result) - len(rows))
