"""What Cloudflare does not document about its search, as one account answers it. No content of an email is in the answer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from functions.cloudflare.search import Query
from functions.domain.email_id import EmailId
from functions.domain.search_row import SearchRow
from functions.feed.runner import Searcher


class ProbedSearcher(Searcher, Protocol):
    """What the probe needs of the client."""

    def accepts(self, id: EmailId, seconds: float) -> str:
        """What Cloudflare answers to a form of an id in the path, in words. Raises a leaf of CloudflareError."""


PERIOD = timedelta(days=1)
ROWS = 100
SECONDS = 40.0
_LEAST_ROWS = 3
"""Fewer rows say nothing about their order."""


def probe_search(searcher: ProbedSearcher, now: datetime) -> dict[str, str]:
    """Ask for the detections of a day, then for one of them by each form of its id: at most four requests.

    Raises a leaf of CloudflareError.
    """
    start = now - PERIOD
    page = next(iter(searcher.search(Query({"detections_only": "true"}, start, now, ROWS, 1), SECONDS)))
    times = [it for row in page.rows if (it := row.id.time)]
    return {
        "rows": f"{len(page.rows)} of the last 24 hours, {page.unreadable} without an investigate id",
        "order of the rows": _order(times),
        "time that start and end filter by": _filter(times, start, now),
        "further pages": "a cursor" if page.next else "none in this period",
        "slow search (202)": f"the address to poll is {page.waits[0]}" if page.waits else "did not occur",
        **_forms(searcher, page.rows),
    }


def _order(times: Sequence[datetime]) -> str:
    if len({*times}) < _LEAST_ROWS:
        return "not known: too few detections in the last 24 hours"
    if [*times] == sorted(times):
        return "oldest first, by the time in the id"
    return "newest first, by the time in the id" if [*times] == sorted(times, reverse=True) else "by none of the times"


def _filter(times: Sequence[datetime], start: datetime, end: datetime) -> str:
    if not times:
        return "not known: no detections in the last 24 hours"
    outside = sum(not start.replace(microsecond=0) <= it <= end for it in times)
    if not outside:
        return "the time in the id fits: no row is outside"
    return f"another time than that in the id: {outside} of {len(times)} rows are outside"


def _forms(searcher: ProbedSearcher, rows: Sequence[SearchRow]) -> dict[str, str]:
    if not rows:
        return {"forms of an id in the path": "not known: no detections in the last 24 hours"}
    whole = rows[0].id
    forms = {
        "investigate id": whole.value,
        "alert id": whole.value.rpartition("-")[0],
        "postfix id": whole.postfix_id,
    }
    return {f"{name} in the path": searcher.accepts(EmailId(value), SECONDS) for name, value in forms.items()}
