"""One run: list what is due, queue what is new, remember how far it came.

A row is queued first and noted afterwards. A run that dies in between queues it again, and the ledger absorbs the repeat.
The watermark moves only after the last page of a slice is queued and noted. So a run can die, be skipped or be repeated at
any point: the next one lists again from where the watermark is.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from functions.cloudflare.errors import (
    CloudflareError,
    CredentialsRefused,
    SearchIncomplete,
    StillSearching,
    Throttled,
    Unavailable,
)
from functions.cloudflare.search import PER_PAGE, Page, Query
from functions.domain.feed_facts import FeedFacts
from functions.domain.search_row import SearchRow
from functions.feed.budget import MINUTE_RESERVE, Budget
from functions.feed.details import ask_for_details
from functions.feed.queue import Queue, Request
from functions.feed.selection import UNKNOWN, Choice, Known, Selection, entry_for, missing_entry
from functions.feed.state import FeedState
from functions.feed.store import Store
from functions.feed.windows import LOOPS, SLICE_PAGES, Loop, Progress, Window, begin, fail, next_window, succeed
from functions.ledger.feed_run import COUNTS, FeedRun
from functions.ledger.queue_entry import QueueEntry
from functions.ledger.table import LedgerUnavailable

RUN_SECONDS = 45.0
"""A run starts nothing after this. The timeout of the function is 60 s."""


class Result(StrEnum):
    """How a run ended."""

    DONE = "done"
    """Everything that was due is listed."""
    CONTINUES = "continues"
    """The time or the requests of this run are used up. The next one continues."""
    HELD = "held"
    """Another run is at work."""
    BLOCKED = "blocked"
    """Cloudflare has blocked the token."""
    CREDENTIALS_REFUSED = "credentials-refused"
    UNAVAILABLE = "unavailable"
    """Cloudflare, the table or the queue did not answer as expected."""


@dataclass(slots=True)
class RunReport:
    """What a run did. lag_seconds: how far the watermark is behind; None if the table did not say. late: queued by a sweep. left_out: by mode."""

    result: Result = Result.DONE
    detail: str = ""
    lag_seconds: float | None = None
    requests: int = 0
    rows: int = 0
    queued: int = 0
    late: int = 0
    left_out: int = 0
    unresolved: int = 0
    unreadable: int = 0
    missing: int = 0
    details: int = 0
    dispositions: Counter[str] = field(default_factory=Counter)


class Searcher(Protocol):
    """What the runner needs of the client."""

    def search(self, query: Query, seconds: float) -> Iterator[Page]:
        """Yield the pages of a search. Raises a leaf of CloudflareError."""


class QueueRefused(Exception):
    """The queue did not take all requests."""


@dataclass(frozen=True, slots=True)
class Runner:
    """The feed. budget: also the rate limiter of the searcher. clock: seconds, for the time of a run."""

    searcher: Searcher
    store: Store
    queue: Queue
    selection: Selection
    budget: Budget
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic

    def run(self, owner: str) -> RunReport:
        """Run once. owner: unlike that of any other run."""
        started, report = self.now(), RunReport()
        self._run(owner, report)
        counts = {name: getattr(report, name) for name in COUNTS if name != "runs"}
        try:
            self.store.count_run(FeedRun(started, report.result, report.detail, counts))
        except LedgerUnavailable as exc:
            report.detail = report.detail or f"the run is not counted: {exc}"
        return report

    def _run(self, owner: str, report: RunReport) -> None:
        deadline = self.clock() + RUN_SECONDS
        try:
            state, holds_lease = self.store.acquire(owner, self.now())
        except LedgerUnavailable as exc:
            report.result, report.detail = Result.UNAVAILABLE, str(exc)
            return
        if not holds_lease:
            report.result = Result.HELD
            report.lag_seconds = state.lag(self.now()).total_seconds()
            return
        run = _Run(self, owner, report, state, deadline)
        self.budget.calls = list(state.calls)
        self.budget.blocked_until = state.blocked_until
        self.budget.save = run.save_request
        run.loops()
        report.lag_seconds = run.state.lag(self.now()).total_seconds()


@dataclass(slots=True)
class _Run:
    """A run that holds the lease."""

    runner: Runner
    owner: str
    report: RunReport
    state: FeedState
    deadline: float

    def loops(self) -> None:
        """Run the loops that are due, the minute loop first. Sets the result of the report."""
        try:
            for loop in LOOPS:
                self.runner.budget.reserve = MINUTE_RESERVE if loop.every else 0
                if not self._pass(loop):
                    break
            if self.report.result in (Result.DONE, Result.CONTINUES):
                self.report.details = ask_for_details(self.runner.store, self.runner.queue, self.runner.now())
            self.runner.store.release(self.owner)
        except (LedgerUnavailable, QueueRefused) as exc:
            self.report.result, self.report.detail = Result.UNAVAILABLE, str(exc)

    def _pass(self, loop: Loop) -> bool:
        """List the slices of a pass, as far as time and requests allow. Returns False if the run must end."""
        progress = begin(loop, self.state.progress[loop.name], self.state.floor, self.runner.now())
        if progress is None:
            return True
        while window := next_window(progress):
            pages = 0
            seconds = self.deadline - self.runner.clock()
            budget = self.runner.budget
            needed = max(1, min(SLICE_PAGES, budget.limit - budget.reserve)) if loop.every else 1
            if seconds <= 0 or (budget.left < needed and not budget.is_blocked):
                self.report.result = Result.CONTINUES
                return False
            try:
                for page in self._slice(loop, window, seconds):
                    pages += 1
                    self._handle(loop, page)
            except CloudflareError as exc:
                self._save(loop, fail(progress) if is_too_long(exc, pages) else progress)
                self.report.result, self.report.detail = result_of(exc, budget), str(exc)
                return False
            progress = succeed(loop, progress, window, pages)
            self._save(loop, progress)
        return True

    def _slice(self, loop: Loop, window: Window, seconds: float) -> Iterator["_SlicePage"]:
        """The pages of a slice, with what is known; after the last one, a page of what the list lacks."""
        query = Query(
            {"detections_only": "true"},
            start=window.start,
            end=window.end,
            per_page=PER_PAGE,
            max_pages=max(1, self.runner.budget.left),
        )
        known = self.runner.store.known_within(window) if loop.finds_falls else {}
        listed: set[str] = set()
        for page in self.runner.searcher.search(query, seconds):
            if loop.finds_falls:
                listed.update(row.id.value for row in page.rows)
            self.report.unreadable += page.unreadable
            yield _SlicePage(page.rows, known)
        missing = list(self.runner.selection.missing(known, listed, window)) if loop.finds_falls else []
        if missing:
            now = self.runner.now()
            self.report.missing += len(missing)
            facts = FeedFacts(loop.name, now, missing=True)
            self._queue(loop, [(Request(it.id, facts), missing_entry(it, loop.name, now)) for it in missing])

    def _handle(self, loop: Loop, page: "_SlicePage") -> None:
        """Queue the rows of a page that are new, then note them."""
        runner, selection, known = self.runner, self.runner.selection, page.known
        now = runner.now()
        self.report.rows += len(page.rows)
        verdict = selection.verdict
        candidates = [row for row in page.rows if verdict(row.final_disposition)[1] is not False]
        unknown = [row.id for row in candidates if row.id.value not in known]
        if unknown:
            known |= runner.store.look_up(unknown)
        chosen: list[tuple[Request, QueueEntry]] = []
        noted: list[QueueEntry] = []
        if loop.finds_falls:
            candidates = [
                row for row in page.rows if row.id.value in known or verdict(row.final_disposition)[1] is not False
            ]
        for row in candidates:
            it = known.get(row.id.value, UNKNOWN)
            choice = selection.choose(row, it, now)
            if choice is Choice.QUEUE:
                entry = entry_for(row, verdict(row.final_disposition)[0], loop.name, it, now)
                known[row.id.value] = Known(entry, it.answer)  # a page can name a delivery twice
                chosen.append((_request(row, loop, now), entry))
                self.report.late += bool(loop.every and it.entry is None)
                self.report.dispositions[entry.disposition] += 1
            elif choice is Choice.UNRESOLVED and it.entry:
                noted.append(replace(it.entry, unresolved=True))
                known[row.id.value] = Known(noted[-1], it.answer)
            self.report.left_out += choice is Choice.LEFT_OUT
        self.report.unresolved += len(noted)
        self._queue(loop, chosen)
        if noted:
            runner.store.put(noted)

    def _queue(self, loop: Loop, chosen: Sequence[tuple[Request, QueueEntry]]) -> None:
        if not chosen:
            return
        sent = self.runner.queue.send([request for request, _ in chosen])
        taken = [entry for (_, entry), done in zip(chosen, sent, strict=True) if done]
        if taken:
            self.runner.store.put(taken)
        self.report.queued += len(taken)
        if not all(sent):
            raise QueueRefused(f"the requests queue did not take all requests of the {loop.name} loop")

    def _save(self, loop: Loop, progress: Progress) -> None:
        self._store(replace(self.state, progress={**self.state.progress, loop.name: progress}))

    def save_request(self) -> None:
        """Store that a request is sent now. The next run counts it, even if this one dies."""
        self.report.requests += 1
        self._store(self.state)

    def _store(self, state: FeedState) -> None:
        budget = self.runner.budget
        self.state = replace(state, calls=tuple(budget.calls), blocked_until=budget.blocked_until)
        self.runner.store.save(self.owner, self.state)


@dataclass(frozen=True, slots=True)
class _SlicePage:
    """The rows of a page, and what is known of deliveries so far; it grows with each page of the slice."""

    rows: tuple[SearchRow, ...]
    known: dict[str, Known]


def _request(row: SearchRow, loop: Loop, now: datetime) -> Request:
    facts = FeedFacts(
        loop.name,
        now,
        edf_hash=row.edf_hash,
        delivery_mode=row.delivery_mode,
        delivery_status=row.delivery_status,
    )
    return Request(row.id, facts)


def result_of(error: CloudflareError, budget: Budget) -> Result:
    """How a run ends with an error."""
    match error:
        case SearchIncomplete():
            return Result.CONTINUES
        case Throttled():
            return Result.BLOCKED if budget.is_blocked else Result.CONTINUES
        case CredentialsRefused():
            return Result.CREDENTIALS_REFUSED
        case _:
            return Result.UNAVAILABLE


def is_too_long(error: CloudflareError, pages: int) -> bool:
    """Whether a shorter slice may succeed where this one failed."""
    if isinstance(error, CredentialsRefused):
        return False
    if isinstance(error, (Throttled, Unavailable)) and not isinstance(error, (StillSearching, SearchIncomplete)):
        return pages > 0
    return True
