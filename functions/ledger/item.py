"""A record as the attributes of an item, and back: what somebody reads in the console months later.

Times are UTC, ISO 8601. What is not known is absent. A record has at most 150 KB of detection and 30 KB of context,
of the 400 KB that DynamoDB takes; ten of them fit into the 4 MB of a transaction.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.cloudflare.context import read_context
from functions.cloudflare.contract import VERSION
from functions.cloudflare.detection import Detection, read_detection
from functions.cloudflare.excerpt import excerpt
from functions.cloudflare.message_id import MessageId
from functions.cloudflare.recipients import addresses
from functions.ledger.keys import MONTH, value_key
from functions.ledger.record import Activity, Record, moment
from functions.ledger.standing import previous_attributes, read_previous
from functions.release import RELEASE

DETECTION_LIMIT = 150 * 1024
CONTEXT_LIMIT = 30 * 1024
"""Bytes."""


def attributes(record: Record, retention: timedelta) -> dict[str, object]:
    """Everything about a record but its key and its state, as plain JSON values."""
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
        "turn": record.turn,
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
        kept = excerpt(record.detection, DETECTION_LIMIT)
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
    """What a record knows only once the mail's context is there, which comes after the claim."""
    late: dict[str, object] = {
        "severity": record.severity,
        "delivered": record.delivery.delivered,
        "cloudflare_alert_id": record.cloudflare_alert_id,
        "investigate_id": record.investigate_id,
    }
    if record.context:
        kept = excerpt(record.context, CONTEXT_LIMIT)
        late |= {
            "delivery_status": kept.fields["delivery_status"],
            "context": kept.fields,
            "context_counts": kept.counts,
            "context_dropped": list(kept.dropped),
        }
    return {name: value for name, value in late.items() if value is not None}


def read_record(item: Mapping[str, Any]) -> Record:
    """The record whose attributes these are; what did not fit into them is gone.

    Raises KeyError and ValueError for what `attributes` has not written.
    """
    detection = item.get("detection")
    found_as = item.get("investigate_id") or item.get("cloudflare_alert_id")
    return Record(
        account_id=item["account_id"],
        id=MessageId(item["id"]),
        outcome=item["outcome"],
        reason=item["reason"],
        escalate_on=tuple(item["escalate_on"]),
        queued_at=datetime.fromisoformat(item["queued_at"]),
        fetched_at=datetime.fromisoformat(item["fetched_at"]),
        decided_at=datetime.fromisoformat(item["decided_at"]),
        sqs_message_id=item["sqs_message_id"],
        found_as=MessageId(found_as) if found_as else None,
        disposition=item.get("disposition"),
        escalates=item.get("activity") in (Activity.CREATE, Activity.UPDATE),
        severity=item.get("severity"),
        detail=item.get("detail", ""),
        detection=read_detection(detection, item["detection_counts"]) if detection is not None else None,
        drift=tuple(item["drift"]),
        context=read_context(item["context"]) if "context" in item else None,
        turn=item["turn"],
        previous=read_previous(item),
    )


def _from_domain(detection: Detection) -> str:
    """The domain that the mail says it is from, for want of the one that Cloudflare looked up."""
    named = addresses(detection.header("from") or "")
    return named[-1].rpartition("@")[2] if named else ""
