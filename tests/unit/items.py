"""Items of the ledger's table, for tests that change single attributes of them."""

from datetime import timedelta
from typing import Any

from functions.domain.message_details import read_message_details
from functions.ledger.item import attributes
from functions.ledger.keys import alert_key
from tests.unit.examples import INVESTIGATE_ID, POSTFIX_ID, detection, escalated

RETENTION = timedelta(days=400)


def record_item(**changes: Any) -> dict[str, Any]:
    """The item of a published alert, as JSON values, with these attributes in place of others."""
    record = escalated(detection=detection())
    given = changes.get("details")
    where = {"delivery": read_message_details(given).delivery} if isinstance(given, dict) else {}
    item: dict[str, Any] = alert_key(record) | attributes(record, RETENTION)
    times = {"decided_at": "2026-11-20T23:00:00.000Z", "month": "2026-11", "fetched_at": "2026-11-20T22:59:59.900Z"}
    return (
        item
        | times
        | {"queued_at": "2026-11-20T22:59:58.000Z", "state": "SENT", "activity": record.activity, "owner": "worker-1"}
        | {"alert_id": record.alert_id, "claimed_at": "2026-11-20T23:00:00.005Z", "claim_count": 1}
        | {"published_at": "2026-11-20T23:00:00.500Z", "sns_message_id": "sns-1"}
        | where
        | changes
    )


def email_item(**changes: Any) -> dict[str, Any]:
    """The item of an email, with these attributes in place of others."""
    delivery = {"disposition": "SUSPICIOUS", "escalates": True, "severity": "Medium", "delivery": "held"}
    return {
        "pk": POSTFIX_ID,
        "sk": f"account/{POSTFIX_ID}",
        "version": 2,
        "deliveries": {INVESTIGATE_ID: delivery | {"fetched_at": "2026-11-20T22:59:59.900Z"}},
        "recipients": ["gareth@larkfield.example"],
        "last_disposition": "SUSPICIOUS",
        "last_severity": "Medium",
        "alert_id": "a" * 32,
        "complete_alert": "a" * 32,
        "revision": 1,
        "escalated": True,
        "alert_decided_at": "2026-11-20T23:00:00.000Z",
        "expires_at": 1_795_486_741,
        "previous_disposition": "MALICIOUS",
        "previous_alert_id": "b" * 32,
    } | changes
