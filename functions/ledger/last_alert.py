"""The last alert about an email, and how a new decision relates to it.

The key of a record contains its disposition, so a record with a new disposition does not meet the old record. Only the last
alert shows that the disposition has changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.domain.record import PreviousAlert, Record, moment


@dataclass(frozen=True, slots=True)
class LastAlert:
    """The last alert about an email.

    alert:      its disposition and id.
    revision:   how many times the alerted disposition has changed before.
    escalated:  False for a Close.
    fetched_at: when Cloudflare gave the answer behind the alert.
    previous:   the alert before it.
    """

    alert: PreviousAlert
    revision: int
    escalated: bool
    fetched_at: datetime
    previous: PreviousAlert | None

    def needs_close(self, record: Record) -> bool:
        """Whether a decision not to alert closes this alert, or repeats a Close that may not be complete."""
        return self.escalated or self.alert.disposition == record.disposition

    def supersedes(self, record: Record) -> bool:
        """Whether the alert is about a later answer than the record, with another disposition."""
        return self.alert.disposition != record.disposition and self.fetched_at > record.fetched_at

    def link_to_previous(self, record: Record) -> Record:
        """The record with its revision and previous alert.

        A disposition that was closed is a change, too, if the deployment escalates it now.
        """
        if self.alert.disposition == record.disposition and (self.escalated or not record.escalates):
            return replace(record, revision=self.revision, previous=self.previous)
        return replace(record, revision=self.revision + 1, previous=self.alert)


def last_alert_attributes(record: Record, expires_at: object) -> dict[str, object]:
    """The attributes of the item after the claim of a record, as plain JSON values."""
    known: dict[str, object] = {
        "disposition": record.disposition,
        "alert_id": record.alert_id,
        "revision": record.revision,
        "escalated": record.escalates,
        "fetched_at": moment(record.fetched_at),
        "expires_at": expires_at,
    }
    return known | previous_attributes(record)


def read_last_alert(item: Mapping[str, Any]) -> LastAlert:
    """The last alert from its item."""
    return LastAlert(
        alert=PreviousAlert(item["disposition"], item["alert_id"]),
        revision=item["revision"],
        escalated=item["escalated"],
        fetched_at=datetime.fromisoformat(item["fetched_at"]),
        previous=read_previous(item),
    )


def previous_attributes(record: Record) -> dict[str, object]:
    """The alert before, as items of records and of last alerts hold it."""
    if record.previous is None:
        return {}
    return {"previous_disposition": record.previous.disposition, "previous_alert_id": record.previous.alert_id}


def read_previous(item: Mapping[str, Any]) -> PreviousAlert | None:
    """The alert before, from either item."""
    disposition = item.get("previous_disposition")
    return PreviousAlert(disposition, item["previous_alert_id"]) if disposition else None
