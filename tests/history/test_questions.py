"""Every question that the table must answer: the right rows, in the right order, and nothing read but them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from ops.escalator.question import Question
from ops.escalator.span import Span
from ops.escalator.stored import Item
from tests.history.ledger import REAL, AskedLedger, Cost
from tests.history.seed import DAYS, NOW, facets

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


def has(record: Item, facet: str, value: str) -> bool:
    """Whether a record has a value."""
    named = facets(record)
    return value in [it.lower() for it in named[facet]] if facet in named else record.get(facet) == value


def expected(many: Sequence[Item], span: Span, **values: str) -> list[Item]:
    """The records that a question is about, newest first, found by looking at all of them."""
    return [
        it
        for it in reversed(many)
        if span.first <= it["decided_at"] <= span.last and all(has(it, *facet) for facet in values.items())
    ]


def assert_same(wanted: Sequence[Item], found: Sequence[Item]) -> None:
    """The same records, newest first; those of one millisecond in any order."""
    assert [it["decided_at"] for it in wanted] == [it["decided_at"] for it in found]
    assert sorted(it["entry"] for it in wanted) == sorted(it["entry"] for it in found)


def assert_only_these_were_read(cost: Cost, rows: int) -> None:
    """Each entry of the index that was read led to a row, and each row was read once."""
    assert {"Query", "BatchGetItem"} >= set(cost.calls)
    assert (rows, rows, rows) == (cost.entries, cost.looked_through, cost.records)
    if REAL:  # a record of ours takes one unit and a half at the most, an entry far less; each query rounds up
        assert cost.capacity <= rows * 1.0 + len(cost.calls)


@pytest.mark.parametrize("facet", ONE_VALUE)
def test_one_value(ledger: AskedLedger, many: list[Item], facet: str) -> None:
    """Its own index answers."""
    value, index = ONE_VALUE[facet]
    wanted = expected(many, ALL, **{facet: value})

    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(Question(ALL, {facet: value})) for it in page.records]

    assert len(wanted) > 5
    assert_same(wanted, found)
    assert {index} == cost.indexes
    assert_only_these_were_read(cost, len(wanted))


def test_time_alone(ledger: AskedLedger, many: list[Item]) -> None:
    """Month after month, backwards, all of it."""
    wanted = expected(many, ALL)

    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(Question(ALL)) for it in page.records]

    assert len(many) == len(wanted)
    assert_same(wanted, found)
    assert {"by_time"} == cost.indexes
    assert_only_these_were_read(cost, len(wanted))


def test_a_limit(ledger: AskedLedger, many: list[Item]) -> None:
    """No more is read than shown."""
    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(Question(ALL), limit=7) for it in page.records]

    assert_same(expected(many, ALL)[:7], found)
    assert_only_these_were_read(cost, 7)


SEVERAL: dict[str, tuple[dict[str, str], str | None, Callable[[Cost], Any]]] = {
    "two-in-the-record": (
        {"disposition": "MALICIOUS", "sender_ip": "203.0.113.7"},
        "by_sender_ip",
        lambda it: it.entries,
    ),
    "two-pointers": ({"link_host": "host3.example", "category": "malware"}, None, lambda it: it.entries),
    "one-of-each": ({"severity": "High", "category": "malware"}, None, lambda it: it.entries),
    "pending-and-a-severity": ({"pending": "yes", "severity": "High"}, "pending", lambda it: it.entries),
}


@pytest.mark.parametrize(("values", "index", "read"), SEVERAL.values(), ids=SEVERAL.keys())
def test_several_values(
    ledger: AskedLedger, many: list[Item], values: dict[str, str], index: str | None, read: Callable[[Cost], int]
) -> None:
    """The most selective index is read, within the span, and the others decide what of it is shown."""
    question = Question(LAST_MONTH, values)
    leading = question.leading
    assert leading is not None

    with ledger.watched() as cost:
        found = [it for page in ledger.trail.pages(question) for it in page.records]

    wanted = expected(many, LAST_MONTH, **values)
    assert wanted != []
    assert_same(wanted, found)
    assert ({index}, len(expected(many, LAST_MONTH, **{leading: values[leading]}))) == (cost.indexes, read(cost))
    assert {"Query", "BatchGetItem"} == set(cost.calls)
