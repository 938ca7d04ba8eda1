"""The item of an email: its deliveries and its last alert, as attributes and back.

Every change of the item raises its version. A writer names the version that it read, so that two writers never overwrite
each other's deliveries.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from functions.domain.email_state import DeliveryState, EmailState, LastAlert
from functions.domain.message_details import Delivery
from functions.domain.record import PreviousAlert, moment
from functions.domain.severity import Severity


def email_attributes(state: EmailState, expires_at: int) -> dict[str, object]:
    """The attributes of an email's item, except its key, as plain JSON values."""
    attributes: dict[str, object] = {
        "version": state.version + 1,
        "deliveries": {
            key: {
                "disposition": it.disposition,
                "escalates": it.escalates,
                "severity": it.severity,
                "delivery": it.delivery,
                "fetched_at": moment(it.fetched_at),
            }
            for key, it in state.deliveries.items()
        },
        "recipients": list(state.recipients),
        "expires_at": expires_at,
    }
    return attributes | (_alert_attributes(state.alert) if state.alert else {})


def _alert_attributes(alert: LastAlert) -> dict[str, object]:
    attributes: dict[str, object] = {
        "last_disposition": alert.disposition,
        "last_severity": alert.severity,
        "alert_id": alert.alert_id,
        "revision": alert.revision,
        "escalated": alert.escalated,
        "alert_decided_at": moment(alert.decided_at),
        "notified": alert.notified,
    }
    return attributes | previous_attributes(alert.previous)


def read_email(item: Mapping[str, Any]) -> EmailState:
    """The state of the email whose item this is; an empty item is an unknown email."""
    if "version" not in item:
        return EmailState()
    return EmailState(
        version=item["version"],
        deliveries={
            key: DeliveryState(
                disposition=it["disposition"],
                escalates=it["escalates"],
                severity=Severity(it["severity"]),
                delivery=Delivery(it["delivery"]),
                fetched_at=datetime.fromisoformat(it["fetched_at"]),
            )
            for key, it in item["deliveries"].items()
        },
        recipients=tuple(item["recipients"]),
        alert=LastAlert(
            disposition=item["last_disposition"],
            severity=Severity(item["last_severity"]),
            alert_id=item["alert_id"],
            revision=item["revision"],
            escalated=item["escalated"],
            decided_at=datetime.fromisoformat(item["alert_decided_at"]),
            previous=read_previous(item),
            notified=item.get("notified", True),
        )
        if "alert_id" in item
        else None,
        complete="alert_id" in item and item.get("complete_alert") == item["alert_id"],
    )


def previous_attributes(previous: PreviousAlert | None) -> dict[str, object]:
    """The alert before, as the items of an email and of a record hold it."""
    if previous is None:
        return {}
    known: dict[str, object] = {
        "previous_disposition": previous.disposition,
        "previous_alert_id": previous.alert_id,
        "previous_notified": previous.notified,
    }
    return known | ({"previous_severity": previous.severity} if previous.severity else {})


def read_previous(item: Mapping[str, Any]) -> PreviousAlert | None:
    """The alert before, from either item."""
    disposition = item.get("previous_disposition")
    severity = item.get("previous_severity")
    known = Severity(severity) if severity else None
    if not disposition:
        return None
    return PreviousAlert(disposition, item["previous_alert_id"], known, item.get("previous_notified", True))
