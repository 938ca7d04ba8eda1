"""What a run of chaos left behind, against what was sent: the ledger, the subscriber's queue, the dead-letter queue."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from ops.local.inbox import ReceivedAlert, receive
from ops.local.mailbox import Mailbox
from ops.local.proof import read_dead_letters, read_records
from ops.local.stack import Stack
from tests.faults.schedule import Schedule


@dataclass(frozen=True)
class Report:
    """The figures. Every list of wrong things is empty where the promises were kept."""

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
        """Whether nothing is wrong."""
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


def bad_messages(mailbox: Mailbox) -> int:
    """How many messages that are no requests go along with a mailbox."""
    return len(mailbox.mails) // 100


def judge(stack: Stack, mailbox: Mailbox, schedule: Schedule, requests: int, seconds: float) -> Report:
    """Compare what is left with what was sent."""
    alerts, records, rejected = receive(stack), read_records(stack), read_dead_letters(stack)
    expected = {mail.postfix_id: mail.expect for mail in mailbox}
    escalated = {mail for mail, outcome in expected.items() if outcome == "ESCALATED"}
    sent = {it["postfix_id"] for it in records if it["state"] == "SENT"}
    recorded = {it["postfix_id"] for it in records if it["state"] == "RECORDED"}
    alerted = {it.facts["metadata"]["correlation_uid"] for it in alerts}
    good_rejected = [it["Body"] for it in rejected if "postfix_id" in it["Body"]]
    repeats, unexplained = _repeats(alerts, schedule)
    bad = bad_messages(mailbox)
    return Report(
        sent=len(expected) + bad,
        escalated=len(escalated),
        alerts=len(alerts),
        repeats=repeats,
        explained=repeats - len(unexplained),
        faults=schedule.counts,
        requests_to_cloudflare=requests,
        seconds=seconds,
        wrong={
            "escalated, but no record says SENT": sorted(escalated - sent),
            "escalated, but no alert came": sorted(escalated - alerted),
            "alerted, but not to be escalated": sorted(alerted - escalated),
            "without any trace": sorted(expected.keys() - sent - recorded),
            "left PENDING": [it["postfix_id"] for it in records if it["state"] == "PENDING"],
            "good, but on the dead-letter queue": good_rejected,
            "on the dead-letter queue without a reason": [
                it["Body"] for it in rejected if "reason" not in it.get("MessageAttributes", {})
            ],
            "bad, but not on the dead-letter queue": ["one"] * max(0, bad - len(rejected) + len(good_rejected)),
            "repeated without a crash or an unanswered publish": unexplained,
        },
    )


def tell(report: Report) -> str:
    """The figures, for a person."""
    rows: list[tuple[str, Any]] = [
        ("messages sent", report.sent),
        ("of these malicious or suspicious", report.escalated),
        *((f"fault: {name}", count) for name, count in sorted(report.faults.items()) if count),
        ("questions that reached Cloudflare", report.requests_to_cloudflare),
        ("alerts received", report.alerts),
        ("repeats, all under the same alert_id", report.repeats),
        ("  of these after a crash or an unanswered publish", report.explained),
        *((name, len(wrong)) for name, wrong in report.wrong.items()),
    ]
    lines = [f"{name:<52}{value:>8}" for name, value in rows]
    named = [f"{name}: {', '.join(wrong[:5])}" for name, wrong in report.wrong.items() if wrong]
    verdict = "every promise was kept" if report.passed else "PROMISES WERE BROKEN"
    return "\n".join([*lines, *named, f"{verdict}, in {report.seconds:.0f} s"])


def _repeats(alerts: list[ReceivedAlert], schedule: Schedule) -> tuple[int, list[str]]:
    """How many alerts came again, and those of them that no crash or unanswered publish explains."""
    came = Counter(alert.attributes["alert_id"] for alert in alerts)
    mail = {alert.attributes["alert_id"]: alert.facts["metadata"]["correlation_uid"].encode() for alert in alerts}
    unexplained = [
        alert_id
        for alert_id, count in came.items()
        if count > 1 + sum(mail[alert_id] in body for body in schedule.unmarked)
    ]
    return sum(count - 1 for count in came.values()), unexplained
