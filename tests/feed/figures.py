"""`python -m tests.feed.figures`: count what the feed requests, and how long a verdict waits, and write it into docs/feed.md.

The simulation of simulation.py, in the state of a feed that has run for more than eight days: all earlier mail is queued.
It takes a few minutes.
"""

import argparse
import math
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from functions.cloudflare.search import PER_PAGE
from functions.domain.outcome import Outcome
from functions.escalate.decision import ESCALATE_BY_DEFAULT
from functions.feed.state import FeedState
from functions.feed.windows import DAILY, HOURLY, LOOPS, start_progress
from functions.ledger.queue_entry import QueueAnswer, QueueEntry
from tests.feed.simulation import START, Delivery, Switches, World, generate, most_calls, runner_of

DOCS = Path(__file__).parents[2] / "docs" / "feed.md"
BEGIN_MARK, END_MARK = "<!-- python -m tests.feed.figures -->\n", "<!-- end -->\n"
LIMIT = 1200
"""Cloudflare's rate limit: requests of a token in 300 s."""
RESCANS, LATE = timedelta(hours=24), timedelta(hours=2)
"""A verdict that changes within 24 hours is for the hourly sweep, which finds it within two hours if it keeps up."""
DAILY_REQUESTS = DAILY.lookback / DAILY.every / PER_PAGE
"""Of the daily sweep, for each detection a day, in a day."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How many detections come in a day, and the parameters of the template.

    period: is simulated twice. The first one shows the sweeps how long a slice may be; the second one is counted.
    has_daily: whether the daily sweep is simulated. Of very much mail its requests are calculated.
    """

    detections: int
    share: int = 3
    every_minutes: int = 1
    period: timedelta = DAILY.every
    has_daily: bool = True

    @property
    def begin(self) -> datetime:
        """When the simulation begins: all mail before it is queued."""
        return START + (DAILY.lookback if self.has_daily else timedelta(hours=28))


SETTINGS = (
    Setting(1_000),
    Setting(20_000),
    Setting(200_000, period=timedelta(hours=3), has_daily=False),
    Setting(200_000, 8, 5, timedelta(hours=3), has_daily=False),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted in one period.

    calls: requests. most_calls: in any 300 s. passes: of the hourly and the daily sweep that ended. lag: of the watermark at
    its longest. new, changed: seconds until a verdict is queued, of new detections and of verdicts that change later.
    waiting: verdicts of the first 24 hours that were not queued at the end of the period, and could be seen for two hours.
    """

    setting: Setting
    calls: int
    most_calls: int
    hourly_passes: int
    daily_passes: int
    lag: float
    new: Sequence[float]
    changed: Sequence[float]
    waiting: int

    @property
    def row(self) -> str:
        """A row of the table."""
        setting = self.setting
        passes = setting.period // HOURLY.every
        # The daily sweep comes last: it has requests only if the hourly one keeps up.
        is_calculated = not setting.has_daily and self.hourly_passes >= passes - 1
        calculated = setting.detections * DAILY_REQUESTS if is_calculated else 0.0
        cells = (
            f"{setting.detections:,}",
            f"{setting.share} %, {setting.every_minutes} min",
            f"{self.calls * (timedelta(days=1) / setting.period) + calculated:,.0f}",
            str(self.most_calls),
            f"{self.hourly_passes} of {passes}",
            f"{self.daily_passes} of 1" if setting.has_daily else "calculated" if is_calculated else "none",
            _spread(self.new),
            _spread(self.changed),
            f"{self.waiting:,}",
        )
        return f"| {' | '.join(cells)} |"


def _spread(seconds: Sequence[float]) -> str:
    """The median and the 99th percentile."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    return f"{_short(statistics.median(ordered))}, {_short(ordered[math.ceil(0.99 * len(ordered)) - 1])}"


def _short(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def measure(setting: Setting) -> Figures:
    """Simulate two periods, and count the second one."""
    begin, end = setting.begin + setting.period, setting.begin + 2 * setting.period
    days = (end - START) / timedelta(days=1)
    deliveries = generate(round(setting.detections * days), days=days)
    world = World(deliveries, Switches(every_minutes=setting.every_minutes, outages=False), random.Random(1))
    world.now = setting.begin
    world.state = FeedState(START, {loop.name: start_progress(loop, setting.begin - loop.every) for loop in LOOPS})
    if not setting.has_daily:
        never = start_progress(DAILY, end)
        world.state = replace(world.state, progress={**world.state.progress, DAILY.name: never})
    for it in deliveries:
        _queue_before(world, it, setting.begin)
    runner = runner_of(world, LIMIT * setting.share // 100)
    ends: dict[str, set[datetime]] = {HOURLY.name: set(), DAILY.name: set()}
    lag, at = 0.0, setting.begin
    while at < end:
        world.now = max(world.now, at)
        report = runner.run(at.isoformat())
        lag = max(lag, report.lag_seconds or 0.0) if at >= begin else 0.0
        for name, found in ends.items():
            found.add(world.state.progress[name].until)
        at += timedelta(minutes=setting.every_minutes)
    new, changed, waiting = _waits(world, begin, end)
    calls = [it for it in world.calls if it >= begin]
    return Figures(
        setting=setting,
        calls=len(calls),
        most_calls=most_calls(calls),
        hourly_passes=sum(begin <= it < end for it in ends[HOURLY.name]),
        daily_passes=sum(begin <= it < end for it in ends[DAILY.name]),
        lag=lag,
        new=new,
        changed=changed,
        waiting=waiting,
    )


def _queue_before(world: World, it: Delivery, begin: datetime) -> None:
    """Note a delivery that the feed has queued before the simulation begins."""
    word = it.verdicts[it.number(begin)].disposition
    if it.indexed_at > begin or word not in ESCALATE_BY_DEFAULT:
        return
    entry = QueueEntry(it.id, word, "minute", it.indexed_at, it.indexed_at)
    world.note(entry, QueueAnswer(it.id, Outcome.ESCALATED, word, it.indexed_at))


def _waits(world: World, begin: datetime, end: datetime) -> tuple[list[float], list[float], int]:
    """See Figures: new, changed and waiting, of the verdicts that could be seen first in the period."""
    seen: dict[tuple[str, int], datetime] = {}
    for at, id_ in world.sends:
        seen.setdefault((id_.value, world.by_id[id_.value].number(at)), at)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    waiting = 0
    for it in world.deliveries:
        for number, verdict in enumerate(it.verdicts):
            visible = max(it.indexed_at, verdict.at)
            if verdict.disposition not in ESCALATE_BY_DEFAULT or not begin <= visible < end:
                continue
            if queued := seen.get((it.id.value, number)):
                seconds[number == 0].append((queued - visible).total_seconds())
            elif it.number(end) == number and end - visible > LATE and verdict.at - it.at <= RESCANS:
                waiting += 1
    return seconds[True], seconds[False], waiting


HEAD = """\
| detections a day | `FeedShare`, `FeedEveryMinutes` | requests a day | most in 300 s | hourly sweeps that end | daily sweep | \
new detection: median, 99 % | changed verdict: median, 99 % | found late |
|---|---|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Count, print the table, and write it into the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.feed.figures", description=__doc__)
    parser.add_argument("--print", action="store_true", help="Write nothing.")
    only_print = parser.parse_args().print
    rows = []
    for setting in SETTINGS:
        figures = measure(setting)
        rows.append(figures.row)
        print(f"{figures.row}  longest lag {figures.lag:.0f} s", flush=True)
    if not only_print:
        before, rest = DOCS.read_text("utf-8").split(BEGIN_MARK)
        _, after = rest.split(END_MARK)
        DOCS.write_text("".join((before, BEGIN_MARK, HEAD, *(f"{row}\n" for row in rows), END_MARK, after)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
