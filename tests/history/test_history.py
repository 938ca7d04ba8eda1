"""`escalator history`: pages without gaps, and records exactly as recorded."""

import json
import random
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.domain.detection import read_detection
from functions.domain.message_details import read_message_details
from functions.ledger.item import attributes
from functions.ledger.keys import decision_key
from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger, SharedTimes
from tests.history.in_memory_table import claimed, publish
from tests.history.sample_history import NOW, sample
from tests.strategies import answers, any_scalar, any_text, documented_details, wild_answers, wild_details
from tests.unit.examples import record

MORE = re.compile(r"Continue with --cursor (\S+)")
QUERIES = {
    "time range": ["--since", "60d"],
    "index": ["--since", "60d", "--sender-ip", "203[.]0[.]113[.]5"],
    "pointer": ["--since", "60d", "--link-host", "BAD[.]example"],
    "pointer and index": ["--since", "60d", "--link-host", "bad.example", "--sender-ip", "203.0.113.5"],
}


@pytest.mark.parametrize("limit", [7, 20, 60, 100])
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_pages_by_cursor_join_without_gap_or_repeat(shared_times: SharedTimes, query: list[str], limit: int) -> None:
    """Many records are in the same millisecond."""
    ledger, samples = shared_times
    joined: list[dict[str, Any]] = []
    cursor: list[str] = []
    for _ in range(len(samples)):
        done = ledger.run("history", *query, "--limit", str(limit), *cursor, "--json")
        page = json.loads(done.stdout)
        joined += page
        assert len(page) <= limit
        if not (more := MORE.search(done.stderr)):
            break
        cursor = ["--cursor", more[1]]

    assert sorted((it.decided_at for it in samples), reverse=True) == [it["decided_at"] for it in joined]
    assert sorted(it.sk for it in samples) == sorted(it["sk"] for it in joined)


def test_cursor_of_another_query_is_refused(shared_times: SharedTimes) -> None:
    """It would give neither result."""
    ledger, _ = shared_times
    cursor = MORE.search(ledger.run("history", *QUERIES["index"], "--limit", "5").stderr)
    assert cursor is not None

    done = ledger.run("history", *QUERIES["pointer"], "--cursor", cursor[1])

    assert (2, "") == (done.exit_code, done.stdout)
    assert "--cursor belongs to another query: repeat the options that it came with" in done.stderr


def test_record_claimed_again_is_shown_once(make_ledger: MakeLedger) -> None:
    """The pointers of its first decision still exist. Only its second decision time counts."""
    ledger = make_ledger([])
    first = sample(random.Random(1), NOW - timedelta(hours=2), {"links": [{"href": "https://bad.example/"}]})
    again = replace(first, record=replace(first.record, decided_at=NOW - timedelta(hours=1)))
    assert not first.is_decision_only
    for it, publishes in ((first, False), (again, True)):  # the first deployment has no topic
        alert = claimed(ledger.ledger, it.record, it.claimed_at, publishes=publishes)
        publish(ledger.ledger, alert, it.sns_message_id if publishes else None, it.published_at)

    found = ledger.history("--link-host", "bad.example")

    assert [(again.sk, again.decided_at)] == [(it["sk"], it["decided_at"]) for it in found]


def test_pending_finds_alerts_of_any_age(make_ledger: MakeLedger) -> None:
    """--since limits the age."""
    chance = random.Random(1)
    old, new = (replace(sample(chance, NOW - timedelta(days=days)), pending=True) for days in (200, 3))
    sent = replace(sample(chance, NOW - timedelta(days=1)), pending=False)
    ledger = make_ledger([old, new, sent])

    assert [new.sk, old.sk] == [it["sk"] for it in ledger.history("--pending")]
    assert [new.sk] == [it["sk"] for it in ledger.history("--pending", "--since", "30d")]


def test_no_record_is_not_an_error(make_ledger: MakeLedger) -> None:
    """Stderr says so, and stdout is valid JSON."""
    done = make_ledger([]).run("history", "--json")
    assert (0, "[]\n", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert done.stderr.startswith("No records found in the table ledger-")


# --- records as recorded -------------------------------------------------------------------------------------------------


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answer=answers | wild_answers(any_scalar, st.just("MALICIOUS")),
    details=st.none() | documented_details | wild_details(any_text),
    detail=any_text,
)
def test_json_is_the_record_as_recorded(
    empty: LedgerCli, answer: dict[str, Any], details: dict[str, Any] | None, detail: str
) -> None:
    """Every attribute comes back, with any detection and details."""
    recorded = replace(
        record(outcome="NOT_ESCALATED", decided_at=NOW, detection=read_detection(answer)),
        details=None if details is None else read_message_details(details),
        detail=detail.encode("utf-8", "replace").decode(),
    )
    assert [True] == empty.ledger.record([recorded])

    printed = empty.run("history", "--json").stdout

    known = decision_key(recorded) | attributes(recorded, empty.ledger.table.retention) | {"state": "RECORDED"}
    assert [exactly(json.dumps(known))] == exactly(printed)


def exactly(text: str) -> Any:
    """Parse JSON with exact numbers: 1e+16 equals 10000000000000000."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)
