"""Items of the ledger's table, for tests that change single attributes of them."""

from datetime import timedelta
from typing import Any

from functions.ledger.item import attributes
from functions.ledger.keys import alert_key
from tests.unit.examples import POSTFIX_ID, detection, escalated

RETENTION = timedelta(days=400)


def record_item(**changes: Any) -> dict[str, Any]:
    """The item of a published alert, as JSON values, with these attributes in place of others."""
    record = escalated(detection=detection())
    item: dict[str, Any] = alert_key(record) | attributes(record, RETENTION)
    times = {"decided_at": "2026-11-20T23:00:00.000Z", "month": "2026-11", "fetched_at": "2026-11-20T22:59:59.900Z"}
    return (
        item
        | times
        | {"queued_at": "2026-11-20T22:59:58.000Z", "state": "SENT", "activity": record.activity, "owner": "worker-1"}
        | {"alert_id": record.alert_id, "claimed_at": "2026-11-20T23:00:00.005Z", "claims": 1}
        | {"published_at": "2026-11-20T23:00:00.500Z", "sns_message_id": "sns-1"}
        | changes
    )


def last_alert_item(**changes: Any) -> dict[str, Any]:
    """The item that holds the last alert about an email, with these attributes in place of others."""
    return {
        "pk": POSTFIX_ID,
        "sk": f"account/{POSTFIX_ID}",
        "disposition": "SUSPICIOUS",
        "alert_id": "a" * 32,
        "revision": 1,
        "escalated": True,
        "fetched_at": "2026-11-20T22:59:59.900Z",
        "expires_at": 1_795_486_741,
        "previous_disposition": "MALICIOUS",
        "previous_alert_id": "b" * 32,
    } | changes
