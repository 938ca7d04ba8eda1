"""Log lines and metrics of outcomes. They contain ids and reasons, never email content."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.domain.outcome import Outcome, Reason
from functions.domain.record import moment
from functions.domain.severity import Severity
from functions.escalate.stages import MessageResult
from functions.metrics import CREDENTIALS_REFUSED, RATE_LIMIT_REMAINING

_LEVELS = {
    Outcome.RETRY: "warning",
    Outcome.DEFERRED: "warning",
    Outcome.REJECTED: "error",
}
WAITING = frozenset({Outcome.RETRY, Outcome.DEFERRED})
"""Outcomes after which the message waits."""
OUTCOME_LINE = "outcome"
"""The `message` of a log line about an outcome. `escalator status` reads these lines."""
_REASON_METRICS = {Reason.CREDENTIALS_REFUSED: CREDENTIALS_REFUSED, Reason.THROTTLED: "Throttled"}
"""Reasons with a metric of their own, for alarms and graphs."""
_DRIFT, _WAITED, _SLOT_WAIT, _TIME_TO_ALERT = (
    "ContractDrift",
    "WaitingSeconds",
    "RateLimitWaitSeconds",
    "TimeToAlertSeconds",
)


def metric_name(outcome: Outcome) -> str:
    """`NOT_FOUND` -> `NotFound`."""
    return "".join(word.capitalize() for word in outcome.value.split("_"))


def severity_metric(severity: Severity) -> str:
    """`Critical` -> `AlertsCritical`."""
    return f"Alerts{severity}"


METRICS = frozenset(
    {
        *map(metric_name, Outcome),
        *map(severity_metric, Severity),
        *_REASON_METRICS.values(),
        _DRIFT,
        _WAITED,
        _SLOT_WAIT,
        _TIME_TO_ALERT,
        RATE_LIMIT_REMAINING,
    }
)
"""The names of all metrics of the function. The dashboard of the template is checked against them."""


@dataclass(frozen=True, slots=True)
class RateLimitUse:
    """What a batch has seen of the rate limit.

    slot_wait: the longest wait for it in seconds; None without a request.
    remaining: the fewest requests that Cloudflare has left to the token; None without an answer.
    """

    slot_wait: float | None = None
    remaining: int | None = None


def report(
    results: Sequence[MessageResult], rate_limit: RateLimitUse, now: datetime, logger: Logger, metrics: Metrics
) -> None:
    """Log each outcome. Count outcomes, alerts, reasons and contract drift, and measure the longest waits."""
    for result in results:
        getattr(logger, _LEVELS.get(result.outcome, "info"))(OUTCOME_LINE, extra=_fields(result))
    counts = Counter(metric_name(result.outcome) for result in results)
    counts.update(_REASON_METRICS[result.reason] for result in results if result.reason in _REASON_METRICS)
    counts.update(severity_metric(result.severity) for result in results if result.severity)
    counts[_DRIFT] = sum(bool(result.drift) for result in results)
    waits = [now - result.message.first_seen for result in results if result.outcome in WAITING]
    if waits:
        # The age metric of the queue restarts with each requeued copy. This metric counts from the first copy.
        metrics.add_metric(name=_WAITED, unit=MetricUnit.Seconds, value=max(waits).total_seconds())
    for alerted in (result for result in results if result.severity):
        seconds = max(0.0, (now - alerted.message.first_seen).total_seconds())
        metrics.add_metric(name=_TIME_TO_ALERT, unit=MetricUnit.Seconds, value=seconds)
    if rate_limit.slot_wait is not None:
        metrics.add_metric(name=_SLOT_WAIT, unit=MetricUnit.Seconds, value=rate_limit.slot_wait)
    if rate_limit.remaining is not None:
        metrics.add_metric(name=RATE_LIMIT_REMAINING, unit=MetricUnit.Count, value=rate_limit.remaining)
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
        "waiting_since": moment(result.message.first_seen) if result.outcome in WAITING else None,
    }
    return {name: value for name, value in fields.items() if value}
