"""The composition root: build every client once, and the handler from them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from functions.alert.alert import AlertOptions, Audience
from functions.aws import AWS_FAILURES, cause
from functions.cloudflare.client import Cloudflare
from functions.cloudflare.credentials import Credentials, Secret, SecretUnavailable
from functions.cloudflare.errors import CredentialsRefused
from functions.cloudflare.probe import Probe
from functions.cloudflare.rate_limiter import RateLimiter
from functions.domain.outcome import Outcome
from functions.escalate.decision import Policy
from functions.escalate.finish import Finisher
from functions.escalate.form_encoding import encode
from functions.escalate.investigate import Investigator
from functions.escalate.notify import Notifier
from functions.escalate.pipeline import Invocation, Pipeline
from functions.escalate.queues import Queues
from functions.escalate.settings import Settings
from functions.escalate.sqs_message import read_messages
from functions.escalate.stages import MessageResult
from functions.escalate.summaries import Summaries
from functions.escalate.telemetry import RateLimitUse, report
from functions.escalate.topic import Topic
from functions.ledger.campaign_checks import CampaignChecks
from functions.ledger.campaigns import CampaignOptions
from functions.ledger.ledger import Ledger
from functions.ledger.table import Table
from functions.metrics import build_metrics

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SERVICE = "escalate"
PROBE = "probe"
"""The action of an event by which an operator asks for facts about the credentials."""
SUMMARIZE = "summarize"
"""The action of the schedule: publish the summaries of campaigns that are due."""
BATCH_SIZE = 10
"""Messages in a batch, and therefore concurrent calls to Cloudflare."""

SNS = Config(
    # No retries: the alert of a call that timed out may be published, and a retry would repeat it (see topic.py).
    connect_timeout=1,
    read_timeout=9,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=2,
    parameter_validation=False,
)
AWS = Config(
    # A call and its retry take at most 2 x (1 + 3) = 8 s. RESERVE_SECONDS in investigate.py is the sum of all calls.
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
    # Enough for the counts of an alert, which are asked for at the same time; see record_counts.py.
    max_pool_connections=8,
    # Validation is a tenth of the CPU of a batch. The tests show that no input leads to a malformed request.
    parameter_validation=False,
)
EMULATOR = Config(read_timeout=60)
"""On a loaded machine, the emulated AWS of the local stack takes longer than AWS does. Its delay is no outage."""

Handler = Callable[[dict[str, object], LambdaContext], dict[str, object]]


def build(settings: Settings) -> Handler:
    """Build the handler and its clients, and fetch the secret."""
    logger, metrics = Logger(service=SERVICE), build_metrics(SERVICE, settings.stack)
    rate_limiter = RateLimiter(settings.requests_per_window, settings.environments)
    pipeline = _pipeline(settings, logger, rate_limiter)

    @metrics.log_metrics
    def run_batch(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
        invocation = Invocation(context.aws_request_id, lambda: context.get_remaining_time_in_millis() / 1000)
        results = pipeline.run(read_messages(event, settings.role_id, settings.feed_role_id), invocation)
        report(results, _rate_limit(rate_limiter), _now(), logger, metrics)
        return _response(results)

    def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
        if event.get("action") == PROBE:  # `escalator doctor`; a batch of SQS has no such member
            logger.info("probe")
            return _probe(settings)
        if event.get("action") == SUMMARIZE:
            return _summarize(pipeline.notifier, settings, context, logger)
        done: dict[str, object] = run_batch(event, context)
        return done

    with_context: Handler = logger.inject_lambda_context(handler)
    return with_context


def _rate_limit(rate_limiter: RateLimiter) -> RateLimitUse:
    return RateLimitUse(rate_limiter.take_longest_wait(), rate_limiter.take_remaining())


def _probe(settings: Settings) -> dict[str, object]:
    """Read the secret again, not the cached one, and ask Cloudflare."""
    aws = AWS.merge(EMULATOR) if settings.is_emulated else AWS
    read_secret = secret_reader(boto3.Session().client("secretsmanager", config=aws), settings.secret_id)
    return Probe(settings.base_url, settings.account_id, read_secret).answer()


def _summarize(notifier: Notifier, settings: Settings, context: LambdaContext, logger: Logger) -> dict[str, object]:
    """Publish summaries, where there are campaigns, a table and a topic."""
    if notifier.ledger is None or not notifier.topics or settings.campaign_gap is None:
        logger.info("summaries", extra={"detail": "campaigns are off"})
        return {}
    checks = CampaignChecks(notifier.ledger.table, settings.account_id)
    summaries = Summaries(checks, notifier.topics, notifier.options, settings.campaign_gap, notifier.now)
    run = summaries.run(lambda: context.get_remaining_time_in_millis() / 1000)
    fields = {name: value for name, value in asdict(run).items() if value}
    (logger.warning if run.failure else logger.info)("summaries", extra=fields)
    return fields


def _response(results: Sequence[MessageResult]) -> dict[str, object]:
    failures = [{"itemIdentifier": result.message.id} for result in results if result.outcome is Outcome.RETRY]
    return {"batchItemFailures": failures}


def _pipeline(settings: Settings, logger: Logger, rate_limiter: RateLimiter) -> Pipeline:
    aws, sns_config = (it.merge(EMULATOR) if settings.is_emulated else it for it in (AWS, SNS))
    # One session, and the clients in sequence: building them in threads takes longer.
    session = boto3.Session()
    sqs = session.client("sqs", config=aws)
    policy = Policy(settings.account_id, settings.escalate_on, settings.record_all)
    ledger = topic = people = None
    if settings.ledger_table:
        ledger = Ledger(Table(session.client("dynamodb", config=aws), settings.ledger_table, settings.retention))
    if settings.findings_topic_arn:
        sns = session.client("sns", config=sns_config)
        sns.meta.events.register_first("request-created.sns", encode)
        topic = Topic(sns, settings.findings_topic_arn)
        people = Topic(sns, settings.people_topic_arn, Audience.PEOPLE) if settings.people_topic_arn else None
    credentials = Credentials(secret_reader(session.client("secretsmanager", config=aws), settings.secret_id))
    try:
        credentials.current()
    except CredentialsRefused as exc:
        # Not a failure of init: messages are deferred until the secret has a valid token.
        logger.warning("credentials not usable", extra={"detail": str(exc)})
    cloudflare = Cloudflare(
        settings.base_url,
        settings.account_id,
        credentials,
        rate_limiter,
        severity_rank=policy.severity_rank,
        connections=BATCH_SIZE,
    )
    campaigns = CampaignOptions(settings.campaign_gap, settings.notify_severity)
    threads = ThreadPoolExecutor(BATCH_SIZE, "cloudflare")
    queues = Queues(sqs, settings.request_queue_url, settings.dead_letter_queue_url)
    return Pipeline(
        policy=policy,
        investigator=Investigator(
            cloudflare, threads, policy, settings.fetch_details, _now, settings.feed_role_id is not None
        ),
        notifier=Notifier(ledger, topic, _alert_options(settings), _now, people=people, campaigns=campaigns),
        finisher=Finisher(ledger, queues, policy, settings.max_receive_count, _now),
        now=_now,
    )


def _alert_options(settings: Settings) -> AlertOptions:
    return AlertOptions(
        mask_recipients=settings.mask_recipients,
        chat=settings.chat_notifications,
        deployment=settings.deployment,
        stack=settings.stack,
    )


def secret_reader(secrets: "SecretsManagerClient", secret_id: str) -> Callable[[], Secret]:
    """A function that reads a secret. It raises SecretUnavailable."""

    def read() -> Secret:
        try:
            response = secrets.get_secret_value(SecretId=secret_id)
        except AWS_FAILURES as exc:
            raise SecretUnavailable(cause(exc)) from exc
        if "SecretString" not in response:
            raise SecretUnavailable("it is binary; put the credentials as text")
        return Secret(response["SecretString"], response["VersionId"], response.get("CreatedDate"))

    return read


def _now() -> datetime:
    return datetime.now(UTC)
