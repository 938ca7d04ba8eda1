"""Log lines and metrics of outcomes. They contain ids and reasons, never email content."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.domain.outcome import Outcome, Reason
from functions.escalate.stages import MessageResult

_LEVELS = {
    Outcome.RETRY: "warning",
    Outcome.DEFERRED: "warning",
    Outcome.REJECTED: "error",
}
_WAITING = frozenset({Outcome.RETRY, Outcome.DEFERRED})
_REASON_METRICS = {Reason.CREDENTIALS_REFUSED: "CredentialsRefused", Reason.THROTTLED: "Throttled"}
"""Reasons with a metric of their own, for alarms and graphs."""


def report(
    results: Sequence[MessageResult], slot_wait: float | None, now: datetime, logger: Logger, metrics: Metrics
) -> None:
    """Log each outcome. Count outcomes, reasons and contract drift, and measure the longest waits.

    slot_wait: the longest wait for the rate limit in seconds; None without a request.
    """
    for result in results:
        getattr(logger, _LEVELS.get(result.outcome, "info"))("outcome", extra=_fields(result))
    counts = Counter(metric_name(result.outcome) for result in results)
    counts.update(_REASON_METRICS[result.reason] for result in results if result.reason in _REASON_METRICS)
    counts["ContractDrift"] = sum(bool(result.drift) for result in results)
    waits = [now - result.message.first_seen for result in results if result.outcome in _WAITING]
    if waits:
        # The age metric of the queue restarts with each requeued copy. This metric counts from the first copy.
        metrics.add_metric(name="WaitingSeconds", unit=MetricUnit.Seconds, value=max(waits).total_seconds())
    if slot_wait is not None:
        metrics.add_metric(name="RateLimitWaitSeconds", unit=MetricUnit.Seconds, value=slot_wait)
    for name, count in counts.items():
        if count:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)


def _fields(result: MessageResult) -> dict[str, object]:
    fields: dict[str, object] = {
        "outcome": result.outcome.value,
        "reason": result.reason.value,
        "detail": result.detail,
        "id": str(result.id) if result.id else None,
        "disposition": result.disposition,
        "alert_id": result.alert_id,
        "sns_message_id": result.sns_message_id,
        "drift": list(result.drift),
        "sqs_message_id": result.message.id,
        "receive_count": result.message.receive_count,
    }
    return {name: value for name, value in fields.items() if value}


def metric_name(outcome: Outcome) -> str:
    """`NOT_FOUND` -> `NotFound`."""
    return "".join(word.capitalize() for word in outcome.value.split("_"))
