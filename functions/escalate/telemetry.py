"""What is told about each outcome: one log line and one count. Ids yes, content no."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.escalate.outcome import Outcome, Reason, Settled

_LEVELS = {
    Outcome.RETRY: "warning",
    Outcome.DEFERRED: "warning",
    Outcome.REJECTED: "error",
}
_UNDONE = frozenset({Outcome.RETRY, Outcome.DEFERRED})
_COUNTED_REASONS = {Reason.CREDENTIALS_REFUSED: "CredentialsRefused", Reason.THROTTLED: "Throttled"}
"""Reasons that have a metric of their own, because an alarm or a graph asks for them."""


def report(cases: Sequence[Settled], now: datetime, logger: Logger, metrics: Metrics) -> None:
    """Log each outcome; count outcomes, contract drift, and how long the oldest message has been waiting."""
    for case in cases:
        getattr(logger, _LEVELS.get(case.outcome, "info"))("outcome", extra=_fields(case))
    counts = Counter(_camel(case.outcome) for case in cases)
    counts.update(_COUNTED_REASONS[case.reason] for case in cases if case.reason in _COUNTED_REASONS)
    counts["ContractDrift"] = sum(bool(case.drift) for case in cases)
    waiting = [now - case.message.first_seen for case in cases if case.outcome in _UNDONE]
    if waiting:
        # The queue's own age metric starts anew with each copy that is sent again, and this one does not.
        metrics.add_metric(name="WaitingSeconds", unit=MetricUnit.Seconds, value=max(waiting).total_seconds())
    for name, count in counts.items():
        if count:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)


def _fields(case: Settled) -> dict[str, object]:
    fields: dict[str, object] = {
        "outcome": case.outcome.value,
        "reason": case.reason.value,
        "detail": case.detail,
        "id": str(case.id) if case.id else None,
        "disposition": case.disposition,
        "alert_id": case.alert_id,
        "sns_message_id": case.sns_message_id,
        "drift": list(case.drift),
        "sqs_message_id": case.message.id,
        "receives": case.message.receives,
    }
    return {name: value for name, value in fields.items() if value}


def _camel(outcome: Outcome) -> str:
    return "".join(word.capitalize() for word in outcome.value.split("_"))
