"""Requests that wait, by their log lines."""

from datetime import UTC, datetime, timedelta

from functions.domain.outcome import Outcome, Reason
from ops.escalator.status.log import OutcomeLine
from ops.escalator.status.waiting import WaitingReason, count_waiting

NINE = datetime(2026, 11, 26, 9, tzinfo=UTC)


def at(minute: int) -> datetime:
    """A time after nine o'clock."""
    return NINE + timedelta(minutes=minute)


def line(minute: int, key: str, outcome: Outcome, reason: str = "", since: int | None = None) -> OutcomeLine:
    """A log line. since: the minute since which the message waits, as the line says."""
    return OutcomeLine(at(minute), outcome, reason, key, f"at {minute}", None if since is None else at(since))


def test_request_that_waits_counts_once_with_its_first_arrival() -> None:
    lines = [line(minute, "a", Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, 0) for minute in (10, 11, 13)]
    expected = WaitingReason(Reason.CLOUDFLARE_UNAVAILABLE, 1, at(0), at(13), "at 13")
    assert (expected,) == count_waiting(lines).reasons


def test_request_that_is_done_waits_no_longer() -> None:
    lines = [line(1, "a", Outcome.RETRY, Reason.NO_DETECTION, 0), line(2, "a", Outcome.ESCALATED)]
    found = count_waiting(lines)
    assert ((), at(2)) == (found.reasons, found.answered_at)


def test_request_that_is_rejected_waits_no_longer_and_is_no_answer_of_cloudflare() -> None:
    lines = [line(1, "a", Outcome.RETRY, Reason.THROTTLED, 0), line(2, "a", Outcome.REJECTED)]
    found = count_waiting(lines)
    assert ((), None) == (found.reasons, found.answered_at)


def test_request_whose_reason_changes_waits_for_the_new_reason_since_the_change() -> None:
    """It arrived at 9:00, in an outage. The token is refused since 9:20."""
    lines = [
        line(5, "a", Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, 0),
        line(20, "a", Outcome.DEFERRED, Reason.CREDENTIALS_REFUSED, 0),
        line(25, "a", Outcome.DEFERRED, Reason.CREDENTIALS_REFUSED, 0),
    ]
    [found] = count_waiting(lines).reasons
    assert (Reason.CREDENTIALS_REFUSED, at(20), at(25)) == (found.reason, found.since, found.last)


def test_reasons_are_in_the_order_of_their_counts_with_the_earliest_since() -> None:
    lines = [
        line(1, "a", Outcome.DEFERRED, Reason.THROTTLED, 1),
        line(2, "b", Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, 2),
        line(3, "c", Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, 0),
    ]
    first, second = count_waiting(lines).reasons
    assert (Reason.LEDGER_UNAVAILABLE, 2, at(0), at(3)) == (first.reason, first.count, first.since, first.last)
    assert (Reason.THROTTLED, 1) == (second.reason, second.count)


def test_line_of_an_earlier_release_counts_since_its_own_time() -> None:
    """It has no waiting_since."""
    [found] = count_waiting([line(7, "a", Outcome.RETRY, Reason.PUBLISH_FAILED)]).reasons
    assert at(7) == found.since
