"""`escalator explain`: a mail's whole story, in whichever form its id is given."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.cloudflare.message_id import MessageId
from functions.escalate.outcome import Reason
from functions.ledger.ledger import Claimant, Ledger
from functions.ledger.record import Record
from ops.escalator.words import REASONS
from tests.history.asked import AskedLedger
from tests.history.conftest import MakeLedger
from tests.history.past import LEASE, NOW, OWNER, sample
from tests.unit.examples import ALERT_ID, FORMS, FULL, INVESTIGATE_ID, POSTFIX_ID, context, detection, escalated, record

QUEUED = datetime(2026, 11, 20, 22, 59, 58, tzinfo=UTC)
DECIDED = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def tell(ledger: Ledger, told: Record, at: datetime = DECIDED, *, mark: bool = True, owner: str = OWNER) -> Record:
    """Claim a record, and mark it; the record as it was claimed."""
    [claim] = ledger.claim([told], Claimant(owner, at, LEASE, told=True))
    if mark:
        assert [True] == ledger.mark([(claim.record, f"sns-{claim.record.turn}")], owner, at + timedelta(seconds=0.5))
    return claim.record


def malicious(**fields: Any) -> Record:
    """An ordinary escalation."""
    ordinary = {
        "detection": detection(**FULL),
        "context": context(delivery_status=["delivered"]),
        "queued_at": QUEUED,
        "fetched_at": DECIDED - timedelta(seconds=0.1),
        "decided_at": DECIDED,
        "drift": ("$.findings[0].new: unknown",),
    }
    return escalated(**ordinary | fields)


@pytest.fixture
def mail(make_ledger: MakeLedger) -> AskedLedger:
    """A mail that was told about as malicious, then as suspicious, and then closed; and another."""
    asked = make_ledger([sample(random.Random(2), NOW - timedelta(days=1))])
    tell(asked.ledger, malicious())
    later = DECIDED + timedelta(hours=3)
    tell(
        asked.ledger,
        malicious(disposition="SUSPICIOUS", decided_at=later, fetched_at=later, queued_at=later, drift=()),
        later,
    )
    end = DECIDED + timedelta(days=1)
    closed = malicious(
        disposition="SPAM", escalates=False, outcome="CLOSED", decided_at=end, fetched_at=end, queued_at=end, drift=()
    )
    tell(asked.ledger, closed, end)
    return asked


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_the_id(mail: AskedLedger, form: str) -> None:
    """The same story, first to last, and what was last told."""
    done = mail.run("explain", FORMS[form], "--json")

    told = json.loads(done.stdout)
    assert (0, FORMS[form]) == (done.exit_code, told["id"])
    assert ["MALICIOUS", "SUSPICIOUS", "SPAM"] == [it["disposition"] for it in told["records"]]
    assert [("SPAM", False, "SUSPICIOUS")] == [
        (it["disposition"], it["escalated"], it["previous_disposition"]) for it in told["standing"]
    ]


STORY = f"""\
	record	MALICIOUS Critical SENT {INVESTIGATE_ID}
	subject	Your invoice
	from	pay@evil.example, Payroll
	to	gareth@larkfield.example
	sent by	evil.example, 192.0.2.1, EXAMPLE-NET, AS64500, US/-/-
	checks	SPF fail, DKIM none, DMARC fail
2026-11-20T22:59:58.000Z	queued	by SQS message 70a95218-f226-45e6-b742-9761b03b8bdc
2026-11-20T22:59:59.900Z	fetched	Cloudflare says MALICIOUS; its action was QUARANTINED
2026-11-20T22:59:59.900Z	fetched	found 1 link, 1 attachment, 1 finding, 1 threat category, 3 headers
2026-11-20T22:59:59.900Z	fetched	threat: Phish
	drift	the answer did not match Cloudflare's contract, which stopped nothing:
	drift	$.findings[0].new: unknown
2026-11-20T23:00:00.000Z	decided	to alert: this disposition is one of those to alert on (disposition-listed)
2026-11-20T23:00:00.000Z	decided	severity Critical; in an inbox (delivered)
2026-11-20T23:00:00.000Z	decided	by the rule: alert on MALICIOUS
2026-11-20T23:00:00.000Z	decided	as read by schema SCHEMA and release RELEASE
2026-11-20T23:00:00.000Z	claimed	by invocation {OWNER}, to publish alert ALERT
2026-11-20T23:00:00.500Z	published	alert ALERT
2026-11-20T23:00:00.500Z	published	as SNS message sns-0
2026-11-20T23:00:00.500Z	published	2.5 s after it was queued
"""


def test_story_of_an_alert(make_ledger: MakeLedger) -> None:
    """What was asked, found and decided, by which rule, and who was told, each at its time."""
    asked = make_ledger([])
    told = tell(asked.ledger, malicious())
    [recorded] = asked.history("--since", "2026-11-01")

    done = asked.run("explain", ALERT_ID)

    expected = STORY.replace("ALERT", told.alert_id)
    for name, value in (("SCHEMA", "schema_version"), ("RELEASE", "release")):
        expected = expected.replace(name, recorded[value])
    assert (0, expected) == (done.exit_code, done.stdout)


def test_change_of_mind(mail: AskedLedger) -> None:
    """Each record says what had been told before."""
    done = mail.run("explain", POSTFIX_ID)

    before = [line for line in done.stdout.splitlines() if "until then" in line]
    assert ["MALICIOUS", "SUSPICIOUS"] == [line.split(" told about as ")[1].split()[0] for line in before]
    assert "to tell those who were alerted that it has changed" in done.stdout


def test_story_on_a_terminal(mail: AskedLedger) -> None:
    """Each record has a heading, each day a line, and the end says how things stand."""
    status, screen = mail.on_a_terminal("explain", POSTFIX_ID, columns=100)

    assert (0, f"Mail {POSTFIX_ID}") == (status, screen.splitlines()[0])
    assert [f"{it} of 3" for it in (1, 2, 3)] == [line[:6] for line in screen.splitlines() if " of 3  " in line]
    assert [" 2026-11-20", " 2026-11-21", " 2026-11-21"] == [
        line.rstrip() for line in screen.splitlines() if line.startswith(" 2026")
    ]
    assert f"{INVESTIGATE_ID} was last told about as SPAM, after SUSPICIOUS" in screen


PENDING = {
    "in-work": (timedelta(0), "in work: the claim holds for another 1 min"),
    "died": (timedelta(hours=1), "and nobody said that the alert is out: it may have been sent, or not"),
}


@pytest.mark.parametrize(("ago", "said"), PENDING.values(), ids=PENDING.keys())
def test_pending(make_ledger: MakeLedger, ago: timedelta, said: str) -> None:
    """Whether somebody is at work on it, or died, and what to do then."""
    asked = make_ledger([])
    tell(asked.ledger, malicious(), datetime.now(UTC) - ago, mark=False)

    assert said in asked.run("explain", POSTFIX_ID).stdout


def test_claimed_twice(make_ledger: MakeLedger) -> None:
    """The second worker is named, and that there was a first."""
    asked = make_ledger([])
    tell(asked.ledger, malicious(), mark=False, owner="first")
    tell(asked.ledger, malicious(), DECIDED + timedelta(minutes=5), owner="second")

    story = asked.run("explain", POSTFIX_ID).stdout

    assert "by invocation second" in story
    assert "for the 2. time: who had claimed it before did not finish" in story


NOBODY = "nobody was to be alerted"
UNDECIDED = "nobody was alerted, for nobody could say whether to: look at the mail yourself"
OBSERVED = {
    "not-found": (
        "NOT_FOUND",
        Reason.NO_DETECTION,
        "to give up looking: Cloudflare had no detection for this id",
        NOBODY,
    ),
    "rejected": (
        "REJECTED",
        Reason.INVALID_ANSWER,
        "to reject the request: it went to the dead-letter queue",
        UNDECIDED,
    ),
    "below": ("NOT_ESCALATED", Reason.DISPOSITION_NOT_GIVEN, "not to alert: Cloudflare gave no disposition", NOBODY),
}


@pytest.mark.parametrize(("outcome", "reason", "said", "end"), OBSERVED.values(), ids=OBSERVED.keys())
def test_decision_not_to_alert(make_ledger: MakeLedger, outcome: str, reason: str, said: str, end: str) -> None:
    """It says so, and why; and where nobody could decide, that somebody has to."""
    asked = make_ledger([])
    asked.ledger.record([record(outcome=outcome, reason=reason, disposition=None, detail="what a human should know")])

    story = asked.run("explain", POSTFIX_ID).stdout

    assert said in story
    assert "\tdecided\twhat a human should know\n" in story
    assert f"\trecorded\t{end}\n" in story


def test_alert_without_a_topic(make_ledger: MakeLedger) -> None:
    """Nobody was told, and it says why."""
    asked = make_ledger([])
    [claim] = asked.ledger.claim([malicious()], Claimant(OWNER, DECIDED, LEASE, told=False))
    asked.ledger.mark([(claim.record, None)], OWNER, DECIDED)

    assert "complete without an alert: there was no topic to tell" in asked.run("explain", POSTFIX_ID).stdout


def test_mail_under_two_forms(make_ledger: MakeLedger) -> None:
    """Both are told, whichever is asked about, and each says which it is."""
    asked = make_ledger([])
    for form in (INVESTIGATE_ID, POSTFIX_ID):
        tell(asked.ledger, malicious(id=MessageId(form)))

    told = json.loads(asked.run("explain", POSTFIX_ID, "--json").stdout)

    assert {INVESTIGATE_ID, POSTFIX_ID} == {it["id"] for it in told["records"]}
    assert 2 == len(told["standing"])


def test_mail_that_nobody_knows(mail: AskedLedger) -> None:
    """One line that says what to check."""
    done = mail.run("explain", "4gZJ8d1HhYz7V2L")

    assert (1, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert done.stderr.startswith(
        f"escalator: nothing is recorded about 4gZJ8d1HhYz7V2L in {mail.table}: check the id and"
    )


def test_every_reason_that_is_recorded() -> None:
    """It has its words."""
    never_recorded = {
        "alert-sent-before",
        "cloudflare-unavailable",
        "claimed-by-another",
        "overtaken-by-a-later-answer",
        "twice-in-one-batch",
        "ledger-unavailable",
        "publish-failed",
        "queue-unavailable",
        "throttled",
        "credentials-refused",
        "out-of-time",
    }
    assert {*Reason} - never_recorded == REASONS.keys()


def test_record_of_a_later_release(make_ledger: MakeLedger) -> None:
    """What it says in words we do not have is told as it stands there."""
    asked = make_ledger([])
    asked.ledger.record([replace(record(outcome="POSTPONED", reason="moon-phase"), disposition=None)])

    assert "POSTPONED: moon-phase\n" in asked.run("explain", POSTFIX_ID).stdout
