"""The composition root of the feed: build every client once, and the handler from them."""

from collections.abc import Callable
from datetime import UTC, datetime

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.cloudflare.client import Cloudflare
from functions.cloudflare.credentials import Credentials, Secret
from functions.escalate.app import AWS, EMULATOR, secret_reader
from functions.escalate.decision import Policy
from functions.feed.budget import Budget
from functions.feed.commands import Commands
from functions.feed.queue import RequestQueue
from functions.feed.runner import Runner
from functions.feed.selection import Selection
from functions.feed.settings import Settings
from functions.feed.store import TableStore
from functions.feed.telemetry import report, report_command
from functions.ledger.queue_entry import RETENTION
from functions.ledger.table import Table
from functions.metrics import build_metrics

SERVICE = "feed"

Handler = Callable[[dict[str, object], LambdaContext], dict[str, object]]


def build(settings: Settings) -> Handler:
    """Build the handler and its clients."""
    logger, metrics = Logger(service=SERVICE), build_metrics(SERVICE, settings.stack)
    budget = Budget(settings.requests, _now)
    session, config = boto3.Session(), AWS.merge(EMULATOR) if settings.is_emulated else AWS
    cloudflare = _cloudflare(
        settings, secret_reader(session.client("secretsmanager", config=config), settings.secret_id), budget
    )
    table = Table(session.client("dynamodb", config=config), settings.ledger_table, RETENTION)
    runner = Runner(
        searcher=cloudflare,
        store=TableStore(table, settings.account_id, settings.since),
        queue=RequestQueue(session.client("sqs", config=config), settings.request_queue_url),
        selection=Selection(settings.escalate_on, settings.retro_scan),
        budget=budget,
        now=_now,
    )

    commands = Commands(cloudflare, runner.store, runner.queue, runner.selection, budget=runner.budget, now=runner.now)

    @metrics.log_metrics
    def run_once(_: dict[str, object], context: LambdaContext) -> dict[str, object]:
        run = runner.run(context.aws_request_id)
        report(run, budget.take_remaining(), settings.stack, logger, metrics)
        return {"result": run.result.value, "queued": run.queued}

    def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
        cloudflare.drop_idle_connections()
        if "action" not in event:  # the schedule names none
            done: dict[str, object] = run_once(event, context)
            return done
        answer = commands.answer(event, context.aws_request_id)
        report_command(answer, logger)
        return answer

    with_context: Handler = logger.inject_lambda_context(handler)
    return with_context


def _cloudflare(settings: Settings, read_secret: Callable[[], Secret], budget: Budget) -> Cloudflare:
    policy = Policy(settings.account_id, settings.escalate_on, record_all=False)
    return Cloudflare(
        settings.base_url,
        settings.account_id,
        Credentials(read_secret),
        budget,
        severity_rank=policy.severity_rank,
        connections=1,
    )


def _now() -> datetime:
    return datetime.now(UTC)
