"""Which rows are queued."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.email_id import EmailId
from functions.domain.outcome import Outcome
from functions.domain.search_row import SearchRow
from functions.escalate.decision import ESCALATE_BY_DEFAULT
from functions.feed.selection import UNKNOWN, Choice, Known, Selection, entry_for, missing_entry
from functions.feed.windows import Window
from functions.ledger.queue_entry import QueueAnswer, QueueEntry

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = EmailId("4jTHXX1BkfzpM0K-2026-11-25T08:12:44-67232611")
SELECTION = Selection(ESCALATE_BY_DEFAULT, retro_scan=False)


def row(disposition: str | None, mode: str | None = "API") -> SearchRow:
    return SearchRow(ID, disposition, mode)


def known(
    disposition: str, outcome: Outcome | None = None, answered: str = "", *, age: timedelta = HOUR / 2, tries: int = 1
) -> Known:
    """A delivery that was queued with a disposition, and answered with another."""
    entry = QueueEntry(ID, disposition, "minute", NOW - age, NOW - age, tries)
    return Known(entry, QueueAnswer(ID, outcome, answered, NOW - age) if outcome else None)


NEW = {
    "malicious": ("MALICIOUS", Choice.QUEUE),
    "business email compromise": ("MALICIOUS-BEC", Choice.QUEUE),
    "lower case with spaces": (" suspicious ", Choice.QUEUE),
    "a new word of a known family": ("MALICIOUS-QR", Choice.QUEUE),
    "an unknown word": ("BRAND NEW", Choice.QUEUE),
    "no word": (None, Choice.QUEUE),
    "UNKNOWN": ("UNKNOWN", Choice.QUEUE),
    "unset": ("unset", Choice.QUEUE),
    "spam": ("SPAM", Choice.SKIP),
    "none": ("NONE", Choice.SKIP),
}


@pytest.mark.parametrize(("disposition", "choice"), NEW.values(), ids=NEW)
def test_new_row_is_queued_unless_it_clearly_does_not_escalate(disposition: str | None, choice: Choice) -> None:
    assert choice is SELECTION.choose(row(disposition), UNKNOWN, NOW)


MODES = {
    "retro scan": ("RETRO_SCAN", Choice.LEFT_OUT),
    "simulation": ("SIMULATION_SUBMISSION", Choice.LEFT_OUT),
    "DMARC report": ("DMARC_AGGREGATE_REPORT", Choice.LEFT_OUT),
    "user report": ("REVIEW_SUBMISSION", Choice.QUEUE),
    "new mode": ("BRAND_NEW", Choice.QUEUE),
    "no mode": (None, Choice.QUEUE),
}


@pytest.mark.parametrize(("mode", "choice"), MODES.values(), ids=MODES)
def test_delivery_mode_can_leave_a_row_out(mode: str | None, choice: Choice) -> None:
    assert choice is SELECTION.choose(row("MALICIOUS", mode), UNKNOWN, NOW)


def test_retro_scan_is_queued_if_the_deployment_asks_for_it() -> None:
    assert Choice.QUEUE is replace(SELECTION, retro_scan=True).choose(row("MALICIOUS", "RETRO_SCAN"), UNKNOWN, NOW)


ANSWERED = Outcome.ESCALATED, "MALICIOUS"
KNOWN = {
    "answered with the same word": ("MALICIOUS", known("MALICIOUS", *ANSWERED, age=100 * HOUR), Choice.SKIP),
    "alert sent before": ("MALICIOUS", known("MALICIOUS", Outcome.ALREADY_ESCALATED, "MALICIOUS"), Choice.SKIP),
    "queued with no word, answered with this one": ("MALICIOUS", known("", *ANSWERED), Choice.SKIP),
    "not answered yet": ("MALICIOUS", known("MALICIOUS"), Choice.SKIP),
    "not answered for an hour": ("MALICIOUS", known("MALICIOUS", age=HOUR), Choice.QUEUE),
    "second try, eleven hours ago": ("MALICIOUS", known("MALICIOUS", age=11 * HOUR, tries=2), Choice.SKIP),
    "second try, twelve hours ago": ("MALICIOUS", known("MALICIOUS", age=12 * HOUR, tries=2), Choice.QUEUE),
    "third try, a day ago": ("MALICIOUS", known("MALICIOUS", age=24 * HOUR, tries=3), Choice.UNRESOLVED),
    "not found for an hour": ("MALICIOUS", known("MALICIOUS", Outcome.NOT_FOUND, age=HOUR), Choice.QUEUE),
    "answered with another word": (
        "MALICIOUS",
        known("MALICIOUS", Outcome.NOT_ESCALATED, "SPAM", age=HOUR),
        Choice.QUEUE,
    ),
    "judged again": ("MALICIOUS", known("SUSPICIOUS", Outcome.ESCALATED, "SUSPICIOUS"), Choice.QUEUE),
    "no word, any answer": (None, known("", Outcome.NOT_ESCALATED, "SPAM", age=100 * HOUR), Choice.SKIP),
    "no word, not found": (None, known("", Outcome.NOT_FOUND, age=HOUR), Choice.QUEUE),
    "fell after an alert": ("NONE", known("MALICIOUS", *ANSWERED), Choice.QUEUE),
    "fell before its answer": ("NONE", known("MALICIOUS"), Choice.QUEUE),
    "fell, queued for its close": ("NONE", known("NONE", *ANSWERED), Choice.SKIP),
    "fell, queued for its close an hour ago": ("NONE", known("NONE", *ANSWERED, age=HOUR), Choice.QUEUE),
    "fell and closed": ("NONE", known("NONE", Outcome.CLOSED, "NONE", age=100 * HOUR), Choice.SKIP),
    "closed, then fell further": ("SPAM", known("NONE", Outcome.CLOSED, "NONE"), Choice.SKIP),
    "escalates again after its close": ("MALICIOUS", known("NONE", Outcome.CLOSED, "NONE"), Choice.QUEUE),
}


@pytest.mark.parametrize(("disposition", "before", "choice"), KNOWN.values(), ids=KNOWN)
def test_known_row_is_queued_if_the_last_answer_does_not_fit(
    disposition: str | None, before: Known, choice: Choice
) -> None:
    assert choice is SELECTION.choose(row(disposition), before, NOW)


def test_unresolved_row_is_counted_once() -> None:
    before = known("MALICIOUS", age=100 * HOUR, tries=3)
    assert before.entry
    counted = replace(before, entry=replace(before.entry, unresolved=True))
    assert [Choice.UNRESOLVED, Choice.SKIP] == [SELECTION.choose(row("MALICIOUS"), it, NOW) for it in (before, counted)]


def test_entry_counts_tries_with_the_same_disposition() -> None:
    """Its first time stays."""
    before = known("MALICIOUS", age=HOUR)
    again, judged_again = (entry_for(row(it), it, "hourly", before, NOW) for it in ("MALICIOUS", "SUSPICIOUS"))
    assert (2, 1, NOW - HOUR, "hourly") == (again.tries, judged_again.tries, again.first_queued_at, again.loop)


WINDOW = Window(NOW - 26 * HOUR, NOW)
MISSING = {
    "escalated": (known("MALICIOUS", *ANSWERED), True),
    "queued, and not answered": (known("MALICIOUS"), True),
    "closed": (known("MALICIOUS", Outcome.CLOSED, "NONE"), False),
    "queued as missing before": (
        Known(missing_entry(QueueEntry(ID, "MALICIOUS", "minute", NOW, NOW), "hourly", NOW)),
        False,
    ),
    "not known": (UNKNOWN, False),
}


@pytest.mark.parametrize(("it", "expected"), MISSING.values(), ids=MISSING)
def test_escalated_delivery_that_a_complete_list_lacks_is_missing_once(it: Known, expected: bool) -> None:
    assert expected == bool([*SELECTION.missing({ID.value: it}, set(), WINDOW)])


@pytest.mark.parametrize(
    ("listed", "window"),
    [({ID.value}, WINDOW), (set(), Window(NOW - 4 * HOUR, NOW)), (set(), Window(NOW - 26 * HOUR, NOW - 3 * HOUR))],
    ids=["listed", "at the start of the window", "at the end of the window"],
)
def test_delivery_that_may_be_outside_the_window_is_not_missing(listed: set[str], window: Window) -> None:
    assert [] == [*SELECTION.missing({ID.value: known("MALICIOUS", *ANSWERED)}, listed, window)]
