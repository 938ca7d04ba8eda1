"""What was last told about a mail, and what that makes of a new decision about it.

Without it nobody could tell that a mail's disposition has changed: a record stands under its own disposition only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.ledger.record import Record, Told, moment


@dataclass(frozen=True, slots=True)
class Standing:
    """The last alert about a mail.

    turn:       how often what is told has changed before.
    escalated:  whether it was one to alert on, and not that the mail has dropped below the line.
    fetched_at: when Cloudflare gave the answer that it is about.
    previous:   what was told before it.
    """

    told: Told
    turn: int
    escalated: bool
    fetched_at: datetime
    previous: Told | None

    def concerns(self, dismissed: Record) -> bool:
        """Whether a decision below the line is to be told: it is a change, or one whose telling may not be complete."""
        return self.escalated or self.told.disposition == dismissed.disposition

    def overtakes(self, record: Record) -> bool:
        """Whether a later answer of Cloudflare's than the record's has been acted on, and was another one."""
        return self.told.disposition != record.disposition and self.fetched_at > record.fetched_at

    def follow(self, record: Record) -> Record:
        """The record as it follows on what was told: the same once more, or a change.

        What was told to be below the line is a change, too, once the deployment has come to alert on it.
        """
        if self.told.disposition == record.disposition and (self.escalated or not record.escalates):
            return replace(record, turn=self.turn, previous=self.previous)
        return replace(record, turn=self.turn + 1, previous=self.told)


def standing_attributes(record: Record, expires_at: object) -> dict[str, object]:
    """What is written once a record's alert is claimed, as plain JSON values."""
    known: dict[str, object] = {
        "disposition": record.disposition,
        "alert_id": record.alert_id,
        "turn": record.turn,
        "escalated": record.escalates,
        "fetched_at": moment(record.fetched_at),
        "expires_at": expires_at,
    }
    return known | previous_attributes(record)


def read_standing(item: Mapping[str, Any]) -> Standing:
    """The standing whose attributes these are."""
    return Standing(
        told=Told(item["disposition"], item["alert_id"]),
        turn=item["turn"],
        escalated=item["escalated"],
        fetched_at=datetime.fromisoformat(item["fetched_at"]),
        previous=read_previous(item),
    )


def previous_attributes(record: Record) -> dict[str, object]:
    """What was told before, as a record and a standing say it; nothing where it was nothing else."""
    if record.previous is None:
        return {}
    return {"previous_disposition": record.previous.disposition, "previous_alert_id": record.previous.alert_id}


def read_previous(item: Mapping[str, Any]) -> Told | None:
    """The same out of an item."""
    disposition = item.get("previous_disposition")
    return Told(disposition, item["previous_alert_id"]) if disposition else None
