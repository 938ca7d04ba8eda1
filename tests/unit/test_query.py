"""The index that answers a query."""

from datetime import UTC, datetime

import pytest

from functions.domain.search_values import SearchKind
from functions.ledger.keys import Index
from ops.escalator.records.query import MOST_SELECTIVE_FIRST, InvalidValue, RecordQuery, Source, asked_value
from ops.escalator.records.time_range import TimeRange

TIME_RANGE = TimeRange(datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
LEADING = {
    "no value": ({}, Index.BY_TIME),
    "one value": ({"severity": "High"}, Index.BY_SEVERITY),
    "hash before all others": (
        {"severity": "High", "attachment_hash": "a", "sender_ip": "b"},
        SearchKind.ATTACHMENT_HASH,
    ),
    "sender before category": ({"category": "a", "sender_domain": "b", "disposition": "C"}, SearchKind.SENDER_DOMAIN),
    "pending before severity": ({"severity": "High", "pending": "yes"}, Index.PENDING),
}


@pytest.mark.parametrize(("values", "leading"), LEADING.values(), ids=LEADING.keys())
def test_most_selective_value_leads(values: dict[str, str], leading: SearchKind | Index) -> None:
    """Its index is the one that is queried."""
    assert leading is RecordQuery(TIME_RANGE, values).leading


def test_every_index_has_a_place_in_the_order() -> None:
    """No index of the ledger is unused."""
    assert {*Index, *SearchKind} == {*MOST_SELECTIVE_FIRST, Index.BY_TIME}


def test_time_range_alone_queries_each_month() -> None:
    """The months come in the order of the result."""
    months = [Source(Index.BY_TIME, "month", it) for it in ("2026-10", "2026-11", "2026-12")]
    query = RecordQuery(TIME_RANGE)
    assert (months, months[::-1]) == ([*query.sources(newest_first=False)], [*query.sources(newest_first=True)])


def test_pointer_leads_and_other_values_filter() -> None:
    """Other pointers are checked before a record is read, attributes afterwards."""
    query = RecordQuery(TIME_RANGE, {"link_host": "a.example", "category": "malware", "severity": "High"})

    assert [Source(None, "pk", "link_host=a.example")] == [*query.sources(newest_first=True)]
    assert ((SearchKind.CATEGORY, "malware"),) == query.other_pointers
    assert [True, False] == [query.matches({"severity": it}) for it in ("High", "Low")]


RECORDED = {
    "disposition in lower case": ("disposition", " malicious ", "MALICIOUS"),
    "defanged domain": ("sender_domain", "Evil[.]example", "evil.example"),
    "defanged address": ("recipient", "A[@]x[.]example", "a@x.example"),
    "hash in capitals": ("attachment_hash", "AB" * 16, "ab" * 16),
    "URL of a host": ("link_host", "hxxps://Evil[.]example:8443/x", "evil.example"),
    "Message-ID in brackets": ("message_id", "<CAF+1@mail.Example>", "caf+1@mail.example"),
    "category with spaces": ("category", " Credential  Harvester ", "credential harvester"),
    "new word of a known family": ("disposition", "malicious-vishing", "MALICIOUS-VISHING"),
}


@pytest.mark.parametrize(("name", "text", "value"), RECORDED.values(), ids=RECORDED)
def test_option_value_is_looked_up_as_recorded(name: str, text: str, value: str) -> None:
    """An operator can paste a value as an alert shows it."""
    assert value == asked_value(name, text)


REFUSED = {
    "blank": ("category", " ", "is empty"),
    "URL without a host": ("link_host", "mailto:", "has no host"),
    "misspelled disposition": ("disposition", "suspicous", "did you mean SUSPICIOUS"),
    "two addresses": ("recipient", "a@x.example, b@x.example", "has more than one address"),
}


@pytest.mark.parametrize(("name", "text", "problem"), REFUSED.values(), ids=REFUSED)
def test_value_that_no_record_can_have_is_refused(name: str, text: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem):
        asked_value(name, text)
