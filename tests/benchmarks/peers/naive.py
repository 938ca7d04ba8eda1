"""The peer `naive`: what Cloudflare's API page and boto3's documentation lead a user to write.

The official SDK, one message after the other, and for each of them a GET, `jsonschema.validate`, a publish and a put. As a
careful user writes it: clients and the secret once, and a batch of which only what failed comes back.
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
    """Escalate what is malicious or suspicious; report what failed, so that SQS delivers only that again."""
    failures = []
    for record in event["Records"]:
        try:
            process(json.loads(record["body"])["investigate_id"])
        except (CloudflareError, ValidationError, ClientError, BotoCoreError):
            logger.exception("failed: %s", record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def process(investigate_id: str) -> None:
    """Fetch a mail's detection, check it, and escalate it."""
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
    """What fits into a message and an item, whatever the mail is: not its headers, and not all of its links."""
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
