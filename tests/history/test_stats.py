"""`escalator stats`: counts and speeds."""

import csv
import json
from collections import Counter
from datetime import timedelta

import pytest

from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger
from tests.history.sample_history import NOW, Sample, sample_history

Counted = tuple[LedgerCli, list[Sample]]


@pytest.fixture(scope="module")
def counted(make_ledger: MakeLedger) -> Counted:
    """Records of sixty days, and those of the last 29."""
    samples = sample_history(200)
    return make_ledger(samples), [it for it in samples if it.record.decided_at >= NOW - timedelta(days=29)]


def test_json_has_the_counts_of_all_records(counted: Counted) -> None:
    """Counts by day, disposition, severity and sender, and the time from queued to published."""
    ledger, samples = counted
    since = (NOW - timedelta(days=29)).isoformat()

    figures = json.loads(ledger.run("stats", "--since", since, "--json").stdout)

    records = [it.record for it in samples]
    by_day = Counter((it.decided_at[:10], it.record.disposition) for it in samples)
    assert len(records) == figures["records"]
    assert by_day == {(day, word): count for day, counts in figures["days"].items() for word, count in counts.items()}
    assert Counter(it.disposition for it in records) == figures["dispositions"]
    assert Counter(it.severity for it in records if it.severity) == figures["severities"]
    assert Counter(it.outcome for it in records) == figures["outcomes"]
    senders = Counter(it.detection.sender_info.pld for it in records if it.detection)
    assert sorted(senders.values(), reverse=True)[:10] == list(figures["sender_domains"].values())
    assert all(senders[name] == count for name, count in figures["sender_domains"].items())
    took = sorted(
        (it.published_at - it.record.queued_at).total_seconds()
        for it in samples
        if not it.is_decision_only and not it.pending
    )
    speed = figures["queued_to_published"]
    assert len(took) == speed["alerts"]
    assert took[(len(took) + 1) // 2 - 1] == pytest.approx(speed["median"], abs=0.002)
    assert took[-(len(took) * 5 // 100) - 1] == pytest.approx(speed["p95"], abs=0.002)


def test_csv_and_pipe_have_a_line_for_each_figure(counted: Counted) -> None:
    """Both have the same lines."""
    ledger, _ = counted
    times = ["--since", "2026-01-01", "--until", NOW.isoformat()]

    rows = list(csv.reader(ledger.run("stats", *times, "--csv").stdout.splitlines()))
    lines = [line.split("\t") for line in ledger.run("stats", *times).stdout.splitlines()]

    assert ["figure", "of", "value"] == rows[0]
    assert rows[1:] == lines
    assert ["records", "", "200"] in lines


def test_terminal_shows_tables_and_pending_alerts(counted: Counted) -> None:
    """Pending alerts come with the command that lists them."""
    ledger, _ = counted

    status, screen = ledger.on_a_terminal("stats", "--since", "60d", columns=100)

    assert (0, True) == (status, screen.startswith("200 records from "))
    assert "alerts published: half within " in screen
    assert "escalator history --pending" in screen
    assert all(title in screen for title in ("Day", "Disposition", "Severity", "Top senders"))


def test_empty_ledger_has_zero_records(make_ledger: MakeLedger) -> None:
    """That is not an error."""
    ledger = make_ledger([])
    status, screen = ledger.on_a_terminal("stats", columns=100)
    assert (0, True) == (status, screen.startswith("0 records from "))
