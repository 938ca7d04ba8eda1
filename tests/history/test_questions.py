"""Every question that the table must answer: the right rows, in the right order, and nothing read but them."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from ops.escalator.question import Question
from ops.escalator.span import Span
from ops.escalator.trail import Item
from tests.history.asked import REAL, AskedLedger, Cost
from tests.history.past import DAYS, NOW, Sample

ALL = Span(NOW - timedelta(days=DAYS), NOW)
LAST_MONTH = Span(NOW - timedelta(days=30), NOW)

ONE_VALUE = {
    "disposition": ("MALICIOUS-BEC", "by_disposition"),
    "severity": ("Critical", "by_severity"),
    "sender_domain": ("sender3.example", "by_sender_domain"),
    "sender_ip": ("203.0.113.7", "by_sender_ip"),
    "pending": ("yes", "pending"),
    "link_host": ("host3.example", None),
    "attachment_sha256": (f"{5:064x}", None),
    "category": ("malware", None),
    "recipient": ("person4@company.example", None),
}


def expected(many: Sequence[Sample], span: Span, **values: str) -> list[Sample]:
    """The records that a question is about, newest first, found by looking at all of them."""
    return [
        it
        for it in reversed(many)
        if span.first <= it.decided_at <= span.last and all(value in it.values[name] for name, value in values.items())
    ]


def assert_same(wanted: Sequence[Sample], found: Sequence[Item]) -> None:
    """The same records, newest first; those of one millisecond in any order."""
    assert [it.decided_at for it in wanted] == [it["decided_at"] for it in found]
    assert sorted(it.entry for it in wanted) == sorted(it["entry"] for it in found)


def assert_only_these_were_read(cost: Cost, rows: int) -> None:
    """Each entry of the index that was read led to a row, and each row was read once."""
    assert {"Query", "BatchGetItem"} >= set(cost.calls)
    assert (rows, rows, rows) == (cost.entries, cost.looked_through, cost.records)
    if (
        REAL
    ):  # half a unit for a record, which has less than 4 KB; less than 0.1 for an entry; half a unit for rounding up
        assert 0.5 * rows <= cost.capacity <= 0.6 * rows + 0.5 * len(cost.calls)


@pytest.mark.parametrize("facet", ONE_VALUE)
def test_one_value(ledger: AskedLedger, many: list[Sample], facet: str) -> None:
    """Its own index answers."""
    value, index = ONE_VALUE[facet]
    wanted = expected(many, ALL, **{facet: value})

    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(Question(ALL, {facet: value})) for it in page.records]

    assert len(wanted) > 5
    assert_same(wanted, found)
    assert {index} == cost.indexes
    assert_only_these_were_read(cost, len(wanted))


def test_time_alone(ledger: AskedLedger, many: list[Sample]) -> None:
    """Month after month, backwards, all of it."""
    wanted = expected(many, ALL)

    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(Question(ALL)) for it in page.records]

    assert len(many) == len(wanted)
    assert_same(wanted, found)
    assert {"by_time"} == cost.indexes
    assert_only_these_were_read(cost, len(wanted))


def test_a_limit(ledger: AskedLedger, many: list[Sample]) -> None:
    """No more is read than shown."""
    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(Question(ALL), limit=7) for it in page.records]

    assert_same(expected(many, ALL)[:7], found)
    assert_only_these_were_read(cost, 7)


SEVERAL: dict[str, tuple[dict[str, str], str, str | None]] = {
    "two-in-the-record": ({"disposition": "MALICIOUS", "sender_ip": "203.0.113.7"}, "sender_ip", "by_sender_ip"),
    "two-pointers": ({"link_host": "host3.example", "category": "malware"}, "link_host", None),
    "one-of-each": ({"severity": "High", "category": "malware"}, "category", None),
    "three": ({"severity": "High", "category": "malware", "sender_ip": "203.0.113.7"}, "sender_ip", "by_sender_ip"),
    "pending-and-a-severity": ({"pending": "yes", "severity": "High"}, "pending", "pending"),
}


@pytest.mark.parametrize(("values", "leading", "index"), SEVERAL.values(), ids=SEVERAL.keys())
def test_several_values(
    ledger: AskedLedger, many: list[Sample], values: dict[str, str], leading: str, index: str | None
) -> None:
    """The most selective index is read, within the span; the others decide what of that is shown."""
    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(Question(ALL, values)) for it in page.records]

    wanted = expected(many, ALL, **values)
    assert wanted != []
    assert_same(wanted, found)
    led = len(expected(many, ALL, **{leading: values[leading]}))
    assert ({index}, led, led) == (cost.indexes, cost.entries, cost.looked_through)
    assert {"Query", "BatchGetItem"} == set(cost.calls)


def test_several_values_and_a_limit(ledger: AskedLedger, many: list[Sample]) -> None:
    """What has pointers is decided before a record is read."""
    values = {"link_host": "host3.example", "category": "malware"}

    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(Question(ALL, values), limit=1) for it in page.records]

    wanted = expected(many, ALL, **values)
    assert_same(wanted[:1], found)
    # Each pointer that is there, and each record to which both lead.
    assert 2 * len(wanted) == cost.records


def test_moments(ledger: AskedLedger, many: list[Sample]) -> None:
    """What is counted comes from the index by time alone, first to last."""
    with ledger.watched() as cost:
        found = list(ledger.trail.moments(LAST_MONTH))

    wanted = expected(many, LAST_MONTH)
    assert_same(wanted, found[::-1])
    assert ({"Query"}, {"by_time"}, len(wanted)) == (set(cost.calls), cost.indexes, cost.looked_through)
