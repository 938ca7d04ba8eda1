"""`escalator explain`: the history of one email, by any form of its id."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.email_id import EmailId
from functions.domain.feed_facts import FeedFacts
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.ledger.claim_attempt import ClaimOwner
from functions.ledger.ledger import Ledger
from ops.escalator.text.labels import REASONS
from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger
from tests.history.in_memory_table import claimed, publish
from tests.history.sample_history import LEASE, NOW, OWNER, sample
from tests.history.test_unreadable_records import put_unreadable
from tests.unit.examples import (
    ACCOUNT,
    ALERT_ID,
    FORMS,
    FULL,
    INVESTIGATE_ID,
    POSTFIX_ID,
    details,
    detection,
    escalated,
    record,
)

QUEUED = datetime(2026, 11, 20, 22, 59, 58, tzinfo=UTC)
DECIDED = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def alert(ledger: Ledger, record: Record, at: datetime = DECIDED, *, mark: bool = True, owner: str = OWNER) -> Record:
    """Claim a record and mark it. Return the record as claimed."""
    alert = claimed(ledger, record, at, owner=owner)
    if mark:
        publish(ledger, alert, f"sns-{alert.revision}", at + timedelta(seconds=0.5), owner=owner)
    return alert


def malicious(**fields: Any) -> Record:
    """An escalation with a full detection and details."""
    ordinary = {
        "detection": detection(**FULL),
        "details": details(delivery_status=["delivered"]),
        "queued_at": QUEUED,
        "fetched_at": DECIDED - timedelta(seconds=0.1),
        "decided_at": DECIDED,
        "drift": ("$.findings[0].new: unknown",),
    }
    return escalated(**ordinary | fields)


@pytest.mark.parametrize(
    ("loop", "by"),
    [
        ("minute", "the minute run"),
        ("hourly", "the hourly sweep"),
        ("daily", "the daily sweep"),
        ("backfill", "a backfill"),
        ("of a later release", "the feed"),
    ],
)
@pytest.mark.parametrize(("missing", "found"), [(False, "seen in"), (True, "missing from")])
def test_email_that_the_feed_queued_says_when_it_was_seen(
    make_ledger: MakeLedger, loop: str, by: str, missing: bool, found: str
) -> None:
    """The record has it: the feed's own entry expires after 30 days."""
    ledger = make_ledger([])
    seen_at = QUEUED - timedelta(seconds=1)
    alert(ledger.ledger, malicious(feed=FeedFacts(loop, seen_at, missing)))
    lines = ledger.run("explain", POSTFIX_ID).stdout
    assert f"2026-11-20T22:59:57.000Z\tfeed\t{found} Cloudflare's search, queued by {by}\n" in lines
    assert lines.index("\tfeed\t") < lines.index("\tqueued\t")


def test_email_of_another_program_says_nothing_of_the_feed(email: LedgerCli) -> None:
    assert "Cloudflare's search" not in email.run("explain", POSTFIX_ID).stdout


@pytest.fixture
def email(make_ledger: MakeLedger) -> LedgerCli:
    """An email with alerts for MALICIOUS, then SUSPICIOUS, then a Close; and another email."""
    cli = make_ledger([sample(random.Random(2), NOW - timedelta(days=1))])
    alert(cli.ledger, malicious())
    later = DECIDED + timedelta(hours=3)
    alert(
        cli.ledger,
        malicious(disposition="SUSPICIOUS", decided_at=later, fetched_at=later, queued_at=later, drift=()),
        later,
    )
    end = DECIDED + timedelta(days=1)
    closed = malicious(
        disposition="SPAM", escalates=False, outcome="CLOSED", decided_at=end, fetched_at=end, queued_at=end, drift=()
    )
    alert(cli.ledger, closed, end)
    return cli


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_the_id_finds_the_email(email: LedgerCli, form: str) -> None:
    """The records are oldest first, followed by the last alert."""
    done = email.run("explain", FORMS[form], "--json")

    result = json.loads(done.stdout)
    assert (0, FORMS[form]) == (done.exit_code, result["id"])
    assert ["MALICIOUS", "SUSPICIOUS", "SPAM"] == [it["disposition"] for it in result["records"]]
    assert [("SPAM", False, "SUSPICIOUS")] == [
        (it["last_disposition"], it["escalated"], it["previous_disposition"]) for it in result["emails"]
    ]


def test_alert_id_finds_the_email(email: LedgerCli) -> None:
    """As the alert prints it, for each alert of the email, of any age."""
    ids = [it["alert_id"] for it in json.loads(email.run("explain", POSTFIX_ID, "--json").stdout)["records"]]

    done = [email.run("explain", spelled, "--json") for it in ids for spelled in (it, f"Alert ID:   {it.upper()}")]

    assert 3 == len({*ids})
    assert [[*ids]] * 6 == [[it["alert_id"] for it in json.loads(run.stdout)["records"]] for run in done]


def test_unknown_alert_id_names_what_was_searched(email: LedgerCli) -> None:
    """It may be an email id, too."""
    done = email.run("explain", "7" * 32)
    assert (1, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert f"no record of {'7' * 32} in {email.table}" in done.stderr
    assert "searched for as postfix id or alert id in all records, from 2026-01-01 00:00 to " in done.stderr


def test_text_that_is_no_id_is_sent_to_find(email: LedgerCli) -> None:
    done = email.run("explain", "evil.example")
    assert (2, True) == (done.exit_code, "To search for anything else, use `escalator find`." in done.stderr)


TIMELINE = f"""\
	record	MALICIOUS Critical SENT {INVESTIGATE_ID}
	subject	Your invoice
	from	Payroll <pay@evil.example>
	to	gareth@larkfield.example
	sent by	evil.example, 192.0.2.1, EXAMPLE-NET, AS64500, US/-/-
	checks	SPF fail, DKIM none, DMARC fail
2026-11-20T22:59:58.000Z	queued	by SQS message 70a95218-f226-45e6-b742-9761b03b8bdc
2026-11-20T22:59:59.900Z	fetched	Cloudflare's disposition: MALICIOUS; its action: QUARANTINED
2026-11-20T22:59:59.900Z	fetched	found 1 link, 1 attachment, 1 finding, 1 threat category, 3 headers
2026-11-20T22:59:59.900Z	fetched	threat: Phish
	drift	the response differs from Cloudflare's contract, in fields that the decision does not need:
	drift	$.findings[0].new: unknown
2026-11-20T23:00:00.000Z	decided	alerted: the disposition is in EscalateOn (disposition-listed)
2026-11-20T23:00:00.000Z	decided	severity Critical; in an inbox (Cloudflare's status: delivered)
2026-11-20T23:00:00.000Z	decided	EscalateOn at that time: MALICIOUS
2026-11-20T23:00:00.000Z	decided	by release RELEASE, with contract SCHEMA
2026-11-20T23:00:00.000Z	claimed	by invocation {OWNER}, to publish alert ALERT
2026-11-20T23:00:00.500Z	published	alert ALERT
2026-11-20T23:00:00.500Z	published	as SNS message sns-0 to the findings topic
2026-11-20T23:00:00.500Z	published	2.5 s after it was queued
2026-11-20T23:00:00.500Z	published	1050 d 12 h after Cloudflare scanned it
	email	{POSTFIX_ID} of {ACCOUNT}
2026-11-20T23:00:00.000Z	last alert	MALICIOUS, severity Critical (alert ALERT)
2026-11-20T22:59:59.900Z	delivery	{INVESTIGATE_ID}: MALICIOUS; in an inbox
"""


def test_timeline_of_an_alert_has_every_step(make_ledger: MakeLedger) -> None:
    """Request, detection, decision, rule and alert, each with its time."""
    cli = make_ledger([])
    claimed = alert(cli.ledger, malicious())
    [recorded] = cli.history("--since", "2026-11-01")

    done = cli.run("explain", ALERT_ID)

    expected = TIMELINE.replace("ALERT", claimed.alert_id)
    for name, value in (("SCHEMA", "schema_version"), ("RELEASE", "release")):
        expected = expected.replace(name, recorded[value])
    assert (0, expected) == (done.exit_code, done.stdout)


def test_changed_disposition_names_the_previous_alert(email: LedgerCli) -> None:
    """Each later record has the disposition of the alert before it."""
    done = email.run("explain", POSTFIX_ID)

    before = [line for line in done.stdout.splitlines() if "previous alert: " in line]
    assert ["MALICIOUS", "SUSPICIOUS"] == [line.split("previous alert: ")[1].split()[0] for line in before]
    assert "closed: the disposition no longer raises alerts" in done.stdout


def test_terminal_has_headings_and_days(email: LedgerCli) -> None:
    """Each record has a heading, each day a line, and the last line is the last alert."""
    status, screen = email.on_a_terminal("explain", POSTFIX_ID, columns=100)

    assert (0, f"Email {POSTFIX_ID}") == (status, screen.splitlines()[0])
    assert [f"{it} of 3" for it in (1, 2, 3)] == [line[:6] for line in screen.splitlines() if " of 3  " in line]
    assert [" 2026-11-20", " 2026-11-21", " 2026-11-21", " 2026-11-21"] == [
        line.rstrip() for line in screen.splitlines() if line.startswith(" 2026")
    ]
    end = " ".join(screen.partition("Now")[2].split())
    assert "last alert SPAM, severity Informational, after SUSPICIOUS, not escalated (alert " in end
    assert f"delivery {INVESTIGATE_ID}: SPAM, not escalated; in an inbox" in end


PENDING = {
    "lease is running": (timedelta(0), "in progress: the lease expires in 1 min"),
    "lease has expired": (timedelta(hours=1), "and the alert is not confirmed: it may have been sent, or not"),
}


@pytest.mark.parametrize(("ago", "said"), PENDING.values(), ids=PENDING.keys())
def test_pending_alert_says_what_to_expect(make_ledger: MakeLedger, ago: timedelta, said: str) -> None:
    """A worker is still on it, or it has stopped."""
    cli = make_ledger([])
    alert(cli.ledger, malicious(), datetime.now(UTC) - ago, mark=False)

    assert said in cli.run("explain", POSTFIX_ID).stdout


def test_second_claim_names_its_owner(make_ledger: MakeLedger) -> None:
    """It also says that there was a first claim."""
    cli = make_ledger([])
    alert(cli.ledger, malicious(), mark=False, owner="first")
    alert(cli.ledger, malicious(), DECIDED + timedelta(minutes=5), owner="second")

    output = cli.run("explain", POSTFIX_ID).stdout

    assert "by invocation second" in output
    assert "claim number 2: the previous owner did not finish" in output


NO_ALERT = "no alert was needed"
UNDECIDED = "no alert: no decision was possible. Check this email yourself."
DECISIONS = {
    "email not found": (
        "NOT_FOUND",
        Reason.NO_DETECTION,
        "not found: no further attempt: Cloudflare had no detection for this id",
        NO_ALERT,
    ),
    "request rejected": (
        "REJECTED",
        Reason.INVALID_ANSWER,
        "rejected: the request is on the dead-letter queue",
        UNDECIDED,
    ),
    "not escalated": (
        "NOT_ESCALATED",
        Reason.DISPOSITION_NOT_GIVEN,
        "not escalated: Cloudflare gave no disposition",
        NO_ALERT,
    ),
}


@pytest.mark.parametrize(("outcome", "reason", "said", "end"), DECISIONS.values(), ids=DECISIONS.keys())
def test_decision_without_an_alert_has_its_reason(
    make_ledger: MakeLedger, outcome: str, reason: str, said: str, end: str
) -> None:
    """A rejected request asks the operator to check the email."""
    cli = make_ledger([])
    cli.ledger.record([record(outcome=outcome, reason=reason, disposition=None, detail="what a human should know")])

    output = cli.run("explain", POSTFIX_ID).stdout

    assert said in output
    assert "\tdecided\twhat a human should know\n" in output
    assert f"\trecorded\t{end}\n" in output


def test_alert_without_a_topic_says_so(make_ledger: MakeLedger) -> None:
    """The record is complete, but no alert was sent."""
    cli = make_ledger([])
    publish(cli.ledger, claimed(cli.ledger, malicious(), DECIDED, publishes=False), None, DECIDED)

    assert "complete without an alert: the deployment has no alert topic" in cli.run("explain", POSTFIX_ID).stdout


def test_email_under_two_ids_has_one_alert_and_each_decision(make_ledger: MakeLedger) -> None:
    """Each record names the id of its request."""
    cli = make_ledger([])
    alert(cli.ledger, malicious(id=EmailId(POSTFIX_ID)))
    decided = malicious(outcome="NOT_ESCALATED", disposition="SPAM", escalates=False, severity=None)
    assert [True] == cli.ledger.record([decided])

    result = json.loads(cli.run("explain", POSTFIX_ID, "--json").stdout)

    assert {INVESTIGATE_ID, POSTFIX_ID} == {it["id"] for it in result["records"]}
    assert 1 == len(result["emails"])


def test_each_delivery_has_its_disposition(make_ledger: MakeLedger) -> None:
    """The last alert is about the most severe one."""
    cli = make_ledger([])
    other = f"{ALERT_ID}-2"
    alert(cli.ledger, malicious())
    [state] = cli.ledger.states([malicious()])
    held = malicious(
        id=EmailId(other), disposition="SUSPICIOUS", details=details(id=other, delivery_status=["quarantined"])
    )
    cli.ledger.claim([(state, [held])], ClaimOwner(OWNER, DECIDED, LEASE, publishes=True))

    lines = cli.run("explain", other).stdout.splitlines()

    assert ["MALICIOUS, severity Critical "] == [
        it.split("\t")[2].partition("(")[0] for it in lines if "last alert" in it
    ]
    assert [f"{INVESTIGATE_ID}: MALICIOUS; in an inbox", f"{other}: SUSPICIOUS; quarantined"] == [
        it.split("\t")[2] for it in lines if "\tdelivery\t" in it
    ]


def test_short_id_of_another_day_is_another_email(make_ledger: MakeLedger) -> None:
    """Postfix uses a short id again. Without its date, it names both."""
    cli = make_ledger([])
    days = ["4B0C8D1E2F-2026-11-19T10:00:00-1", "4B0C8D1E2F-2026-11-20T10:00:00-2"]
    for full in days:
        alert(cli.ledger, malicious(id=EmailId(full), details=details(id=full)))

    forms = (*days, "4B0C8D1E2F", "4B0C8D1E2F-2026-11-19T10:00:00Z", "4B0C8D1E2F@2026-11-20")
    found = {it: json.loads(cli.run("explain", it, "--json").stdout)["records"] for it in forms}
    by_alert = {
        days[n]: json.loads(cli.run("explain", found[days[n]][0]["alert_id"], "--json").stdout)["records"]
        for n in (0, 1)
    }

    expected = [[days[0]], [days[1]], days, [days[0]], [days[1]]]
    assert expected == [sorted(it["id"] for it in records) for records in found.values()]
    assert [[days[0]], [days[1]]] == [[it["id"] for it in records] for records in by_alert.values()]


def test_email_without_records_says_what_to_check(email: LedgerCli) -> None:
    """It is one line on stderr."""
    done = email.run("explain", "4gZJ8d1HhYz7V2L")

    assert (1, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert done.stderr.startswith(f"escalator: no record of 4gZJ8d1HhYz7V2L in {email.table}: check the id and")


def test_every_recorded_reason_has_a_label() -> None:
    """The other reasons never reach the table."""
    never_recorded = {
        "alert-sent-before",
        "cloudflare-unavailable",
        "claimed-by-another",
        "superseded",
        "duplicate-in-batch",
        "ledger-unavailable",
        "publish-failed",
        "queue-unavailable",
        "throttled",
        "credentials-refused",
        "out-of-time",
        "notice",
    }
    assert {*Reason} - never_recorded == REASONS.keys()


def test_unreadable_record_is_one_line_beside_the_others(email: LedgerCli) -> None:
    """A record of a later release does not hide the records of this one."""
    put_unreadable(email.dynamodb, email.table, pk=POSTFIX_ID)

    done = email.run("explain", POSTFIX_ID)
    printed = json.loads(email.run("explain", POSTFIX_ID, "--json").stdout)

    assert "\tunreadable\tattribute outcome has a value that this release does not know: 'POSTPONED'\n" in done.stdout
    assert 4 == done.stdout.count("\trecord\t")
    assert done.stderr.startswith("1 record cannot be read by release ")
    assert ["POSTPONED"] == [it["outcome"] for it in printed["records"] if it["outcome"] not in {*Outcome}]
