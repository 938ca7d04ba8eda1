"""page.py and what it counts, without a browser: one pass, one file, and nothing in it that is not meant."""

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
from hypothesis import strategies as st

from ops.escalator.report.markup import escaped, script_json
from ops.escalator.report.page import write_report
from ops.escalator.report.period import Period
from ops.escalator.report.series import series_of
from ops.escalator.report.tally import MOST_DISPOSITIONS, OTHERS, Tally, percentile
from tests.report.records import HOSTILE, PERIOD, records
from tests.strategies import any_text, json_values


def page_of(of: list[dict[str, Any]], **limits: int) -> str:
    """The page about some records."""
    out = io.StringIO()
    assert len(of) == write_report(of, PERIOD, out, **limits)
    return out.getvalue()


def data_in(page: str) -> list[dict[str, Any]]:
    """What a browser would find in the page's block of data, which ends where the first end tag is."""
    block = page.partition('<script type="application/json" id="records">')[2].partition("</script>")[0]
    data: list[dict[str, Any]] = json.loads(block)
    return data


def test_the_file() -> None:
    """It is ASCII, so that no encoding can misread it, and its data come back from it in their order."""
    of = list(records(100, hostile=False))
    assert [it["id"] for it in of] == [it["id"] for it in data_in(page_of(of))]
    assert page_of(list(records(len(HOSTILE)))).isascii()


def test_the_policy() -> None:
    """It names the one script and the one style that stand in the page, and nothing else is allowed."""
    page = page_of(list(records(len(HOSTILE))))
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


def test_markup_of_an_attacker() -> None:
    """The page has the same tags, in the same numbers, whether a mail is hostile or not."""
    hostile, harmless = (
        re.findall(r"<[!/a-zA-Z][^\s>]*", page_of(list(records(len(HOSTILE), hostile=it)))) for it in (True, False)
    )
    drawn = ("rect", "g", "title", "tr", "th", "td", "li", "button", "span", "svg", "p")
    kept = [[tag for tag in tags if tag.strip("</") not in drawn] for tags in (hostile, harmless)]
    assert kept[0] == kept[1]


def test_one_pass() -> None:
    """A record is in the file before the one after the next is asked for."""
    out, seen = io.StringIO(), list[int]()

    def watched() -> Iterator[dict[str, Any]]:
        for n, record in enumerate(records(50, hostile=False)):
            yield record | {"subject": f"number-{n}"}
            seen.append(out.getvalue().count('"outcome"'))

    assert 50 == write_report(watched(), PERIOD, out)
    assert list(range(1, 51)) == seen


LIMITS = {
    "of records": ({"most": 30}, 30),
    "of none": ({"most": 0}, 0),
    "of bytes": ({"room": 10_000}, None),
}


@pytest.mark.parametrize(("limits", "expected"), LIMITS.values(), ids=LIMITS)
def test_a_limit(limits: dict[str, int], expected: int | None) -> None:
    """The list stops there, without a gap; what is counted does not; and the page says which is which."""
    page = page_of(of := list(records(100, hostile=False)), **limits)
    listed = data_in(page)
    assert expected is None or expected == len(listed)
    assert [it["id"] for it in of[: len(listed)]] == [it["id"] for it in listed]
    assert sum(len(script_json(it)) for it in listed) <= limits.get("room", 10**9)
    assert f"100 records: {sum(it['outcome'] == 'ESCALATED' for it in of)} ESCALATED" in page
    assert f"Figures and charts are of all of them, the list has the first {len(listed)}." in page


@given(json_values())
def test_json_in_a_script(value: Any) -> None:
    """It is what it was, and has no character that could mean something to an HTML parser."""
    try:
        block = script_json(value)
    except ValueError:  # not a number, or infinite: no value of an entry is
        return
    assert value == json.loads(block)
    assert block.isascii()
    assert set() == set("<>&") & set(block)


@given(any_text)
def test_text_in_html(text: str) -> None:
    """It has no character that could end an element or an attribute."""
    assert set() == set("<>\"'") & set(escaped(text.encode("utf-8", "ignore").decode()))


# --- what is counted --------------------------------------------------------------------------------------------------


def tally_of(*entries: dict[str, Any], days: int = 7) -> Tally:
    """The tally of some entries, over so many days."""
    tally = Tally(Period(PERIOD.until - timedelta(days=days), PERIOD.until, PERIOD.until, "0.1.0"))
    for it in entries:
        tally.add(it)
    return tally


MALICIOUS = {"outcome": "ESCALATED", "disposition": "MALICIOUS", "decided": "2026-11-20T10:00:00.000+00:00"}


def test_an_escalation_and_others() -> None:
    """Charts are about escalations; an update that closes one, or a refusal, is counted as a record only."""
    tally = tally_of(MALICIOUS | {"delivered": "delivered"}, {"outcome": "CLOSED"}, {"outcome": "REJECTED"}, {})
    assert (4, 1, 1) == (tally.records, tally.escalations, tally.delivered)
    assert {date(2026, 11, 20): {"MALICIOUS": 1}} == {day: counts for day, counts in tally.bars.items() if counts}


def test_a_record_of_another_time() -> None:
    """It is an escalation, without a day in the chart."""
    tally = tally_of(MALICIOUS | {"decided": "2020-01-01T00:00:00+00:00"})
    assert (1, 8, 0) == (tally.escalations, len(tally.bars), sum(it.total() for it in tally.bars.values()))


def test_dispositions_that_somebody_makes_up() -> None:
    """They take no more memory than fifty words, and none is lost."""
    tally = tally_of(*(MALICIOUS | {"disposition": f"MALICIOUS-{n}"} for n in range(1_000)))
    assert (MOST_DISPOSITIONS + 1, 1_000) == (len(tally.dispositions), tally.escalations)
    assert 1_000 - MOST_DISPOSITIONS == tally.dispositions[OTHERS]
    assert 1_000 == sum(it.count(tally.dispositions) for it in series_of(tally.dispositions))


def test_a_category_that_is_named_twice() -> None:
    """It counts once for its mail."""
    tally = tally_of(MALICIOUS | {"categories": [{"name": "Lure"}, {"name": "Lure"}, {"description": "unnamed"}]})
    assert {"Lure": 1} == tally.categories


PERIODS = {
    "a moment": (timedelta(0), 1, 1),
    "30 days": (timedelta(days=30), 31, 1),
    "a quarter": (timedelta(days=91), 92, 1),
    "beyond it": (timedelta(days=92), 14, 7),
    "400 days": (timedelta(days=400), 58, 7),
}


@pytest.mark.parametrize(("length", "bars", "step"), PERIODS.values(), ids=PERIODS)
def test_a_period(length: timedelta, bars: int, step: int) -> None:
    """It has a bar for each day that it touches, or from its second quarter on for each week."""
    until = datetime(2026, 11, 24, 6, tzinfo=UTC)
    period = Period(until - length, until, until, "0.1.0")
    assert (bars, step) == (len(period.bars()), period.step.days)
    assert {period.bar(until.date()), period.bar(period.since.date())} <= set(period.bars())


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.integers(1, 100))
def test_a_percentile(values: list[float], percent: int) -> None:
    """It is one of the values; at least so many percent do not pass it, and fewer do not pass the one before."""
    ordered = sorted(values)
    found = percentile(ordered, percent)
    assert 100 * sum(it <= found for it in ordered) >= percent * len(ordered)
    assert 100 * sum(it < found for it in ordered) < percent * len(ordered)
