"""What an operator asks of the feed's function: list the search, queue deliveries, probe what is not documented.

The token stays in the function, and the requests count in the budget of the feed. A command holds the lease of the runs,
for one slice at a time. A run that comes meanwhile is skipped, and the next one continues.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.cloudflare.errors import CloudflareError
from functions.cloudflare.search import PER_PAGE, Query
from functions.domain.email_id import EmailId, IdKind
from functions.domain.feed_facts import FeedFacts
from functions.domain.times import read_time
from functions.feed.budget import MINUTE_RESERVE, Budget
from functions.feed.queue import Queue, Request
from functions.feed.runner import Result, is_too_long, result_of
from functions.feed.search_probe import ProbedSearcher, probe_search
from functions.feed.selection import Selection
from functions.feed.store import Store
from functions.feed.windows import SLICE_PAGES, Loop, Progress, fail, next_window, start_progress, succeed
from functions.ledger.queue_entry import QueueEntry
from functions.ledger.table import LedgerUnavailable

LIST = Loop("list", timedelta(hours=1), timedelta(0), timedelta(days=1), finds_falls=False)
"""A slice has up to a day."""
LIST_PAGES = 10
"""5,000 rows of about 100 bytes: a tenth of what Lambda returns at most (6 MB)."""
LIST_SECONDS = 40.0
"""A slice takes no longer. The timeout of the function is 60 s."""
HELD_WAIT = 5
"""Seconds. A run usually takes one second."""
MAX_QUEUED = 100
"""Deliveries of one command: ten calls to SQS."""
BACKFILL = "backfill"
"""The loop that a record names for what an operator has queued."""


class InvalidCommand(ValueError):
    """A command that the function does not know, or with values that it does not accept. The text says which."""


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands. budget: also the rate limiter of the searcher. clock: seconds."""

    searcher: ProbedSearcher
    store: Store
    queue: Queue
    selection: Selection
    budget: Budget
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic

    def answer(self, event: Mapping[str, Any], owner: str) -> dict[str, object]:
        """Do what an event asks for. owner: unlike that of any other invocation. An invalid event is refused."""
        commands: dict[object, Callable[[Mapping[str, Any], str], dict[str, object]]] = {
            "list": self._list,
            "queue": self._queue,
            "probe": self._probe,
        }
        action = event.get("action")
        command = commands.get(action) if isinstance(action, str) else None
        if command is None:
            known = ", ".join(map(str, commands))
            return {"error": f"the action is not known: this version of the function knows {known}"}
        try:
            return command(event, owner)
        except InvalidCommand as exc:
            return {"error": str(exc)}
        except LedgerUnavailable as exc:
            return {"result": Result.UNAVAILABLE, "detail": str(exc)}

    def _list(self, event: Mapping[str, Any], owner: str) -> dict[str, object]:
        """List one slice of a period: the ids of its deliveries, with their dispositions and no more.

        A slice is returned completely or not at all. `cursor` says where to continue; it is null after the last slice.
        """
        progress = _progress(event)
        window = next_window(progress)
        if window is None:
            raise InvalidCommand("`until` must be after `since`")

        def work() -> dict[str, object]:
            needed = max(1, min(SLICE_PAGES, self.budget.limit - self.budget.reserve))
            if self.budget.left < needed and not self.budget.is_blocked:
                return self._ended(Result.CONTINUES, "the requests of the feed are used up", progress)
            query = Query(
                {"detections_only": "true"}, window.start, window.end, PER_PAGE, min(LIST_PAGES, self.budget.left or 1)
            )
            rows: dict[str, list[object]] = {}
            pages = unreadable = 0
            try:
                for page in self.searcher.search(query, LIST_SECONDS):
                    pages += 1
                    unreadable += page.unreadable
                    for row in page.rows:
                        disposition, escalates = self.selection.verdict(row.final_disposition)
                        rows[row.id.value] = [disposition, escalates, self.selection.is_left_out(row)]
            except CloudflareError as exc:
                after = fail(progress) if is_too_long(exc, pages) else progress
                return self._ended(result_of(exc, self.budget), str(exc), after)
            after = succeed(LIST, progress, window, pages)
            return {
                "result": Result.DONE,
                "rows": [[delivery, *known] for delivery, known in rows.items()],
                "unreadable": unreadable,
                "until": window.end.isoformat(),
                "cursor": _cursor(after) if after.position else None,
            }

        return self.with_lease(owner, work, progress)

    def with_lease(
        self, owner: str, work: Callable[[], dict[str, object]], progress: Progress | None = None
    ) -> dict[str, object]:
        """Do work whose requests count in the budget, while no run is at work. progress: where a list stays otherwise."""
        state, holds_lease = self.store.acquire(owner, self.now())
        if not holds_lease:
            return self._ended(Result.HELD, "a run of the feed is at work", progress)
        budget = self.budget
        budget.calls, budget.blocked_until, budget.reserve = list(state.calls), state.blocked_until, MINUTE_RESERVE

        def save() -> None:
            known = replace(state, calls=tuple(budget.calls), blocked_until=budget.blocked_until)
            self.store.save(owner, known)

        budget.save = save
        try:
            answer = work()
        except CloudflareError as exc:
            answer = self._ended(result_of(exc, budget), str(exc), progress)
        save()
        self.store.release(owner)
        return answer

    def _ended(self, result: Result, detail: str, progress: Progress | None) -> dict[str, object]:
        """The answer for what is not done: why, where it continues, and after how many seconds that makes sense."""
        wait: dict[Result, Callable[[], float]] = {
            Result.HELD: lambda: HELD_WAIT,
            Result.BLOCKED: self.budget.seconds_blocked,
            Result.CONTINUES: lambda: self.budget.seconds_until(SLICE_PAGES),
        }
        answer: dict[str, object] = {"result": result, "detail": detail, "rows": []}
        if result in wait:
            answer["wait"] = wait[result]()
        return answer | ({"cursor": _cursor(progress)} if progress else {})

    def _probe(self, _: Mapping[str, Any], owner: str) -> dict[str, object]:
        """Find out what Cloudflare does not document; see search_probe.py."""
        return self.with_lease(owner, lambda: {"result": Result.DONE, "found": probe_search(self.searcher, self.now())})

    def _queue(self, event: Mapping[str, Any], _: str) -> dict[str, object]:
        """Queue deliveries, then note them. The answer lists those that the queue took."""
        rows, now = _deliveries(event), self.now()
        known = self.store.look_up([it for it, _ in rows])
        entries = [
            QueueEntry(it, disposition, BACKFILL, entry.first_queued_at if entry else now, now)
            for it, disposition in rows
            for entry in [known[it.value].entry]
        ]
        sent = self.queue.send([Request(it, FeedFacts(BACKFILL, now)) for it, _ in rows])
        taken = [entry for entry, done in zip(entries, sent, strict=True) if done]
        if taken:
            self.store.put(taken)
        result = Result.DONE if all(sent) else Result.UNAVAILABLE
        detail = "" if all(sent) else "the requests queue did not take all requests"
        return {"result": result, "detail": detail, "queued": [entry.id.value for entry in taken]}


def _progress(event: Mapping[str, Any]) -> Progress:
    """How far a list has come: the period, and the position and length of the next slice."""
    since, until = (read_time(it) if isinstance(it := event.get(name), str) else None for name in ("since", "until"))
    if since is None or until is None:
        raise InvalidCommand("`since` and `until` must be times such as 2026-11-24T06:43:00Z")
    start = replace(start_progress(LIST, since), position=since, goal=until)
    cursor = event.get("cursor")
    if cursor is None:
        return start
    position, _, step = cursor.partition("/") if isinstance(cursor, str) else ("", "", "")
    at = read_time(position)
    if at is None or not step.isdigit() or not 0 < int(step) <= LIST.max_step.total_seconds():
        raise InvalidCommand("`cursor` must be one that the function has returned")
    return replace(start, position=at, step=timedelta(seconds=int(step)))


def _cursor(progress: Progress) -> str:
    position = progress.position or progress.goal
    return f"{position.isoformat()}/{max(1, round(progress.step.total_seconds()))}"


def _deliveries(event: Mapping[str, Any]) -> list[tuple[EmailId, str]]:
    rows = event.get("rows")
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_QUEUED:
        raise InvalidCommand(f"`rows` must be a list of 1 to {MAX_QUEUED} rows")
    found: dict[str, tuple[EmailId, str]] = {}
    for row in rows:
        match row:
            case [str(text), str(disposition)] if (it := EmailId.read(text)) and it.kind is IdKind.INVESTIGATE:
                found[text] = it, disposition[:40]
            case _:
                raise InvalidCommand("each row must be an investigate id and a disposition")
    return [*found.values()]
