"""The page and its counts, without a browser: one pass, one file, and no markup of a sender."""

import hashlib
import io
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from ops.escalator.records.stored_record import AnyRecord, read_stored_record
from ops.escalator.report.charts import series_of
from ops.escalator.report.counts import MAX_DISPOSITIONS, OTHERS, Counts
from ops.escalator.report.escape import escaped, script_json
from ops.escalator.report.page import write_report
from ops.escalator.report.period import Period
from tests.report.records import HOSTILE, PERIOD, items, read_all, unreadable_item
from tests.strategies import any_text, json_values
from tests.unit.items import record_item


def page_of(of: list[dict[str, Any]], **limits: int) -> str:
    """The page about some items."""
    out = io.StringIO()
    assert len(of) == write_report(read_all(of), PERIOD, out, **limits)
    return out.getvalue()


def data_in(page: str) -> list[dict[str, Any]]:
    """The data block as a browser reads it: it ends at the first end tag."""
    block = page.partition('<script type="application/json" id="records">')[2].partition("</script>")[0]
    data: list[dict[str, Any]] = json.loads(block)
    return data


def test_file_is_ascii_and_keeps_the_order() -> None:
    """No encoding can misread ASCII."""
    of = list(items(100, hostile=False))
    assert [it["id"] for it in of] == [it["id"] for it in data_in(page_of(of))]
    assert page_of(list(items(len(HOSTILE)))).isascii()


def test_policy_allows_only_the_script_and_style_of_the_page() -> None:
    """Both are named by their hash, and everything else is forbidden."""
    page = page_of(list(items(len(HOSTILE))))
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    [script] = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    digests = {
        name: b64encode(hashlib.sha256(it.encode()).digest()).decode()
        for name, it in (("style", style), ("script", script))
    }
    assert [
        "default-src 'none'",
        f"script-src 'sha256-{digests['script']}'",
        f"style-src 'sha256-{digests['style']}'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ] == policy.split("; ")


def test_hostile_text_adds_no_markup() -> None:
    """The page has the same tags in the same numbers, with and without hostile text.

    One record more than hostile texts has the time of its scan, for the chart of these times.
    """
    hostile, harmless = (
        re.findall(r"<[!/a-zA-Z][^\s>]*", page_of(list(items(len(HOSTILE) + 1, hostile=it)))) for it in (True, False)
    )
    drawn = ("rect", "g", "title", "tr", "th", "td", "li", "button", "span", "svg", "p")
    kept = [[tag for tag in tags if tag.strip("</") not in drawn] for tags in (hostile, harmless)]
    assert kept[0] == kept[1]


def test_each_record_is_written_before_the_next_is_read() -> None:
    """Memory does not grow with the number of records."""
    out, seen = io.StringIO(), list[int]()

    def watched() -> Iterator[AnyRecord]:
        for record in read_all(items(50, hostile=False)):
            yield record
            seen.append(out.getvalue().count('"outcome"'))

    assert 50 == write_report(watched(), PERIOD, out)
    assert list(range(1, 51)) == seen


LIMITS = {
    "of records": ({"max_records": 30}, 30),
    "of none": ({"max_records": 0}, 0),
    "of bytes": ({"max_bytes": 10_000}, None),
}


@pytest.mark.parametrize(("limits", "expected"), LIMITS.values(), ids=LIMITS)
def test_list_stops_at_its_limit(limits: dict[str, int], expected: int | None) -> None:
    """All records are counted, and the page says how many are listed."""
    page = page_of(of := list(items(100, hostile=False)), **limits)
    listed = data_in(page)
    assert expected is None or expected == len(listed)
    assert [it["id"] for it in of[: len(listed)]] == [it["id"] for it in listed]
    assert sum(len(script_json(it)) for it in listed) <= limits.get("max_bytes", 10**9)
    assert f"100 records: {sum(it['outcome'] == 'ESCALATED' for it in of)} ESCALATED" in page
    assert f"Statistics and charts include all of them, the list has the first {len(listed)}." in page


@given(json_values())
def test_json_in_a_script_is_unchanged_and_inert(value: Any) -> None:
    """It has no character that an HTML parser interprets."""
    try:
        block = script_json(value)
    except ValueError:  # NaN or infinity, which no view contains
        return
    assert value == json.loads(block)
    assert block.isascii()
    assert set() == set("<>&") & set(block)


@given(any_text)
def test_escaped_text_cannot_end_an_element(text: str) -> None:
    """Nor can it end an attribute."""
    assert set() == set("<>\"'") & set(escaped(text.encode("utf-8", "ignore").decode()))


# --- counts ----------------------------------------------------------------------------------------------------------


def count(*changes: dict[str, Any], days: int = 7) -> Counts:
    """The counts of some records over a week. changes: attributes in place of those of a malicious email."""
    counts = Counts(Period(PERIOD.until - timedelta(days=days), PERIOD.until, PERIOD.until, "0.1.0"))
    for it in changes:
        counts.add(read_stored_record(record_item(**it)))
    return counts


def test_charts_count_escalations_only() -> None:
    """A closed, rejected or unreadable record is counted as a record."""
    counts = count(
        {"details": {"delivery_status": ["delivered"]}},
        {"outcome": "CLOSED"},
        {"outcome": "REJECTED"},
        {"outcome": "?"},
    )
    assert (4, 1, 1, 1) == (counts.records, counts.escalations, counts.in_inbox, counts.unreadable)
    assert {date(2026, 11, 20): {"MALICIOUS": 1}} == {day: bar for day, bar in counts.bars.items() if bar}


def test_record_outside_the_period_has_no_bar() -> None:
    """It is counted as an escalation."""
    counts = count({"decided_at": "2020-01-01T00:00:00.000Z"})
    assert (1, 8, 0) == (counts.escalations, len(counts.bars), sum(it.total() for it in counts.bars.values()))


def test_invented_dispositions_share_one_name_beyond_the_limit() -> None:
    """They take the memory of fifty words, and each is counted."""
    counts = count(*({"disposition": f"MALICIOUS-{n}"} for n in range(1_000)))
    assert (MAX_DISPOSITIONS + 1, 1_000) == (len(counts.dispositions), counts.escalations)
    assert 1_000 - MAX_DISPOSITIONS == counts.dispositions[OTHERS]
    assert 1_000 == sum(it.count(counts.dispositions) for it in series_of(counts.dispositions))


def test_category_named_twice_counts_once() -> None:
    """Counts are emails."""
    counts = count(
        {"detection": {"threat_categories": [{"name": "Lure"}, {"name": "Lure"}, {"description": "unnamed"}]}}
    )
    assert {"Lure": 1} == counts.categories


PERIODS = {
    "no time at all": (timedelta(0), 1, 1),
    "30 days": (timedelta(days=30), 31, 1),
    "a quarter": (timedelta(days=91), 92, 1),
    "more than a quarter": (timedelta(days=92), 14, 7),
    "400 days": (timedelta(days=400), 58, 7),
}


@pytest.mark.parametrize(("length", "bars", "step"), PERIODS.values(), ids=PERIODS)
def test_period_has_daily_or_weekly_bars(length: timedelta, bars: int, step: int) -> None:
    """Beyond a quarter, a bar is a week."""
    until = datetime(2026, 11, 24, 6, tzinfo=UTC)
    period = Period(until - length, until, until, "0.1.0")
    assert (bars, step) == (len(period.bars()), period.step.days)
    assert {period.bar(until.date()), period.bar(period.since.date())} <= set(period.bars())


def test_page_says_how_many_records_are_unreadable() -> None:
    """Each of them is a line of the list."""
    page = page_of([*items(3, hostile=False), unreadable_item("<b>")])
    assert "4 records: " in page
    assert "1 that this release cannot read." in page
    assert ["(unreadable)"] == [it["outcome"] for it in data_in(page)[3:]]
