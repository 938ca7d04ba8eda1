"""The deliveries of an email that a shorter id names: found by the search, the most severe one chosen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from functions.cloudflare.errors import NoDetection, Refused, SearchIncomplete, Throttled, Unavailable
from functions.cloudflare.search import Page, Query, search_time
from functions.domain.detection import Detection, read_detection
from functions.domain.email_id import EmailId, IdKind
from functions.domain.search_row import SearchRow

T = TypeVar("T")

MAX_DELIVERIES = 50
"""The maximum of deliveries, and of pages, that are checked for one id."""
LOOKBACK = timedelta(days=365)
"""How far back to search for an id without a time. Cloudflare does not document how far back it allows."""
DEFAULT_LOOKBACK = timedelta(days=30)
"""How far back Cloudflare searches without a start."""
CLOCK_MARGIN = timedelta(days=1)
"""The time in a Postfix id can differ from that of Cloudflare's scan: in Cloudflare's own example by a day."""
OLDEST = datetime(2015, 1, 1, tzinfo=UTC)
"""An earlier time in an id is not that of an email at Cloudflare."""
UNREADABLE = read_detection({"final_disposition": "UNREADABLE"})
"""A detection that cannot be read ranks as one with a disposition that the policy does not know."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The deliveries that a search found. cut: what the search may have missed; empty if nothing."""

    rows: tuple[SearchRow, ...] = ()
    cut: str = ""


def find_deliveries(id: EmailId, search: Callable[[Query], Iterator[Page]], now: datetime) -> Deliveries:
    """Search the deliveries of an email, back to the time in its id. Raises a leaf of CloudflareError."""
    is_plausible = id.time is not None and OLDEST <= id.time <= now + CLOCK_MARGIN
    start = min(id.time - CLOCK_MARGIN, now - DEFAULT_LOOKBACK) if id.time and is_plausible else now - LOOKBACK
    filters = {"alert_id": id.value} if id.kind is IdKind.ALERT else {"query": id.postfix_id}
    query = Query(filters, start, per_page=MAX_DELIVERIES, max_pages=MAX_DELIVERIES)
    try:
        return _collect(id, search(query))
    except Refused:
        found = _collect(id, search(replace(query, start=None)))
        cut = f"Cloudflare refused to search back to {search_time(start)}, so the search covers its default period"
        return replace(found, cut="; ".join(filter(None, (cut, found.cut))))


def _collect(id: EmailId, pages: Iterator[Page]) -> Deliveries:
    rows: dict[str, SearchRow] = {}
    try:
        for page in pages:
            rows |= {row.id.value: row for row in page.rows if row.id.value.startswith(f"{id.value}-")}
            if len(rows) > MAX_DELIVERIES or (len(rows) == MAX_DELIVERIES and page.next):
                cut = f"the id may have more than {MAX_DELIVERIES} deliveries; the others were not checked"
                return Deliveries(tuple(rows.values())[:MAX_DELIVERIES], cut)
    except SearchIncomplete as exc:
        if not rows:
            raise
        return Deliveries(tuple(rows.values()), f"some deliveries may not have been checked: {exc}")
    return Deliveries(tuple(rows.values()))


def most_severe(
    found: Deliveries,
    ask: Callable[[EmailId], T],
    rank: Callable[[T], Any],
    severity_rank: Callable[[Detection], Any],
) -> tuple[T, str]:
    """Return the most severe answer about several deliveries, and what was not checked.

    The rows say which delivery to ask about first. Those that cannot be more severe than an answer are not asked.

    ask: raises a leaf of CloudflareError. rank: of an answer, comparable with severity_rank of a detection.
    Raises NoDetection if no delivery has an answer, and the errors of `ask`.
    """

    def row_rank(row: SearchRow) -> tuple[bool, Any]:
        """A row without a disposition may have any, so it ranks highest."""
        word = row.final_disposition
        return word is None, severity_rank(read_detection({"final_disposition": word}))

    rows = sorted(found.rows, key=row_rank, reverse=True)
    best: T | None = None
    for i, row in enumerate(rows):
        if best is not None and row_rank(row) <= (False, rank(best)):
            break
        try:
            answer = ask(row.id)
        except NoDetection:
            continue
        except (Throttled, Unavailable) as exc:
            # An escalation is reported at once. Anything less may be wrong, so the message is retried.
            if best is None or rank(best) <= severity_rank(UNREADABLE):
                raise
            return best, f"{len(rows) - i} of {len(rows)} deliveries of the email were not checked: {exc}"
        best = answer if best is None else max(best, answer, key=rank)
    if best is None:
        raise NoDetection("Cloudflare has the email, but no detection for it", id_exists=True)
    return best, found.cut
