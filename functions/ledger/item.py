"""A record as the attributes of an item, and back.

Times are UTC, ISO 8601. An unknown value is absent. A record has at most 150 KB of the detection and 30 KB of the message
details, of the 400 KB that DynamoDB accepts. Ten records fit into the 4 MB of a transaction.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from functions.cloudflare.contract import VERSION
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.feed_facts import feed_attributes, read_feed_facts
from functions.domain.header_fields import header_fields
from functions.domain.message_details import Delivery, read_message_details
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Activity, CampaignPlace, CampaignRole, Record, moment
from functions.domain.search_values import SearchKind, search_values
from functions.domain.severity import Severity
from functions.domain.truncate import truncate
from functions.ledger.email_item import previous_attributes, read_previous
from functions.ledger.keys import MONTH
from functions.release import RELEASE

DETECTION_LIMIT = 150 * 1024
DETAILS_LIMIT = 30 * 1024
"""Bytes."""
SUBJECT_LIMIT = 200
"""Characters of the subject beside the message details: the index by time has them, so that words can be searched."""


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
        "severity": record.severity,
        "delivered": record.delivery.delivered,
        "delivery": record.delivery,
        "cloudflare_alert_id": record.cloudflare_alert_id,
        "investigate_id": record.investigate_id,
        "email": record.email,
        "revision": record.revision,
        "queued_at": moment(record.queued_at),
        "fetched_at": moment(record.fetched_at),
        "decided_at": decided_at,
        "month": decided_at[MONTH],
        "sqs_message_id": record.sqs_message_id,
        "drift": list(record.drift),
        "feed": feed_attributes(replace(record.feed, details_of="")) if record.feed else None,
        "details_pending": record.details_pending or None,
        "details_at": moment(record.details_at) if record.details_at else None,
        "notified": record.notified if record.escalates or record.previous else None,
        "expires_at": int((record.decided_at + retention).timestamp()),
    }
    known |= previous_attributes(record.previous) | _campaign_attributes(record.campaign)
    found = search_values(record.detection, record.details)
    known |= {
        "sender_domain": next(iter(found.values[SearchKind.SENDER_DOMAIN]), None),
        "sender_ip": next(iter(found.values[SearchKind.SENDER_IP]), None),
        "subject": header_fields(record.detection, record.details).subject[:SUBJECT_LIMIT],
        "search_cut": dict(found.cut),
    }
    if record.detection:
        kept = truncate(record.detection, DETECTION_LIMIT)
        known |= {
            "detection": kept.fields,
            "detection_counts": kept.counts,
            "detection_dropped": list(kept.dropped),
        }
    if record.details:
        kept = truncate(record.details, DETAILS_LIMIT)
        known |= {
            "delivery_status": kept.fields["delivery_status"],
            "details": kept.fields,
            "details_counts": kept.counts,
            "details_dropped": list(kept.dropped),
        }
    return {name: value for name, value in known.items() if value not in (None, "", {})}


_OF_DETAILS = frozenset(
    {
        "delivery_status",
        "details",
        "details_at",
        "details_counts",
        "details_dropped",
        "drift",
        "search_cut",
        "sender_domain",
        "subject",
    }
)


def details_attributes(record: Record, retention: timedelta, search_cut: Mapping[str, int]) -> dict[str, object]:
    """The attributes of a record that change when its message details come after the alert.

    Severity and delivery stay as the alert said them. search_cut: of the record so far. The detection that it was counted
    from may have been longer than the stored one.
    """
    known = {name: value for name, value in attributes(record, retention).items() if name in _OF_DETAILS}
    cut: Any = known.pop("search_cut", {})
    merged = {kind: max(cut.get(kind, 0), search_cut.get(kind, 0)) for kind in {*cut, *search_cut}}
    return known | ({"search_cut": merged} if merged else {})


def _campaign_attributes(place: CampaignPlace | None) -> dict[str, object]:
    if place is None:
        return {}
    return {
        "campaign": place.id,
        "campaign_role": place.role,
        "campaign_since": moment(place.since),
        "campaign_new": list(place.new),
    }


def _read_campaign(item: Mapping[str, Any]) -> CampaignPlace | None:
    if "campaign" not in item:
        return None
    role, since = CampaignRole(item["campaign_role"]), datetime.fromisoformat(item["campaign_since"])
    return CampaignPlace(item["campaign"], role, since, tuple(item["campaign_new"]))


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
        worst_delivery=Delivery(item["delivery"]) if "delivery" in item else None,
        revision=item["revision"],
        previous=read_previous(item),
        feed=read_feed_facts(item["feed"]) if "feed" in item else None,
        # A worker that took the record over may have had the details.
        details_pending="details_pending" in item and "details" not in item,
        details_at=datetime.fromisoformat(item["details_at"]) if "details_at" in item else None,
        campaign=_read_campaign(item),
        notified=item.get("notified", True),
    )
