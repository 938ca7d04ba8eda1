"""standing.py: what was last told about a mail, and what that makes of a new decision."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.record import Activity, Record, Told
from functions.ledger.standing import Standing, read_standing, standing_attributes
from functions.ledger.wire import from_item, to_item
from tests.unit.examples import NOON, escalated, record

MALICIOUS, SUSPICIOUS, CLOSED = Told("MALICIOUS", "1" * 32), Told("SUSPICIOUS", "2" * 32), Told("NONE", "3" * 32)
EARLIER, LATER = NOON - timedelta(milliseconds=1), NOON + timedelta(milliseconds=1)
EXPIRES_AT = 1_800_000_000


def standing(
    told: Told = MALICIOUS, turn: int = 0, *, escalated: bool = True, previous: Told | None = None
) -> Standing:
    """What was told at noon."""
    return Standing(told, turn, escalated, NOON, previous)


# --- a decision below the line ----------------------------------------------------------------------------------------

DISMISSED = {
    "after an alert": (standing(), "NONE", True),
    "of a disposition that was alerted on, and is not any more": (standing(), "MALICIOUS", True),
    "closed, and asked again": (standing(CLOSED, 1, escalated=False, previous=MALICIOUS), "NONE", True),
    "closed, and below the line by another word": (
        standing(CLOSED, 1, escalated=False, previous=MALICIOUS),
        "SPAM",
        False,
    ),
}


@pytest.mark.parametrize(("it", "disposition", "expected"), DISMISSED.values(), ids=DISMISSED)
def test_below_the_line(it: Standing, disposition: str, expected: bool) -> None:
    """It is told where somebody was alerted, or may not have been told of it yet; and once that is told, no more."""
    assert expected == it.concerns(record(disposition=disposition))


# --- an answer that comes late ----------------------------------------------------------------------------------------

OVERTAKING = {
    "another answer, later": ("SUSPICIOUS", EARLIER, True),
    "another answer, at the same time": ("SUSPICIOUS", NOON, False),
    "another answer, earlier": ("SUSPICIOUS", LATER, False),
    "the same answer, later": ("MALICIOUS", EARLIER, False),
    "the same answer, earlier": ("MALICIOUS", LATER, False),
}


@pytest.mark.parametrize(("disposition", "fetched_at", "expected"), OVERTAKING.values(), ids=OVERTAKING)
def test_overtaking(disposition: str, fetched_at: object, expected: bool) -> None:
    """Only a later answer of Cloudflare's overtakes, and only where it is another one."""
    assert expected == standing().overtakes(record(disposition=disposition, fetched_at=fetched_at))


# --- what follows -----------------------------------------------------------------------------------------------------


def test_the_same_once_more() -> None:
    """It is the alert that was claimed before, under the same id: nobody is told twice."""
    first = record(turn=3, previous=SUSPICIOUS)
    again = standing(Told("MALICIOUS", first.alert_id), 3, previous=SUSPICIOUS).follow(record())
    assert (first, first.alert_id, first.alert_key) == (again, again.alert_id, again.alert_key)


FOLLOWING = {
    "graver": (SUSPICIOUS, 0, escalated(), 1, Activity.UPDATE),
    "less grave, and still to alert on": (MALICIOUS, 4, escalated(disposition="SUSPICIOUS"), 5, Activity.UPDATE),
    "below the line": (MALICIOUS, 0, record(disposition="NONE"), 1, Activity.CLOSE),
    "back after it was closed": (CLOSED, 1, escalated(), 2, Activity.UPDATE),
}


@pytest.mark.parametrize(("told", "turn", "decided", "expected", "activity"), FOLLOWING.values(), ids=FOLLOWING)
def test_a_change(told: Told, turn: int, decided: Record, expected: int, activity: Activity) -> None:
    """It is an alert of its own, that names the one before."""
    follows = standing(told, turn).follow(decided)
    assert (expected, told, activity) == (follows.turn, follows.previous, follows.activity)
    assert decided.alert_id != follows.alert_id


def test_what_is_alerted_on_by_now() -> None:
    """It was told that a mail is over, with a word that the deployment has come to alert on since: this is an alert."""
    it = standing(CLOSED, 1, escalated=False, previous=MALICIOUS)
    follows = it.follow(escalated(disposition="NONE"))
    assert (2, CLOSED, Activity.UPDATE) == (follows.turn, follows.previous, follows.activity)
    assert CLOSED.alert_id != follows.alert_id


@given(st.lists(st.sampled_from(["MALICIOUS", "SUSPICIOUS", "NONE"]), min_size=2, max_size=12))
def test_a_mail_that_changes_often(dispositions: list[str]) -> None:
    """Each change is an alert of its own, and what does not change is none; each names the one before."""
    ids: list[str] = []
    last: Standing | None = None
    for disposition in dispositions:
        decided = record(disposition=disposition, escalates=disposition != "NONE")
        it = last.follow(decided) if last else decided
        last = read_standing(standing_attributes(it, EXPIRES_AT))
        assert it.alert_id == last.told.alert_id
        if not ids or it.alert_id != ids[-1]:
            assert (ids[-1] if ids else None) == (it.previous.alert_id if it.previous else None)
            ids.append(it.alert_id)
    changes = sum(before != after for before, after in itertools.pairwise(dispositions))
    assert (1 + changes, 1 + changes) == (len(ids), len({*ids}))


# --- in the table -----------------------------------------------------------------------------------------------------


def test_what_is_written_down() -> None:
    """It says what was told and when Cloudflare said so, and goes when the record goes."""
    it = escalated(turn=1, previous=SUSPICIOUS)
    assert {
        "disposition": "MALICIOUS",
        "alert_id": it.alert_id,
        "turn": 1,
        "escalated": True,
        "fetched_at": "2026-11-23T12:00:00.000Z",
        "expires_at": EXPIRES_AT,
        "previous_disposition": "SUSPICIOUS",
        "previous_alert_id": "2" * 32,
    } == standing_attributes(it, EXPIRES_AT)


tellable = st.builds(
    record,
    disposition=st.sampled_from(["MALICIOUS", "NONE"]),
    escalates=st.booleans(),
    turn=st.integers(0, 100),
    previous=st.none() | st.sampled_from([MALICIOUS, SUSPICIOUS, CLOSED]),
)


@given(tellable)
def test_any_record_that_is_told(it: Record) -> None:
    """What was written down is read again, and the same decision follows on it as the same."""
    read = read_standing(from_item(to_item(standing_attributes(it, EXPIRES_AT))))
    expected = Standing(Told(it.disposition or "", it.alert_id), it.turn, it.escalates, NOON, it.previous)
    assert expected == read
    assert it == read.follow(record(disposition=it.disposition, escalates=it.escalates))
