"""`escalator stats`: how many, and how fast."""

import csv
import json
from collections import Counter
from datetime import timedelta

import pytest

from tests.history.asked import AskedLedger
from tests.history.conftest import MakeLedger
from tests.history.past import NOW, Sample, past

Counted = tuple[AskedLedger, list[Sample]]


@pytest.fixture(scope="module")
def counted(make_ledger: MakeLedger) -> Counted:
    """Records of sixty days, and those of them of the last thirty."""
    samples = past(200)
    return make_ledger(samples), [it for it in samples if it.record.decided_at >= NOW - timedelta(days=29)]


def test_json(counted: Counted) -> None:
    """By day, disposition, severity and sender, and from queued to published: what counting all of them gives."""
    ledger, samples = counted
    since = (NOW - timedelta(days=29)).isoformat()

    told = json.loads(ledger.run("stats", "--since", since, "--json").stdout)

    records = [it.record for it in samples]
    by_day = Counter((it.decided_at[:10], it.record.disposition) for it in samples)
    assert len(records) == told["records"]
    assert by_day == {(day, word): count for day, counts in told["days"].items() for word, count in counts.items()}
    assert Counter(it.disposition for it in records) == told["dispositions"]
    assert Counter(it.severity for it in records if it.severity) == told["severities"]
    assert Counter(it.outcome for it in records) == told["outcomes"]
    senders = Counter(value for it in samples for value in it.values["sender_domain"])
    assert sorted(senders.values(), reverse=True)[:10] == list(told["sender_domains"].values())
    assert all(senders[name] == count for name, count in told["sender_domains"].items())
    took = sorted(
        (it.published_at - it.record.queued_at).total_seconds() for it in samples if not it.observed and not it.pending
    )
    speed = told["queued_to_published"]
    assert len(took) == speed["alerts"]
    assert took[(len(took) + 1) // 2 - 1] == pytest.approx(speed["median"], abs=0.002)
    assert took[-(len(took) * 5 // 100) - 1] == pytest.approx(speed["p95"], abs=0.002)


def test_csv_and_pipe(counted: Counted) -> None:
    """A line for each figure, the same in both."""
    ledger, _ = counted
    span = ["--since", "2026-01-01", "--until", NOW.isoformat()]

    rows = list(csv.reader(ledger.run("stats", *span, "--csv").stdout.splitlines()))
    lines = [line.split("\t") for line in ledger.run("stats", *span).stdout.splitlines()]

    assert ["figure", "of", "value"] == rows[0]
    assert rows[1:] == lines
    assert ["records", "", "200"] in lines


def test_terminal(counted: Counted) -> None:
    """The same for a person, with what has to be looked after."""
    ledger, _ = counted

    status, screen = ledger.on_a_terminal("stats", "--since", "60d", columns=100)

    assert (0, True) == (status, screen.startswith("200 records from "))
    assert "alerts published: half within " in screen
    assert "escalator history --pending" in screen
    assert all(title in screen for title in ("Day", "Disposition", "Severity", "Top senders"))


def test_nothing(make_ledger: MakeLedger) -> None:
    """Nothing was decided, and that is what it says."""
    ledger = make_ledger([])
    status, screen = ledger.on_a_terminal("stats", columns=100)
    assert (0, True) == (status, screen.startswith("0 records from "))
