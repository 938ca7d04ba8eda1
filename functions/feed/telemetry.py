"""One log line for a run or a command, and the metrics of a run. They contain counts, never email content."""

from collections.abc import Mapping
from dataclasses import asdict

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.domain.outcome import Outcome
from functions.escalate.app import SERVICE as ESCALATE
from functions.escalate.telemetry import metric_name
from functions.feed.runner import Result, RunReport
from functions.metrics import emit_zero


def report(run: RunReport, stack: str, logger: Logger, metrics: Metrics) -> None:
    """Log a run and emit its metrics. A count is emitted as 0, too: without a 0, its alarm would not clear at once."""
    fields = {name: value for name, value in asdict(run).items() if value}
    log = (
        logger.warning
        if run.result in (Result.UNAVAILABLE, Result.CREDENTIALS_REFUSED, Result.BLOCKED)
        else logger.info
    )
    log("run", extra=fields)
    if run.lag_seconds is not None:
        metrics.add_metric(name="FeedLagSeconds", unit=MetricUnit.Seconds, value=max(0.0, run.lag_seconds))
    counts = {
        "FeedRows": run.rows,
        "FeedQueued": run.queued,
        "FeedFoundLate": run.late,
        "FeedUnresolved": run.unresolved,
        "CredentialsRefused": int(run.result is Result.CREDENTIALS_REFUSED),
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    # RejectedAlarm fires on a change of state only. The 0 clears it, so that it tells of the next dead letter.
    emit_zero(metric_name(Outcome.REJECTED), ESCALATE, stack)


def report_command(answer: Mapping[str, object], logger: Logger) -> None:
    """Log a command. It has no metrics: an operator sees the answer."""
    counts = {name: len(value) for name, value in answer.items() if isinstance(value, list)}
    words = {name: answer[name] for name in ("result", "detail", "error") if answer.get(name)}
    logger.info("command", extra=words | counts)
