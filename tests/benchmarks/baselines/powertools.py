"""The baseline `powertools`: a function written after the documentation of Powertools for AWS Lambda.

It uses BatchProcessor for partial failures, Idempotency in DynamoDB, Parameters for the secret, Tracer, Logger and
Metrics, the HTTP client of that documentation, and one validator for all messages. The record of an escalation is a
separate item, because items of the idempotency table expire and have only a hash as their key.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from jsonschema import Draft202012Validator

ESCALATED = {"MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"}
SCHEMA = Path(__file__).parent / "schemas" / "detection.schema.json"
URL = f"{os.environ['CLOUDFLARE_BASE_URL']}/accounts/{os.environ['ACCOUNT_ID']}/email-security/investigate"

logger = Logger(service="escalate")
tracer = Tracer(service="escalate")
metrics = Metrics(namespace="EmailAlerts", service="escalate")
processor = BatchProcessor(event_type=EventType.SQS)
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
idempotency = IdempotencyConfig(event_key_jmespath="investigate_id")

validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
session = requests.Session()
sns = boto3.client("sns")
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch of SQS messages, and report failed messages, so that SQS redelivers only those."""
    idempotency.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=process_record, processor=processor, context=context)


@tracer.capture_method
def process_record(record: SQSRecord) -> None:
    """Handle one message."""
    escalate(request=record.json_body)


@idempotent_function(data_keyword_argument="request", persistence_store=persistence, config=idempotency)  # type: ignore[untyped-decorator]  # Powertools has no type for it
def escalate(request: dict[str, Any]) -> dict[str, Any]:
    """Fetch an email's detection, validate it, and escalate it once."""
    investigate_id = request["investigate_id"]
    detection = fetch(investigate_id)
    validator.validate(detection)
    disposition = detection.get("final_disposition")
    metrics.add_metric(name="Processed", unit=MetricUnit.Count, value=1)
    if disposition in ESCALATED:
        publish(summary(investigate_id, detection))
        metrics.add_metric(name="Escalated", unit=MetricUnit.Count, value=1)
    logger.info("done", extra={"investigate_id": investigate_id, "disposition": disposition})
    return {"investigate_id": investigate_id, "disposition": disposition}


@tracer.capture_method(capture_response=False)
def fetch(investigate_id: str) -> dict[str, Any]:
    """Fetch an email's detection."""
    secret: Any = parameters.get_secret(os.environ["SECRET_ID"], transform="json", max_age=300)
    answer = session.get(
        f"{URL}/{investigate_id}/detections", headers={"Authorization": f"Bearer {secret['api_token']}"}, timeout=10
    )
    answer.raise_for_status()
    detection: dict[str, Any] = answer.json()["result"]
    return detection


@tracer.capture_method
def publish(alert: dict[str, Any]) -> None:
    """Publish an alert and store its record."""
    sns.publish(
        TopicArn=os.environ["TOPIC_ARN"],
        Subject=f"Cloudflare Email Security: {alert['disposition']} mail",
        Message=json.dumps(alert),
        MessageAttributes={"disposition": {"DataType": "String", "StringValue": alert["disposition"]}},
    )
    table.put_item(Item=alert)


def summary(investigate_id: str, detection: dict[str, Any]) -> dict[str, Any]:
    """Select the members that always fit into a message and an item: no headers, and only some links."""
    return {
        "id": investigate_id,
        "disposition": detection["final_disposition"],
        "action": detection["action"],
        "sender": detection["sender_info"],
        "validation": detection["validation"],
        "categories": [it.get("name") for it in detection["threat_categories"]],
        "attachments": [it.get("name") for it in detection["attachments"][:20]],
        "links": [it["href"] for it in detection["links"][:20]],
        "created_at": datetime.now(UTC).isoformat(),
    }
