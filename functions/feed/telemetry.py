"""One log line for a run or a command, and the metrics of a run. They contain counts, never email content."""

from collections.abc import Mapping
from dataclasses import asdict

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.feed.runner import Result, RunReport


def report(run: RunReport, logger: Logger, metrics: Metrics) -> None:
    """Log a run and emit its metrics: the lag in each run, counts where there is something to count."""
    fields = {name: value for name, value in asdict(run).items() if value}
    log = (
        logger.warning
        if run.result in (Result.UNAVAILABLE, Result.CREDENTIALS_REFUSED, Result.BLOCKED)
        else logger.info
    )
    log("run", extra=fields)
    if run.lag_seconds is not None:
        metrics.add_metric(name="FeedLagSeconds", unit=MetricUnit.Seconds, value=max(0.0, run.lag_seconds))
    metrics.add_metric(name="FeedRows", unit=MetricUnit.Count, value=run.rows)
    counts = {
        "FeedQueued": run.queued,
        "FeedFoundLate": run.late,
        "FeedUnresolved": run.unresolved,
        "CredentialsRefused": int(run.result is Result.CREDENTIALS_REFUSED),
    }
    for name, value in counts.items():
        if value:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def report_command(answer: Mapping[str, object], logger: Logger) -> None:
    """Log a command. It has no metrics: an operator sees the answer."""
    counts = {name: len(value) for name, value in answer.items() if isinstance(value, list)}
    words = {name: answer[name] for name in ("result", "detail", "error") if answer.get(name)}
    logger.info("command", extra=words | counts)
