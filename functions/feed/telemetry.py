"""One log line for a run or a command, and the metrics of a run. They contain counts, never email content."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.domain.outcome import Outcome
from functions.escalate.app import SERVICE as ESCALATE
from functions.escalate.telemetry import metric_name
from functions.feed.runner import Result, RunReport
from functions.metrics import CREDENTIALS_REFUSED, RATE_LIMIT_REMAINING, emit_zero

_LAG = "FeedLagSeconds"
_COUNTS: Mapping[str, Callable[[RunReport], int]] = {
    "FeedRows": lambda run: run.rows,
    "FeedQueued": lambda run: run.queued,
    "FeedFoundLate": lambda run: run.late,
    "FeedUnresolved": lambda run: run.unresolved,
    CREDENTIALS_REFUSED: lambda run: int(run.result is Result.CREDENTIALS_REFUSED),
}
METRICS = frozenset({*_COUNTS, _LAG, RATE_LIMIT_REMAINING})
"""The names of all metrics of the feed. The dashboard of the template is checked against them."""


def report(run: RunReport, remaining: int | None, stack: str, logger: Logger, metrics: Metrics) -> None:
    """Log a run and emit its metrics. A count is emitted as 0, too: without a 0, its alarm would not clear at once.

    remaining: the fewest requests that Cloudflare has left to the token; None without an answer.
    """
    fields = {name: value for name, value in asdict(run).items() if value}
    log = (
        logger.warning
        if run.result in (Result.UNAVAILABLE, Result.CREDENTIALS_REFUSED, Result.BLOCKED)
        else logger.info
    )
    log("run", extra=fields)
    if run.lag_seconds is not None:
        metrics.add_metric(name=_LAG, unit=MetricUnit.Seconds, value=max(0.0, run.lag_seconds))
    if remaining is not None:
        metrics.add_metric(name=RATE_LIMIT_REMAINING, unit=MetricUnit.Count, value=remaining)
    for name, count in _COUNTS.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count(run))
    # RejectedAlarm fires on a change of state only. The 0 clears it, so that it tells of the next dead letter.
    emit_zero(metric_name(Outcome.REJECTED), ESCALATE, stack)


def report_command(answer: Mapping[str, object], logger: Logger) -> None:
    """Log a command. It has no metrics: an operator sees the answer."""
    counts = {name: len(value) for name, value in answer.items() if isinstance(value, list)}
    words = {name: answer[name] for name in ("result", "detail", "error") if answer.get(name)}
    logger.info("command", extra=words | counts)
