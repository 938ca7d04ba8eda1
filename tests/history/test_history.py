"""`escalator history`: pages that join, and what comes back is what was recorded."""

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

from functions.cloudflare.context import read_context
from functions.cloudflare.detection import read_detection
from functions.ledger.item import attributes
from functions.ledger.ledger import Claimant
from tests.history.asked import AskedLedger
from tests.history.conftest import Crowd, MakeLedger
from tests.history.past import LEASE, NOW, OWNER, sample
from tests.strategies import answers, any_scalar, any_text, contexts, wild_answers, wild_contexts
from tests.unit.examples import record

MORE = re.compile(r"go on with --cursor (\S+)")
ASKED = {
    "time": ["--since", "60d"],
    "index": ["--since", "60d", "--sender-ip", "203[.]0[.]113[.]5"],
    "pointer": ["--since", "60d", "--link-host", "BAD[.]example"],
    "both": ["--since", "60d", "--link-host", "bad.example", "--sender-ip", "203.0.113.5"],
}


@pytest.mark.parametrize("limit", [7, 20, 60, 100])
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_pages_by_cursor(crowd: Crowd, asked: list[str], limit: int) -> None:
    """Joined they are the whole, without gap or repeat, also where many are of the same millisecond."""
    ledger, samples = crowd
    joined: list[dict[str, Any]] = []
    cursor: list[str] = []
    for _ in range(len(samples)):
        done = ledger.run("history", *asked, "--limit", str(limit), *cursor, "--json")
        page = json.loads(done.stdout)
        joined += page
        assert len(page) <= limit
        if not (more := MORE.search(done.stderr)):
            break
        cursor = ["--cursor", more[1]]

    assert sorted((it.decided_at for it in samples), reverse=True) == [it["decided_at"] for it in joined]
    assert sorted(it.entry for it in samples) == sorted(it["entry"] for it in joined)


def test_cursor_of_another_question(crowd: Crowd) -> None:
    """Refused: it would give neither answer."""
    ledger, _ = crowd
    cursor = MORE.search(ledger.run("history", *ASKED["index"], "--limit", "5").stderr)
    assert cursor is not None

    done = ledger.run("history", *ASKED["pointer"], "--cursor", cursor[1])

    assert (2, "") == (done.exit_code, done.stdout)
    assert "the cursor belongs to another question: repeat the options that it came with" in done.stderr


def test_record_taken_up_again(make_ledger: MakeLedger) -> None:
    """The pointers of its first time are still there; it is shown once, at the time of the second."""
    ledger = make_ledger([])
    first = sample(random.Random(1), NOW - timedelta(hours=2), {"links": [{"href": "https://bad.example/"}]})
    again = replace(first, record=replace(first.record, decided_at=NOW - timedelta(hours=1)))
    assert not first.observed
    for it, told in ((first, False), (again, True)):  # first without a topic
        [claim] = ledger.ledger.claim([it.record], Claimant(OWNER, it.claimed_at, LEASE, told=told))
        ledger.ledger.mark([(claim.record, it.sns_message_id if told else None)], OWNER, it.published_at)

    found = ledger.history("--link-host", "bad.example")

    assert [(again.entry, again.decided_at)] == [(it["entry"], it["decided_at"]) for it in found]


def test_pending(make_ledger: MakeLedger) -> None:
    """However old it is, unless one says since when."""
    chance = random.Random(1)
    old, new = (replace(sample(chance, NOW - timedelta(days=days)), pending=True) for days in (200, 3))
    sent = replace(sample(chance, NOW - timedelta(days=1)), pending=False)
    ledger = make_ledger([old, new, sent])

    assert [new.entry, old.entry] == [it["entry"] for it in ledger.history("--pending")]
    assert [new.entry] == [it["entry"] for it in ledger.history("--pending", "--since", "30d")]


def test_nothing(make_ledger: MakeLedger) -> None:
    """That is no failure; stderr says it, and JSON is still JSON."""
    done = make_ledger([]).run("history", "--json")
    assert (0, "[]\n", "no record was found\n") == (done.exit_code, done.stdout, done.stderr)


# --- what comes back is what was recorded -----------------------------------------------------------------------------


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answer=answers | wild_answers(any_scalar, st.just("MALICIOUS")),
    context=st.none() | contexts | wild_contexts(any_text),
    detail=any_text,
)
def test_json_is_what_was_recorded(
    empty: AskedLedger, answer: dict[str, Any], context: dict[str, Any] | None, detail: str
) -> None:
    """Each attribute, numbers as numbers, whatever the detection and the context."""
    recorded = replace(
        record(outcome="NOT_ESCALATED", decided_at=NOW, detection=read_detection(answer)),
        context=None if context is None else read_context(context),
        detail=detail.encode("utf-8", "replace").decode(),
    )
    assert [True] == empty.ledger.record([recorded])

    given_back = empty.run("history", "--json").stdout

    known = recorded.observation_key | attributes(recorded, empty.ledger.retention) | {"state": "RECORDED"}
    assert [exactly(json.dumps(known))] == exactly(given_back)


def exactly(text: str) -> Any:
    """JSON with its numbers as they stand there, for 1e+16 is the same as 10000000000000000."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)
