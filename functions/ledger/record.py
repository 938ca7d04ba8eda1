"""What is written down about a decision, and under which key.

A record explains itself to somebody who reads it in the console months later. Times are UTC, ISO 8601.

    message    partition key: <account_id>/<postfix_id>, so that everything about one mail is one query, whichever
               form of its id was given
    decision   sort key: <id as given>#<DISPOSITION> for an alert; for a decision not to alert, the SQS message id
               follows, so that a request that is delivered twice is recorded once
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from functions.cloudflare.detection import Detection
from functions.cloudflare.excerpt import excerpt
from functions.cloudflare.message_id import MessageId
from functions.release import RELEASE

DETECTION_LIMIT = 150 * 1024
"""Bytes of a detection that a record keeps; DynamoDB takes 400 KB in an item, and 4 MB in a transaction of ten."""


class State(StrEnum):
    """How far a record has come."""

    PENDING = "PENDING"
    """Claimed by a worker, which is publishing the alert, or died on the way. Nobody can say yet that it was sent."""
    SENT = "SENT"
    """Published."""
    RECORDED = "RECORDED"
    """Complete without an alert: there is no topic, or the decision was not to alert."""


@dataclass(frozen=True, slots=True)
class Record:
    """One decision about one mail.

    disposition:   Cloudflare's word in upper case; None where there was no detection, or none was given.
    reason:        the rule that decided.
    escalate_on:   the dispositions that were to be escalated at the time.
    detail:        what a human should know beside the reason.
    drift:         where the answer did not match Cloudflare's contract, as `path: rule`.
    queued_at:     when the request first arrived; fetched_at: when Cloudflare answered; decided_at: when we judged.
    sqs_message_id: the request's message.
    """

    account_id: str
    id: MessageId
    outcome: str
    reason: str
    escalate_on: tuple[str, ...]
    queued_at: datetime
    fetched_at: datetime
    decided_at: datetime
    sqs_message_id: str
    disposition: str | None = None
    detail: str = ""
    detection: Detection | None = None
    drift: tuple[str, ...] = ()

    @property
    def alert_id(self) -> str:
        """The same for the same account, id and disposition, for ever: what a repeated alert is known by."""
        identity = "\n".join((self.account_id, self.id.value, self.disposition or ""))
        return hashlib.sha256(identity.encode()).hexdigest()[:32]


def escalation_key(record: Record) -> dict[str, str]:
    """The key under which at most one alert is ever claimed."""
    return {"message": f"{record.account_id}/{record.id.postfix_id}", "decision": f"{record.id}#{record.disposition}"}


def observation_key(record: Record) -> dict[str, str]:
    """The key of a decision not to alert."""
    label = record.disposition or record.outcome
    return {
        "message": f"{record.account_id}/{record.id.postfix_id}",
        "decision": f"{record.id}#{label}#{record.sqs_message_id}",
    }


def attributes(record: Record, retention: timedelta) -> dict[str, object]:
    """Everything about a record but its key and its state, as DynamoDB's serializer takes it."""
    known: dict[str, object] = {
        "account_id": record.account_id,
        "id": record.id.value,
        "postfix_id": record.id.postfix_id,
        "outcome": record.outcome,
        "reason": record.reason,
        "escalate_on": list(record.escalate_on),
        "queued_at": moment(record.queued_at),
        "fetched_at": moment(record.fetched_at),
        "decided_at": moment(record.decided_at),
        "sqs_message_id": record.sqs_message_id,
        "release": RELEASE,
        "drift": list(record.drift),
        "expires_at": int((record.decided_at + retention).timestamp()),
    }
    if record.detail:
        known["detail"] = record.detail
    if record.disposition:
        known["disposition"] = record.disposition
    if record.detection:
        kept = excerpt(record.detection, DETECTION_LIMIT)
        known["detection"] = json.loads(json.dumps(kept.fields), parse_float=Decimal)
        known["detection_counts"] = kept.counts
        known["detection_dropped"] = list(kept.dropped)
    return known


def moment(at: datetime) -> str:
    """UTC, ISO 8601 to the millisecond: text that sorts as time does."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
