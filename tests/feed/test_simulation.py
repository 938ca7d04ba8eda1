"""The feed in virtual time: nothing is missed, whatever Cloudflare does and whenever the feed dies.

10,000 mails over 10 days, listed for 18, because an analyst may reclassify a mail after seven days.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from functions.feed.runner import Result
from tests.feed.simulation import REQUESTS, Switches, generate, poll, simulate

MAIL = generate()
NEVER_ABOVE = 40
"""Requests in any 300 s."""
VALUES: dict[str, tuple[Any, ...]] = {
    "order": ("newest", "oldest", "none"),
    "end_inclusive": (False, True),
    "time_field": ("scanned", "sent"),
    "new_row": (False, True),
    "falls_vanish": (True, False),
    "page": (500, 50),
    "clock_offset": tuple(timedelta(minutes=it) for it in (0, 2, -2)),
    "every_minutes": (1, 5),
    "outages": (True, False),
    "kills": (0.0, 0.05),
    "throttles": (0.0, 0.002),
    "faults": (0.0, 0.02),
}
COMBINATIONS = 64


def combinations() -> Iterator[Switches]:
    """At least 64 combinations, with each pair of values of two switches in one of them."""
    random_ = random.Random(1)
    open_pairs = {
        frozenset(((one, a), (other, b)))
        for one, other in itertools.combinations(VALUES, 2)
        for a in VALUES[one]
        for b in VALUES[other]
    }
    count = 0
    while open_pairs or count < COMBINATIONS:
        drawn = [{name: random_.choice(values) for name, values in VALUES.items()} for _ in range(20)]
        best = max(drawn, key=lambda it: len(_pairs(it) & open_pairs))
        open_pairs -= _pairs(best)
        count += 1
        yield Switches(**best)


def _pairs(combination: dict[str, Any]) -> set[frozenset[tuple[str, Any]]]:
    return {frozenset(pair) for pair in itertools.combinations(combination.items(), 2)}


ALL = list(combinations())


def name(switches: Switches) -> str:
    """The switches that differ from the default."""
    default = Switches()
    changed = [
        f"{it.name}={getattr(switches, it.name)}"
        for it in fields(Switches)
        if getattr(switches, it.name) != getattr(default, it.name)
    ]
    return ", ".join(changed) or "default"


def test_each_pair_of_switches_occurs() -> None:
    assert len(ALL) >= COMBINATIONS
    covered = set().union(*(_pairs({it.name: getattr(one, it.name) for it in fields(Switches)}) for one in ALL))
    wanted = {
        frozenset(((one, a), (other, b)))
        for one, other in itertools.combinations(VALUES, 2)
        for a in VALUES[one]
        for b in VALUES[other]
    }
    assert wanted <= covered


@pytest.mark.parametrize("switches", ALL, ids=name)
def test_every_verdict_that_escalates_is_queued(switches: Switches) -> None:
    """Few twice, and Cloudflare's limit is kept."""
    outcomes = simulate(MAIL, switches)
    assert outcomes.required > 2000
    assert 0 == outcomes.missed
    assert outcomes.messages_per_verdict <= (1.2 if switches.kills else 1.05)
    assert outcomes.most_calls <= REQUESTS <= NEVER_ABOVE


@pytest.mark.parametrize("falls_vanish", [True, False], ids=["it vanishes from the list", "it stays in the list"])
def test_every_fall_is_queued_for_its_close(falls_vanish: bool) -> None:
    outcomes = simulate(MAIL, Switches(falls_vanish=falls_vanish))
    assert outcomes.falls > 20
    assert outcomes.closed == outcomes.falls


def test_quiet_feed_ends_each_run_complete_and_reports_its_lag() -> None:
    outcomes = simulate(MAIL[:1000], Switches(outages=False))
    assert {Result.DONE} == {it.result for it in outcomes.reports}
    assert max(it.lag_seconds or 0.0 for it in outcomes.reports) < 60


def test_death_at_each_step_loses_nothing() -> None:
    """A third of the runs die."""
    outcomes = simulate(MAIL[:2000], Switches(kills=0.33))
    assert 0 == outcomes.missed


@pytest.mark.parametrize("way", ["newest event", "6 minutes", "no overlap"])
def test_ways_of_others_lose_mail(way: Literal["newest event", "6 minutes", "no overlap"]) -> None:
    """So the simulation would notice a feed that loses some."""
    missed = poll(MAIL, replace(Switches(), outages=True), way)
    assert missed > 100
