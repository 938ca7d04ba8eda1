"""How the messages of a group end: after its claim, and if a step fails."""

from dataclasses import replace

from functions.domain.email_state import most_severe
from functions.domain.notification import notifies
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.domain.severity import Severity
from functions.escalate.stages import Claimed, Decision, EmailGroup, MessageResult, Published
from functions.ledger.claim_attempt import Claim, ClaimStatus


def claimed(group: EmailGroup, claim: Claim) -> Claimed:
    """The group after its claim."""
    match claim.status:
        case ClaimStatus.HELD:
            return retried(
                group, Reason.CLAIMED_BY_ANOTHER, "another worker holds this alert", claim.lease_seconds_left
            )
        case ClaimStatus.UNKNOWN:
            return retried(group, Reason.LEDGER_UNAVAILABLE, "the claim met a conflict or a throttle")
    alert = claim.alert if claim.status is ClaimStatus.CLAIMED else None
    results = tuple(
        _superseded(decision) if i in claim.superseded else _result(decision, alert, group)
        for i, decision in enumerate(group.decisions)
    )
    return Claimed(group, alert, results, claim.unindexed, claim.receipts)


def without_ledger(group: EmailGroup, least: Severity) -> Claimed:
    """The group where there is no table: each escalation is an alert. least: NotifySeverity."""
    escalated = [record for record in group.records if record.escalates]
    alert = most_severe(escalated) if escalated else None
    alert = replace(alert, notified=notifies(alert, least)) if alert else None
    return Claimed(group, alert, tuple(_result(decision, alert, group) for decision in group.decisions))


def _result(decision: Decision, alert: Record | None, group: EmailGroup) -> MessageResult:
    """How a message ends: it brought the alert, or the alert is that of another message, or none is due."""
    if alert and decision.record.sqs_message_id == alert.sqs_message_id:
        return replace(
            decision.result,
            outcome=alert.outcome,
            reason=alert.reason,
            disposition=alert.disposition,
            alert_id=alert.alert_id,
            severity=alert.severity,
            record=None,
        )
    if not decision.record.escalates:
        return decision.result
    last = group.state.alert
    return replace(
        decision.result,
        outcome=Outcome.ALREADY_ESCALATED,
        reason=Reason.DUPLICATE_IN_BATCH if alert else Reason.ALERT_SENT_BEFORE,
        alert_id=alert.alert_id if alert else last.alert_id if last else None,
        record=None,
    )


def _superseded(decision: Decision) -> MessageResult:
    detail = "a later answer about this delivery was used already; the message asks again"
    return retry(decision, Reason.SUPERSEDED, detail)


def retried(
    group: EmailGroup, reason: Reason, detail: str, delay: float | None = None, sns_message_id: str | None = None
) -> Claimed:
    """The group with every message to be retried, and nothing to publish."""
    results = tuple(
        replace(retry(decision, reason, detail), delay=delay, sns_message_id=sns_message_id)
        for decision in group.decisions
    )
    return Claimed(group, None, results)


def retry(decision: Decision, reason: Reason, detail: str) -> MessageResult:
    """A message that is delivered again."""
    return replace(decision.result, outcome=Outcome.RETRY, reason=reason, detail=detail, record=None)


def with_detail(item: Published, detail: str) -> Published:
    """The item whose messages say one thing more."""
    results = tuple(replace(it, detail=f"{it.detail}; {detail}") for it in item.claimed.results)
    return replace(item, claimed=replace(item.claimed, results=results))


def with_sns_id(item: Published) -> Claimed:
    """The claimed group; its message that brought the alert names what SNS answered."""
    alert = item.claimed.alert
    if alert is None or item.sns_message_id is None:
        return item.claimed
    results = tuple(
        replace(result, sns_message_id=item.sns_message_id) if result.message.id == alert.sqs_message_id else result
        for result in item.claimed.results
    )
    return replace(item.claimed, results=results)
