"""Compare a chaos run's ledger, alerts and dead-letter queue with the sent messages."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from ops.local.fake_cloudflare.mailbox import Mailbox
from ops.local.stack import Stack
from ops.local.subscriber import ReceivedAlert, receive
from ops.local.verify import read_dead_letters, read_records
from tests.faults.schedule import Schedule


@dataclass(frozen=True)
class Report:
    """The counts of a run. All lists in `wrong` are empty if the run passed."""

    sent: int
    escalated: int
    alerts: int
    repeats: int
    explained: int
    faults: Counter[str]
    requests_to_cloudflare: int
    seconds: float
    wrong: dict[str, list[str]]

    @property
    def passed(self) -> bool:
        """Whether all lists of `wrong` are empty."""
        return not any(self.wrong.values())

    def __add__(self, other: Self) -> "Report":
        return Report(
            sent=self.sent + other.sent,
            escalated=self.escalated + other.escalated,
            alerts=self.alerts + other.alerts,
            repeats=self.repeats + other.repeats,
            explained=self.explained + other.explained,
            faults=self.faults + other.faults,
            requests_to_cloudflare=self.requests_to_cloudflare + other.requests_to_cloudflare,
            seconds=self.seconds + other.seconds,
            wrong={name: [*wrong, *other.wrong[name]] for name, wrong in self.wrong.items()},
        )


def invalid_messages(mailbox: Mailbox) -> int:
    """Count the invalid messages to send with a mailbox: one for each hundred emails."""
    return len(mailbox.mails) // 100


def compare(stack: Stack, mailbox: Mailbox, schedule: Schedule, requests: int, seconds: float) -> Report:
    """Compare the stack's records, alerts and dead letters with the sent messages."""
    alerts, records, rejected = receive(stack), read_records(stack), read_dead_letters(stack)
    expected = {mail.postfix_id: mail.expect for mail in mailbox}
    escalated = {mail for mail, outcome in expected.items() if outcome == "ESCALATED"}
    sent = {record["postfix_id"] for record in records if record["state"] == "SENT"}
    recorded = {record["postfix_id"] for record in records if record["state"] == "RECORDED"}
    alerted = {alert.facts["evidences"][0]["uid"] for alert in alerts}
    valid_rejected = [message["Body"] for message in rejected if "postfix_id" in message["Body"]]
    repeats, unexplained = _repeats(alerts, schedule)
    invalid = invalid_messages(mailbox)
    return Report(
        sent=len(expected) + invalid,
        escalated=len(escalated),
        alerts=len(alerts),
        repeats=repeats,
        explained=repeats - len(unexplained),
        faults=schedule.counts,
        requests_to_cloudflare=requests,
        seconds=seconds,
        wrong={
            "to escalate, but without a SENT record": sorted(escalated - sent),
            "to escalate, but without an alert": sorted(escalated - alerted),
            "alerted, but not to escalate": sorted(alerted - escalated),
            "without a record": sorted(expected.keys() - sent - recorded),
            "records still PENDING": [record["postfix_id"] for record in records if record["state"] == "PENDING"],
            "valid messages on the dead-letter queue": valid_rejected,
            "dead letters without a reason": [
                message["Body"] for message in rejected if "reason" not in message.get("MessageAttributes", {})
            ],
            "invalid messages not on the dead-letter queue": ["one"]
            * max(0, invalid - len(rejected) + len(valid_rejected)),
            "repeated without a crash or an unanswered publish": unexplained,
        },
    )


def format_report(report: Report) -> str:
    """Format the counts as a table."""
    rows: list[tuple[str, Any]] = [
        ("messages sent", report.sent),
        ("  malicious or suspicious", report.escalated),
        *((f"fault: {name}", count) for name, count in sorted(report.faults.items()) if count),
        ("requests that reached Cloudflare", report.requests_to_cloudflare),
        ("alerts received", report.alerts),
        ("repeated alerts, with the same alert_id", report.repeats),
        ("  after a crash or an unanswered publish", report.explained),
        *((name, len(wrong)) for name, wrong in report.wrong.items()),
    ]
    lines = [f"{name:<52}{value:>8}" for name, value in rows]
    examples = [f"{name}: {', '.join(wrong[:5])}" for name, wrong in report.wrong.items() if wrong]
    verdict = "passed: no alert lost, no repeat unexplained" if report.passed else "FAILED: see the lists above"
    return "\n".join([*lines, *examples, f"{verdict}, in {report.seconds:.0f} s"])


def _repeats(alerts: list[ReceivedAlert], schedule: Schedule) -> tuple[int, list[str]]:
    """Count the repeated alerts, and list those without a crash or an unanswered publish as the cause."""
    received = Counter(alert.attributes["alert_id"] for alert in alerts)
    email_id = {alert.attributes["alert_id"]: alert.facts["evidences"][0]["uid"].encode() for alert in alerts}
    unexplained = [
        alert_id
        for alert_id, count in received.items()
        if count > 1 + sum(email_id[alert_id] in body for body in schedule.unmarked)
    ]
    return sum(count - 1 for count in received.values()), unexplained
