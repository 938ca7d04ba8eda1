"""Every query of the table: the right records in the right order, and no other record read."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from ops.escalator.records.query import RecordQuery
from ops.escalator.records.record_summary import RecordSummary
from ops.escalator.records.stored_record import AnyRecord, UnreadableRecord
from ops.escalator.records.time_range import TimeRange
from tests.history.cli_harness import IS_REAL, Cost, LedgerCli
from tests.history.sample_history import DAYS, NOW, Sample
from tests.unit.examples import ACCOUNT

ALL = TimeRange(NOW - timedelta(days=DAYS), NOW)
LAST_MONTH = TimeRange(NOW - timedelta(days=30), NOW)

ONE_VALUE = {
    "disposition": ("MALICIOUS-BEC", "by_disposition"),
    "severity": ("Critical", "by_severity"),
    "sender_domain": ("sender3.example", None),
    "sender": ("pay@evil.example", None),
    "sender_ip": ("203.0.113.7", None),
    "message_id": ("1@evil.example", None),
    "pending": ("yes", "pending"),
    "link_host": ("host3.example", None),
    "attachment_hash": (f"{5:064x}", None),
    "category": ("malware", None),
    "recipient": ("person4@company.example", None),
}


def expected(many: Sequence[Sample], time_range: TimeRange, **values: str) -> list[Sample]:
    """The records that match a query, newest first, found by looking at all of them."""
    return [
        it
        for it in reversed(many)
        if time_range.first <= it.decided_at <= time_range.last
        and all(value in it.values[name] for name, value in values.items())
    ]


def assert_same(wanted: Sequence[Sample], found: Sequence[AnyRecord | RecordSummary]) -> None:
    """The same records, newest first. Records of one millisecond are in any order."""
    assert [] == [it for it in found if isinstance(it, UnreadableRecord)]
    assert [it.decided_at for it in wanted] == [it.position.decided_at for it in found]
    assert sorted(it.sk for it in wanted) == sorted(it.position.sk for it in found)


def assert_only_these_were_read(cost: Cost, count: int) -> None:
    """Each index entry that was read led to a record, and each record was read once."""
    assert {"Query", "BatchGetItem"} >= set(cost.calls)
    assert (count, count, count) == (cost.entries, cost.scanned, cost.records)
    # 0.5 units for a record of less than 4 KB, less than 0.1 for an entry, 0.5 a call for rounding up.
    if IS_REAL:
        assert 0.5 * count <= cost.capacity <= 0.6 * count + 0.5 * len(cost.calls)


@pytest.mark.parametrize("name", ONE_VALUE)
def test_one_value_is_answered_by_its_own_index(ledger: LedgerCli, many: list[Sample], name: str) -> None:
    """No other index is read."""
    value, index = ONE_VALUE[name]
    wanted = expected(many, ALL, **{name: value})

    with ledger.measured() as cost:
        found = [it for page in ledger.reader.pages(RecordQuery(ALL, {name: value})) for it in page.records]

    assert len(wanted) > 5
    assert_same(wanted, found)
    assert {index} == cost.indexes
    assert_only_these_were_read(cost, len(wanted))


def test_time_range_alone_reads_month_after_month(ledger: LedgerCli, many: list[Sample]) -> None:
    """The newest month comes first."""
    wanted = expected(many, ALL)

    with ledger.measured() as cost:
        found = [it for page in ledger.reader.pages(RecordQuery(ALL)) for it in page.records]

    assert len(many) == len(wanted)
    assert_same(wanted, found)
    assert {"by_time"} == cost.indexes
    assert_only_these_were_read(cost, len(wanted))


def test_limit_limits_what_is_read(ledger: LedgerCli, many: list[Sample]) -> None:
    """No more records are read than returned."""
    with ledger.measured() as cost:
        found = [it for page in ledger.reader.pages(RecordQuery(ALL), limit=7) for it in page.records]

    assert_same(expected(many, ALL)[:7], found)
    assert_only_these_were_read(cost, 7)


SEVERAL: dict[str, tuple[dict[str, str], str, str | None]] = {
    "two attributes": ({"disposition": "MALICIOUS", "sender_ip": "203.0.113.7"}, "sender_ip", None),
    "two pointers": ({"link_host": "host3.example", "category": "malware"}, "link_host", None),
    "attribute and pointer": ({"severity": "High", "category": "malware"}, "category", None),
    "three": ({"severity": "High", "category": "malware", "sender_ip": "203.0.113.7"}, "sender_ip", None),
    "an inbox and a host": ({"delivered": "true", "link_host": "host3.example"}, "link_host", None),
    "pending and a severity": ({"pending": "yes", "severity": "High"}, "pending", "pending"),
}


@pytest.mark.parametrize(("values", "leading", "index"), SEVERAL.values(), ids=SEVERAL.keys())
def test_most_selective_of_several_values_is_read(
    ledger: LedgerCli, many: list[Sample], values: dict[str, str], leading: str, index: str | None
) -> None:
    """Its index is read within the time range, and the other values filter the entries."""
    with ledger.measured() as cost:
        found = [it for page in ledger.reader.pages(RecordQuery(ALL, values)) for it in page.records]

    wanted = expected(many, ALL, **values)
    assert wanted != []
    assert_same(wanted, found)
    entries = len(expected(many, ALL, **{leading: values[leading]}))
    assert ({index}, entries, entries) == (cost.indexes, cost.entries, cost.scanned)
    assert {"Query", "BatchGetItem"} == set(cost.calls)


def test_alert_id_reads_the_index_by_time_and_one_record(ledger: LedgerCli, many: list[Sample]) -> None:
    """The newest record first, and no month before that of the record."""
    it = [sample for sample in many if not sample.is_decision_only][-20]
    values = {"alert_id": it.record.alert_id, "severity": it.record.severity or ""}

    with ledger.measured() as cost:
        found = [it for page in ledger.reader.pages(RecordQuery(ALL, values), limit=1) for it in page.records]

    assert_same([it], found)
    assert ({"by_time"}, 1) == (cost.indexes, cost.records)


UNINDEXED = {"delivered": "true", "outcome": "NOT_ESCALATED", "account_id": ACCOUNT}


@pytest.mark.parametrize(("name", "value"), UNINDEXED.items(), ids=UNINDEXED)
def test_value_without_an_index_filters_the_records_of_the_time_range(
    ledger: LedgerCli, many: list[Sample], name: str, value: str
) -> None:
    query = RecordQuery(LAST_MONTH, {name: value})
    wanted = expected(many, LAST_MONTH, **{name: value})
    # Not between two records of one millisecond, which are in any order.
    limit = next(n for n in range(50, 60) if wanted[n - 1].decided_at != wanted[n].decided_at)
    found = [it for page in ledger.reader.pages(query, limit=limit) for it in page.records]
    assert_same(wanted[:limit], found)


def test_pointers_filter_before_records_are_read(ledger: LedgerCli, many: list[Sample]) -> None:
    """A record without the second pointer is never read."""
    values = {"link_host": "host3.example", "category": "malware"}

    with ledger.measured() as cost:
        found = [it for page in ledger.reader.pages(RecordQuery(ALL, values), limit=1) for it in page.records]

    wanted = expected(many, ALL, **values)
    assert_same(wanted[:1], found)
    # Each existing pointer, and each record that has both pointers.
    assert 2 * len(wanted) == cost.records


def test_summaries_come_from_the_index_by_time_alone(ledger: LedgerCli, many: list[Sample]) -> None:
    """They are oldest first, and no record is read."""
    with ledger.measured() as cost:
        found = list(ledger.reader.summaries(LAST_MONTH))

    wanted = expected(many, LAST_MONTH)
    assert_same(wanted, found[::-1])
    assert ({"Query"}, {"by_time"}, len(wanted)) == (set(cost.calls), cost.indexes, cost.scanned)
