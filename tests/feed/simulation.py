"""The feed in virtual time: generated mail, a search with switches, and the shipped runner.

Only the client, the queue and the table are in memory. What must be queued is computed from the generated mail, not from
what the search listed.
"""

import random
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from functions.cloudflare.errors import Refused, SearchIncomplete, StillSearching, Throttled
from functions.cloudflare.search import Page, Query
from functions.domain.email_id import EmailId
from functions.domain.feed_facts import FeedFacts
from functions.domain.outcome import Outcome
from functions.domain.search_row import SearchRow
from functions.escalate.decision import ESCALATE_BY_DEFAULT
from functions.feed.budget import Budget
from functions.feed.queue import Request
from functions.feed.runner import Runner, RunReport
from functions.feed.selection import UNKNOWN, Known, Selection
from functions.feed.state import FeedState, first_state
from functions.feed.store import LEASE, LeaseLost
from functions.feed.windows import Window
from functions.ledger.details_request import DetailsRequest
from functions.ledger.feed_run import FeedRun
from functions.ledger.queue_entry import QueueAnswer, QueueEntry

START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 10
"""Mail arrives on so many days. An analyst may reclassify it up to seven days later."""
LISTED_DAYS = DAYS + 8
SINCE = timedelta(hours=1)
REQUESTS = 36
"""The budget by default: 3 % of 1,200."""
VISIBLE = timedelta(hours=5)
"""A disposition that can be seen for less time is not required: an outage of 3 h and a sweep an hour later may both miss it."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A disposition of a delivery from a time on."""

    at: datetime
    disposition: str


@dataclass(slots=True)
class Delivery:
    """One row of the search. indexed_at: when it can be found first. rows: the row for each verdict."""

    id: EmailId
    at: datetime
    sent_at: datetime
    indexed_at: datetime
    verdicts: tuple[Verdict, ...]
    rows: tuple[SearchRow, ...]

    def number(self, now: datetime) -> int:
        """Which verdict is the current one."""
        for number in range(len(self.verdicts) - 1, 0, -1):
            if self.verdicts[number].at <= now:
                return number
        return 0

    def required(self, end: datetime) -> list[int]:
        """The verdicts that escalate and can be seen for long enough."""
        ends = [it.at for it in self.verdicts[1:]] + [end]
        return [
            number
            for number, (it, until) in enumerate(zip(self.verdicts, ends, strict=True))
            if it.disposition in ESCALATE_BY_DEFAULT and until - max(it.at, self.indexed_at) >= VISIBLE
        ]


def _mail(random_: random.Random, number: int, days: float) -> Delivery:
    at = START + timedelta(seconds=random_.uniform(0, days * 86400))
    at = at.replace(microsecond=0)
    lag = random_.random()
    index_lag = (
        random_.expovariate(1 / 60)
        if lag < 0.95
        else random_.uniform(0, 1800)
        if lag < 0.999
        else random_.uniform(0, 6 * 3600)
    )
    first = random_.choices(
        ("SPAM", "BULK", "SPOOF", "NONE", "MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"), (60, 10, 4, 6, 9, 1, 10)
    )[0]
    verdicts = [Verdict(at, first)]
    when = random_.random()
    if when < 0.05:
        again = [timedelta(minutes=5), timedelta(hours=12), timedelta(hours=24), random_.uniform(0, 7) * DAY]
        later = {"MALICIOUS": "NONE", "SUSPICIOUS": "MALICIOUS", "MALICIOUS-BEC": "SPAM"}.get(first, "MALICIOUS")
        verdicts.append(Verdict(at + random_.choices(again, (3, 3, 3, 1))[0], later))
    investigate_id = EmailId(f"4{number:08}z{number % 7}-{at:%Y-%m-%dT%H:%M:%S}-{number:08}")
    rows = tuple(SearchRow(investigate_id, it.disposition) for it in verdicts)
    sent_at = at - timedelta(seconds=random_.expovariate(1 / 120))
    return Delivery(investigate_id, at, sent_at, at + timedelta(seconds=index_lag), tuple(verdicts), rows)


def generate(count: int = 10_000, seed: int = 1, days: float = DAYS) -> list[Delivery]:
    """Generate mail: 95 % are indexed within minutes, 5 % are judged again at 5 min, 12 h, 24 h or within 7 days."""
    random_ = random.Random(seed)
    return [_mail(random_, number, days) for number in range(count)]


@dataclass(frozen=True, slots=True)
class Switches:
    """What Cloudflare does not document, and what goes wrong.

    order:        of the rows. time_field: what `start` and `end` filter by.
    new_row:      whether a new verdict makes a new row with the old time, instead of changing the row.
    falls_vanish: whether a delivery that does not escalate any more vanishes from the list.
    page:         the most rows of a page.
    clock_offset: of the feed's clock.
    outages:      three times three hours without a run.
    kills:        the share of runs that die at some step.
    throttles:    the share of requests that start a block of five minutes.
    faults:       the share of searches that fail after a page: a cursor that expires, a page that repeats, a search that
                  does not end.
    """

    order: Literal["newest", "oldest", "none"] = "newest"
    end_inclusive: bool = False
    time_field: Literal["scanned", "sent"] = "scanned"
    new_row: bool = False
    falls_vanish: bool = True
    page: int = 500
    clock_offset: timedelta = timedelta(0)
    every_minutes: int = 1
    outages: bool = True
    kills: float = 0.0
    throttles: float = 0.0
    faults: float = 0.0


class Killed(BaseException):
    """The process died."""


@dataclass(slots=True)
class World:
    """The virtual time, the search, the table and the queue. calls: the true times of requests."""

    deliveries: Sequence[Delivery]
    switches: Switches
    random_: random.Random
    now: datetime = START
    calls: list[datetime] = field(default_factory=list)
    sends: list[tuple[datetime, EmailId]] = field(default_factory=list)
    state: FeedState | None = None
    owner: str = ""
    lease_until: datetime = START
    entries: dict[str, dict[str, Known]] = field(default_factory=lambda: defaultdict(dict))
    steps_left: int = -1
    blocked_until: datetime = START
    budget: Budget | None = None
    runs: Counter[str] = field(default_factory=Counter)
    by_id: dict[str, Delivery] = field(init=False)
    _rows: list[Delivery] = field(init=False)
    _times: list[datetime] = field(init=False)

    def __post_init__(self) -> None:
        rows = list(_with_new_rows(self.deliveries)) if self.switches.new_row else list(self.deliveries)
        self.by_id = {it.id.value: it for it in rows}
        self._rows = sorted(rows, key=self._at)
        self._times = [self._at(it) for it in self._rows]

    def _at(self, it: Delivery) -> datetime:
        return it.sent_at if self.switches.time_field == "sent" else it.at

    def clock(self) -> datetime:
        """The feed's clock."""
        return self.now + self.switches.clock_offset

    def step(self) -> None:
        """Die here, if it is time."""
        if self.steps_left == 0:
            self.steps_left = -1
            raise Killed
        self.steps_left -= 1

    # --- the client

    def search(self, query: Query, seconds: float) -> Iterator[Page]:
        """The search with its switches, as the client yields it."""
        if self.budget is None or query.start is None or query.end is None:
            raise ValueError("the feed names both ends of a window, and counts its requests")
        switches = self.switches
        fault = self.random_.random() if switches.faults else 1.0
        rows: list[SearchRow] | None = None
        size, page = min(query.per_page, switches.page), 0
        while page < query.max_pages:
            self.step()
            self.budget.wait(seconds)
            self.calls.append(self.now)
            self.now += timedelta(seconds=0.3)
            self.step()
            if self.now < self.blocked_until or (switches.throttles and self.random_.random() < switches.throttles):
                self.blocked_until = max(self.blocked_until, self.now + timedelta(seconds=300))
                self.budget.block_for(300.0)
                raise Throttled("throttled", 300.0)
            if rows is None:
                rows = self._listed(query.start, query.end)
            part = tuple(rows[page * size : (page + 1) * size])
            page += 1
            if fault < switches.faults:
                yield Page(part[: len(part) // 2], "more")
                raise (Refused("expired"), SearchIncomplete("repeats"), StillSearching("slow", "x"))[page % 3]
            if page * size >= len(rows):
                yield Page(part, None)
                return
            yield Page(part, "more")
        raise SearchIncomplete("too many pages")

    def _listed(self, start: datetime, end: datetime) -> list[SearchRow]:
        first = bisect_left(self._times, start)
        last = (bisect_right if self.switches.end_inclusive else bisect_left)(self._times, end)
        now, vanish = self.now, self.switches.falls_vanish
        found = []
        for it in self._rows[first:last]:
            if it.indexed_at > now:
                continue
            row = it.rows[it.number(now) if len(it.rows) > 1 else 0]
            if not (vanish and row.final_disposition == "NONE"):
                found.append(row)
        if self.switches.order == "newest":
            found.reverse()
        elif self.switches.order == "none":
            self.random_.shuffle(found)
        return found

    # --- the table

    def acquire(self, owner: str, now: datetime) -> tuple[FeedState, bool]:
        """See Store."""
        self.step()
        if self.state is None:
            self.state = first_state(now, SINCE)
        if self.owner and self.lease_until >= now:
            return self.state, False
        self.owner, self.lease_until = owner, now + LEASE
        return self.state, True

    def save(self, owner: str, state: FeedState) -> None:
        """See Store."""
        self.step()
        if self.owner != owner:
            raise LeaseLost("lost")
        self.state = state

    def release(self, owner: str) -> None:
        """See Store."""
        self.step()
        if self.owner == owner:
            self.owner = ""

    def look_up(self, ids: Sequence[EmailId]) -> dict[str, Known]:
        """See Store."""
        self.step()
        return {it.value: self.entries[_day(it)].get(it.value, UNKNOWN) for it in ids}

    def known_within(self, window: Window) -> dict[str, Known]:
        """See Store."""
        self.step()
        known: dict[str, Known] = {}
        day = window.start.date()
        while day <= window.end.date():
            known |= self.entries[day.isoformat()]
            day += DAY
        return known

    def put(self, entries: Sequence[QueueEntry]) -> None:
        """See Store."""
        self.step()
        for entry in entries:
            day = self.entries[_day(entry.id)]
            day[entry.id.value] = Known(entry, day.get(entry.id.value, UNKNOWN).answer)

    def due_details(self, now: datetime, limit: int) -> list[DetailsRequest]:
        """See Store. All alerts of the simulation have their message details."""
        del now, limit
        self.step()
        return []

    def replace_details(self, requests: Mapping[DetailsRequest, DetailsRequest | None]) -> None:
        """See Store."""
        raise AssertionError(f"nothing waits for message details: {requests}")

    def count_run(self, run: FeedRun) -> None:
        """See Store."""
        self.runs[run.result] += 1

    def note(self, entry: QueueEntry, answer: QueueAnswer) -> None:
        """Note a delivery that was queued and answered before."""
        self.entries[_day(entry.id)][entry.id.value] = Known(entry, answer)

    # --- the queue, and the escalate function that answers at once

    def send(self, requests: Sequence[Request]) -> list[bool]:
        """See Queue."""
        self.step()
        for request in requests:
            self.sends.append((self.now, request.id))
            delivery, day = self.by_id[request.id.value], self.entries[_day(request.id)]
            word = delivery.verdicts[delivery.number(self.now)].disposition
            known = day.get(request.id.value, UNKNOWN)
            escalates = word in ESCALATE_BY_DEFAULT
            outcome = Outcome.ESCALATED if escalates else Outcome.CLOSED if known.answer else Outcome.NOT_ESCALATED
            day[request.id.value] = Known(known.entry, QueueAnswer(request.id, outcome, word, self.now))
        self.step()
        return [True] * len(requests)


def _with_new_rows(deliveries: Sequence[Delivery]) -> Iterator[Delivery]:
    for it in deliveries:
        for number, (verdict, row) in enumerate(zip(it.verdicts, it.rows, strict=True)):
            new_id = EmailId(f"{it.id.value}{number}")
            yield Delivery(
                new_id,
                it.at,
                it.sent_at,
                max(it.indexed_at, verdict.at),
                (verdict,),
                (SearchRow(new_id, row.final_disposition),),
            )


def _day(id: EmailId) -> str:
    return id.value.partition("-")[2][:10]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of a simulation.

    required, missed: verdicts that had to be queued, and those that were not. sends: messages about deliveries that
    escalated. falls: verdicts that fell and were seen before. closed: those that were queued. most_calls: requests in any
    300 s. seconds: from the time at which a verdict can be seen until it is queued, sorted.
    """

    required: int
    missed: int
    sends: int
    falls: int
    closed: int
    most_calls: int
    calls: int
    reports: tuple[RunReport, ...]
    seconds: tuple[float, ...]

    @property
    def messages_per_verdict(self) -> float:
        """Messages for each verdict that escalates."""
        return self.sends / self.required


def runner_of(world: World, requests: int) -> Runner:
    """The shipped runner in a world. requests: its budget in 300 s."""
    budget = Budget(requests, world.clock)
    world.budget = budget
    return Runner(
        searcher=world,
        store=world,
        queue=world,
        selection=Selection(ESCALATE_BY_DEFAULT, retro_scan=False),
        budget=budget,
        now=world.clock,
        clock=lambda: world.now.timestamp(),  # noqa: PLW0108  # world.now changes
    )


def simulate(
    deliveries: Sequence[Delivery],
    switches: Switches,
    seed: int = 1,
    requests: int = REQUESTS,
    days: int = LISTED_DAYS,
) -> Outcomes:
    """Run the feed over all days. requests: its budget in 300 s."""
    world = World(deliveries, switches, random.Random(seed))
    runner = runner_of(world, requests)
    reports: list[RunReport] = []
    for number in range(0, days * 1440, switches.every_minutes):
        at = START + timedelta(minutes=number)
        if switches.outages and _is_outage(at):
            continue
        world.now = max(world.now, at)
        if switches.kills and world.random_.random() < switches.kills:
            world.steps_left = world.random_.randrange(12)
        try:
            reports.append(runner.run(str(number)))
        except Killed:
            continue
        finally:
            world.steps_left = -1
    return _outcomes(world, reports)


def _is_outage(at: datetime) -> bool:
    """Three outages of three hours, on different days."""
    hours = (at - START).total_seconds() / 3600
    return 30 <= hours < 33 or 100 <= hours < 103 or 200 <= hours < 203


def _outcomes(world: World, reports: Sequence[RunReport]) -> Outcomes:
    end = START + timedelta(days=LISTED_DAYS)
    queued: dict[str, set[int]] = defaultdict(set)
    seconds: list[float] = []
    sends = 0
    for at, sent in world.sends:
        delivery = world.by_id[sent.value]
        number = delivery.number(at)
        if number not in queued[sent.value]:
            seconds.append((at - max(delivery.indexed_at, delivery.verdicts[number].at)).total_seconds())
        queued[sent.value].add(number)
        sends += delivery.verdicts[number].disposition in ESCALATE_BY_DEFAULT
    required = [(it, number) for it in world.by_id.values() for number in it.required(end)]
    missed = [(it, number) for it, number in required if number not in queued[it.id.value]]
    falls = [
        (it, number)
        for it in world.by_id.values()
        for number in range(1, len(it.verdicts))
        if it.verdicts[number].disposition not in ESCALATE_BY_DEFAULT and number - 1 in queued[it.id.value]
    ]
    closed = [it for it, number in falls if number in queued[it.id.value]]
    return Outcomes(
        len(required),
        len(missed),
        sends,
        len(falls),
        len(closed),
        most_calls(world.calls),
        len(world.calls),
        tuple(reports),
        tuple(sorted(seconds)),
    )


def most_calls(times: Sequence[datetime]) -> int:
    """The most requests in any 300 seconds."""
    calls = sorted(times)
    return max(
        (number - bisect_right(calls, at - timedelta(seconds=300)) + 1 for number, at in enumerate(calls)), default=0
    )


# --- the ways of others, which lose mail


def poll(
    deliveries: Sequence[Delivery], switches: Switches, way: Literal["newest event", "6 minutes", "no overlap"]
) -> int:
    """List as other programs do, and count the verdicts that are missed.

    newest event: from the time of the newest row on. 6 minutes: the last six minutes. no overlap: since the last run.
    """
    world = World(deliveries, switches, random.Random(1))
    world.budget = Budget(1_000_000, world.clock)
    cursor = START - SINCE
    for number in range(LISTED_DAYS * 1440):
        at = START + timedelta(minutes=number)
        if switches.outages and _is_outage(at):
            continue
        world.now = max(world.now, at)
        start = at - timedelta(minutes=6) if way == "6 minutes" else cursor
        rows = [row for page in world.search(Query(start=start, end=at), 60.0) for row in page.rows]
        for row in rows:
            known = world.entries[_day(row.id)].get(row.id.value, UNKNOWN)
            escalates = row.final_disposition in ESCALATE_BY_DEFAULT
            if escalates and not (known.answer and known.answer.disposition == row.final_disposition):
                world.send([Request(row.id, FeedFacts())])
        newest = max((world.by_id[row.id.value].at for row in rows), default=cursor)
        cursor = newest if way == "newest event" else at
    return _outcomes(world, []).missed
