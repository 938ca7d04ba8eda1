"""The index that answers a query."""

from datetime import UTC, datetime

import pytest

from functions.ledger.keys import Index, PointerKind
from ops.escalator.records.query import MOST_SELECTIVE_FIRST, RecordQuery, Source, recorded_value
from ops.escalator.records.time_range import TimeRange

TIME_RANGE = TimeRange(datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
LEADING = {
    "no value": ({}, Index.BY_TIME),
    "one value": ({"severity": "High"}, Index.BY_SEVERITY),
    "hash before all others": (
        {"severity": "High", "attachment_sha256": "a", "sender_ip": "b"},
        PointerKind.ATTACHMENT_SHA256,
    ),
    "sender before category": ({"category": "a", "sender_domain": "b", "disposition": "C"}, Index.BY_SENDER_DOMAIN),
    "pending before severity": ({"severity": "High", "pending": "yes"}, Index.PENDING),
}


@pytest.mark.parametrize(("values", "leading"), LEADING.values(), ids=LEADING.keys())
def test_most_selective_value_leads(values: dict[str, str], leading: PointerKind | Index) -> None:
    """Its index is the one that is queried."""
    assert leading is RecordQuery(TIME_RANGE, values).leading


def test_every_index_has_a_place_in_the_order() -> None:
    """No index of the ledger is unused."""
    assert {*Index, *PointerKind} == {*MOST_SELECTIVE_FIRST, Index.BY_TIME}


def test_time_range_alone_queries_each_month() -> None:
    """The months come in the order of the result."""
    months = [Source(Index.BY_TIME, "month", it) for it in ("2026-10", "2026-11", "2026-12")]
    query = RecordQuery(TIME_RANGE)
    assert (months, months[::-1]) == ([*query.sources(newest_first=False)], [*query.sources(newest_first=True)])


def test_pointer_leads_and_other_values_filter() -> None:
    """Other pointers are checked before a record is read, attributes afterwards."""
    query = RecordQuery(TIME_RANGE, {"link_host": "a.example", "category": "malware", "severity": "High"})

    assert [Source(None, "pk", "link_host=a.example")] == [*query.sources(newest_first=True)]
    assert ((PointerKind.CATEGORY, "malware"),) == query.other_pointers
    assert [True, False] == [query.matches({"severity": it}) for it in ("High", "Low")]


RECORDED = {
    "disposition in lower case": ("disposition", " malicious ", "MALICIOUS"),
    "defanged domain": ("sender_domain", "Evil[.]example", "evil.example"),
    "defanged address": ("recipient", "A[@]x[.]example", "a@x.example"),
    "hash in capitals": ("attachment_sha256", "AB", "ab"),
    "blank": ("category", " ", ""),
}


@pytest.mark.parametrize(("name", "text", "value"), RECORDED.values(), ids=RECORDED)
def test_option_value_is_looked_up_as_recorded(name: str, text: str, value: str) -> None:
    """An operator can paste a value as an alert shows it."""
    assert value == recorded_value(name, text)
