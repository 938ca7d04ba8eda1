"""A record as the attributes of an item, and back.

Times are UTC, ISO 8601. An unknown value is absent. A record has at most 150 KB of the detection and 30 KB of the message
details, of the 400 KB that DynamoDB accepts. Ten records fit into the 4 MB of a transaction.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.cloudflare.contract import VERSION
from functions.domain.detection import Detection, read_detection
from functions.domain.email_id import EmailId
from functions.domain.message_details import read_message_details
from functions.domain.outcome import Outcome, Reason
from functions.domain.recipients import addresses
from functions.domain.record import Activity, Record, moment
from functions.domain.severity import Severity
from functions.domain.truncate import truncate
from functions.ledger.keys import MONTH, value_key
from functions.ledger.last_alert import previous_attributes, read_previous
from functions.release import RELEASE

DETECTION_LIMIT = 150 * 1024
DETAILS_LIMIT = 30 * 1024
"""Bytes."""


def attributes(record: Record, retention: timedelta) -> dict[str, object]:
    """The attributes of a record except its key and its state, as plain JSON values."""
    decided_at = moment(record.decided_at)
    known: dict[str, object] = {
        "account_id": record.account_id,
        "id": record.id.value,
        "postfix_id": record.id.postfix_id,
        "outcome": record.outcome,
        "reason": record.reason,
        "detail": record.detail,
        "escalate_on": list(record.escalate_on),
        "schema_version": VERSION,
        "release": RELEASE,
        "disposition": record.disposition,
        "revision": record.revision,
        "queued_at": moment(record.queued_at),
        "fetched_at": moment(record.fetched_at),
        "decided_at": decided_at,
        "month": decided_at[MONTH],
        "sqs_message_id": record.sqs_message_id,
        "drift": list(record.drift),
        "expires_at": int((record.decided_at + retention).timestamp()),
    }
    known |= previous_attributes(record)
    if record.detection:
        kept = truncate(record.detection, DETECTION_LIMIT)
        sender = record.detection.sender_info
        known |= {
            "sender_domain": value_key(sender.pld or _from_domain(record.detection)),
            "sender_ip": value_key(sender.ip or ""),
            "detection": kept.fields,
            "detection_counts": kept.counts,
            "detection_dropped": list(kept.dropped),
        }
    return {name: value for name, value in (known | late_attributes(record)).items() if value not in (None, "")}


def late_attributes(record: Record) -> dict[str, object]:
    """The attributes that depend on the message details, which arrive after the claim."""
    late: dict[str, object] = {
        "severity": record.severity,
        "delivered": record.delivery.delivered,
        "cloudflare_alert_id": record.cloudflare_alert_id,
        "investigate_id": record.investigate_id,
    }
    if record.details:
        kept = truncate(record.details, DETAILS_LIMIT)
        late |= {
            "drift": list(record.drift),
            "delivery_status": kept.fields["delivery_status"],
            "details": kept.fields,
            "details_counts": kept.counts,
            "details_dropped": list(kept.dropped),
        }
    return {name: value for name, value in late.items() if value is not None}


def read_record(item: Mapping[str, Any]) -> Record:
    """The record with these attributes, without the parts that were cut for size.

    Raises KeyError or ValueError for an item that `attributes` has not written.
    """
    detection = item.get("detection")
    resolved_id = item.get("investigate_id") or item.get("cloudflare_alert_id")
    return Record(
        account_id=item["account_id"],
        id=EmailId(item["id"]),
        outcome=Outcome(item["outcome"]),
        reason=Reason(item["reason"]),
        escalate_on=tuple(item["escalate_on"]),
        queued_at=datetime.fromisoformat(item["queued_at"]),
        fetched_at=datetime.fromisoformat(item["fetched_at"]),
        decided_at=datetime.fromisoformat(item["decided_at"]),
        sqs_message_id=item["sqs_message_id"],
        resolved_id=EmailId(resolved_id) if resolved_id else None,
        disposition=item.get("disposition"),
        escalates=item.get("activity") in (Activity.CREATE, Activity.UPDATE),
        severity=Severity(item["severity"]) if "severity" in item else None,
        detail=item.get("detail", ""),
        detection=read_detection(detection, item["detection_counts"]) if detection is not None else None,
        drift=tuple(item["drift"]),
        details=read_message_details(item["details"]) if "details" in item else None,
        revision=item["revision"],
        previous=read_previous(item),
    )


def _from_domain(detection: Detection) -> str:
    """The domain of the From header, for records without Cloudflare's own."""
    named = addresses(detection.header("from") or "")
    return named[-1].rpartition("@")[2] if named else ""
