"""The composition root: every client is built here, once, and the handler is put together from them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from functions.alert.alert import Style
from functions.aws import AWS_FAILURES, cause
from functions.cloudflare.client import Cloudflare
from functions.cloudflare.credentials import Credentials, Secret, SecretUnavailable
from functions.cloudflare.errors import CredentialsRefused
from functions.cloudflare.pace import Pace
from functions.escalate.batch import Escalation, Invocation
from functions.escalate.decision import Policy
from functions.escalate.form import encode
from functions.escalate.lookup import Lookup
from functions.escalate.message import read_messages
from functions.escalate.outbox import Outbox
from functions.escalate.outcome import Outcome, Settled
from functions.escalate.publisher import Topic
from functions.escalate.queue import Queues
from functions.escalate.settings import Settings
from functions.escalate.settlement import Settlement
from functions.escalate.telemetry import report
from functions.ledger.ledger import Ledger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

METRICS_NAMESPACE = "CloudflareEmailAlerts"
SERVICE = "escalate"
BATCH = 10
"""Messages in a batch, and so questions asked at the same time."""

SNS = Config(
    # Not retried here: a slow answer is not a lost one, and a retry would be a second alert (see publisher.py).
    connect_timeout=1,
    read_timeout=9,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=2,
    parameter_validation=False,
)
AWS = Config(
    # A call and its one retry take at most 2 x (1 + 3) = 8 s: see RESERVE_SECONDS in lookup.py for their sum.
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=2,
    # A tenth of what a batch costs, for what the tests have shown: no answer makes a request that is malformed.
    parameter_validation=False,
)

Handler = Callable[[dict[str, object], LambdaContext], dict[str, object]]


def build(settings: Settings) -> Handler:
    """The handler for these settings, with all its clients, and the secret fetched ahead of the first batch."""
    logger, metrics = Logger(service=SERVICE), Metrics(namespace=METRICS_NAMESPACE, service=SERVICE)
    escalation = _escalation(settings, logger)

    def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
        invocation = Invocation(context.aws_request_id, lambda: context.get_remaining_time_in_millis() / 1000)
        cases = escalation.run(read_messages(event), invocation)
        report(cases, _now(), logger, metrics)
        return _response(cases)

    with_metrics: Handler = metrics.log_metrics(handler)
    with_context: Handler = logger.inject_lambda_context(with_metrics)
    return with_context


def _response(cases: Sequence[Settled]) -> dict[str, object]:
    failures = [{"itemIdentifier": case.message.id} for case in cases if case.outcome is Outcome.RETRY]
    return {"batchItemFailures": failures}


def _escalation(settings: Settings, logger: Logger) -> Escalation:
    # One session, and its clients one after the other: in threads it takes longer.
    session = boto3.Session()
    sqs = session.client("sqs", config=AWS)
    policy = Policy(settings.account_id, settings.escalate_on, settings.record_all)
    ledger = topic = None
    if settings.ledger_table:
        ledger = Ledger(session.client("dynamodb", config=AWS), settings.ledger_table, settings.retention)
    if settings.alert_topic_arn:
        sns = session.client("sns", config=SNS)
        sns.meta.events.register_first("request-created.sns", encode)
        topic = Topic(sns, settings.alert_topic_arn)
    credentials = Credentials(_secret_reader(session.client("secretsmanager", config=AWS), settings.secret_id))
    try:
        credentials.current()
    except CredentialsRefused as exc:
        # Not a reason to fail: the messages wait until the secret is mended.
        logger.warning("credentials missing", extra={"detail": str(exc)})
    pace = Pace(settings.requests_per_window, settings.environments)
    cloudflare = Cloudflare(
        settings.base_url, settings.account_id, credentials, pace, gravity=policy.gravity, connections=BATCH
    )
    queues = Queues(sqs, settings.request_queue_url, settings.dead_letter_queue_url)
    return Escalation(
        policy=policy,
        lookup=Lookup(cloudflare, ThreadPoolExecutor(BATCH, "cloudflare"), policy, settings.fetch_context, _now),
        outbox=Outbox(ledger, topic, Style(settings.mask_recipients, settings.chat_notifications), _now),
        settlement=Settlement(ledger, queues, policy, settings.max_receives, _now),
        now=_now,
    )


def _secret_reader(secrets: "SecretsManagerClient", secret_id: str) -> Callable[[], Secret]:
    def read() -> Secret:
        try:
            answer = secrets.get_secret_value(SecretId=secret_id)
        except AWS_FAILURES as exc:
            raise SecretUnavailable(cause(exc)) from exc
        return Secret(answer.get("SecretString", ""), answer["VersionId"])

    return read


def _now() -> datetime:
    return datetime.now(UTC)
