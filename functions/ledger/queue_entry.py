"""Two items for each delivery that the feed has queued: when it was queued, and what came of it.

The feed writes the entry and the escalate function the answer. Each writer replaces its own item as a whole, so that
neither needs a condition or a read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.domain.email_id import EmailId
from functions.domain.outcome import Outcome
from functions.domain.record import moment
from functions.ledger.keys import queue_answer_key, queue_entry_key

RETENTION = timedelta(days=30)
"""Longer than the eight days for which the feed lists a delivery."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A delivery that the feed has queued.

    disposition: of the row, in upper case; empty if it had none.
    loop:        the loop that queued it last.
    tries:       how often it was queued with this disposition.
    missing:     whether it was queued because a complete list lacked it.
    unresolved:  whether it was counted as unresolved.
    """

    id: EmailId
    disposition: str
    loop: str
    first_queued_at: datetime
    queued_at: datetime
    tries: int = 1
    missing: bool = False
    unresolved: bool = False


@dataclass(frozen=True, slots=True)
class QueueAnswer:
    """What came of a queued delivery. disposition: Cloudflare's word about it, in upper case; empty if it had none."""

    id: EmailId
    outcome: Outcome
    disposition: str
    at: datetime


def entry_item(account_id: str, entry: QueueEntry) -> dict[str, object]:
    """The item of an entry."""
    return {
        **queue_entry_key(account_id, entry.id),
        "id": entry.id.value,
        "disposition": entry.disposition,
        "loop": entry.loop,
        "first_queued_at": moment(entry.first_queued_at),
        "queued_at": moment(entry.queued_at),
        "tries": entry.tries,
        "missing": entry.missing,
        "unresolved": entry.unresolved,
        "expires_at": _expires_at(entry.queued_at),
    }


def read_entry(item: Mapping[str, Any]) -> QueueEntry:
    """The entry of an item."""
    return QueueEntry(
        id=EmailId(item["id"]),
        disposition=item["disposition"],
        loop=item["loop"],
        first_queued_at=datetime.fromisoformat(item["first_queued_at"]),
        queued_at=datetime.fromisoformat(item["queued_at"]),
        tries=item["tries"],
        missing=item["missing"],
        unresolved=item["unresolved"],
    )


def answer_item(account_id: str, answer: QueueAnswer) -> dict[str, object]:
    """The item of an answer."""
    return {
        **queue_answer_key(account_id, answer.id),
        "id": answer.id.value,
        "answer": answer.outcome,
        "disposition": answer.disposition,
        "answered_at": moment(answer.at),
        "expires_at": _expires_at(answer.at),
    }


def read_answer(item: Mapping[str, Any]) -> QueueAnswer:
    """The answer of an item."""
    at = datetime.fromisoformat(item["answered_at"])
    return QueueAnswer(EmailId(item["id"]), Outcome(item["answer"]), item["disposition"], at)


def _expires_at(at: datetime) -> int:
    return int((at + RETENTION).timestamp())
