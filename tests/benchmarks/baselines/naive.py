"""The baseline `naive`: a function written after the documentation of Cloudflare's API and boto3.

It uses the official SDK and handles one message after the other, each with a GET, `jsonschema.validate`, a publish and a
put. Like careful users, it creates clients and reads the secret once, and reports failed messages only.
"""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from cloudflare import Cloudflare, CloudflareError
from jsonschema import ValidationError, validate

ESCALATED = {"MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"}
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "detection.schema.json").read_text(encoding="utf-8"))

logger = logging.getLogger()
logger.setLevel(logging.INFO)

secrets = boto3.client("secretsmanager")
sns = boto3.client("sns")
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
secret = json.loads(secrets.get_secret_value(SecretId=os.environ["SECRET_ID"])["SecretString"])
cloudflare = Cloudflare(api_token=secret["api_token"])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Escalate malicious and suspicious emails, and report failed messages, so that SQS redelivers only those."""
    failures = []
    for record in event["Records"]:
        try:
            process(json.loads(record["body"])["investigate_id"])
        except (CloudflareError, ValidationError, ClientError, BotoCoreError):
            logger.exception("failed: %s", record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def process(investigate_id: str) -> None:
    """Fetch an email's detection, validate it, and escalate it."""
    answer = cloudflare.email_security.investigate.detections.get(investigate_id, account_id=os.environ["ACCOUNT_ID"])
    detection = answer.to_dict(mode="json")
    validate(detection, SCHEMA)
    if detection.get("final_disposition") in ESCALATED:
        alert = summary(investigate_id, detection)
        sns.publish(
            TopicArn=os.environ["TOPIC_ARN"],
            Subject=f"Cloudflare Email Security: {alert['disposition']} mail",
            Message=json.dumps(alert),
            MessageAttributes={"disposition": {"DataType": "String", "StringValue": alert["disposition"]}},
        )
        table.put_item(Item=alert)
    logger.info("done: %s %s", investigate_id, detection.get("final_disposition"))


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
