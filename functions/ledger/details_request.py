"""A record whose alert went out without message details: the feed queues its email again, and the function adds them.

The function writes the first request beside the pointers of the record. The feed queues what is due, and replaces the request
by the next one. A request whose record has its details is marked as done, and the feed removes it. So there are at most
as many tries as PAUSES.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from functions.domain.email_id import EmailId
from functions.ledger.keys import details_key, pointed_at
from functions.ledger.queue_entry import RETENTION

PAUSES = tuple(timedelta(minutes=it) for it in (1, 10, 60, 6 * 60, 24 * 60))
"""The time before each try: the first one after the alert."""


@dataclass(frozen=True, slots=True)
class DetailsRequest:
    """A record that waits for its message details.

    id:        the id to ask about.
    record_sk: the sort key of the record.
    due:       when the feed queues the id.
    tries:     how often it has been queued.
    done:      whether nothing is to be done.
    """

    account_id: str
    id: EmailId
    record_sk: str
    due: datetime
    tries: int = 0
    done: bool = False

    @property
    def key(self) -> dict[str, str]:
        """Its key, which sorts by the time at which it is due."""
        return details_key(self.account_id, self.due, self.record_sk)

    @classmethod
    def finished(cls, account_id: str, id: EmailId, sk: str) -> Self:
        """The request with this sort key, when nothing is left to be done."""
        due, _, record_sk = sk.partition(" ")
        return cls(account_id, id, record_sk, datetime.fromisoformat(due), done=True)

    def next(self, now: datetime) -> Self | None:
        """The request after this try; None after the last one."""
        tries = self.tries + 1
        if tries == len(PAUSES):
            return None
        return type(self)(self.account_id, self.id, self.record_sk, now + PAUSES[tries], tries)


def details_item(request: DetailsRequest) -> dict[str, object]:
    """The item of a request."""
    return {
        **request.key,
        "id": request.id.value,
        "due": request.due.isoformat(),
        "tries": request.tries,
        "done": request.done,
        "expires_at": int((request.due + RETENTION).timestamp()),
    }


def read_details_request(account_id: str, item: Mapping[str, Any]) -> DetailsRequest:
    """The request of an item."""
    return DetailsRequest(
        account_id,
        EmailId(item["id"]),
        pointed_at(item["sk"])["sk"],
        datetime.fromisoformat(item["due"]),
        item["tries"],
        item["done"],
    )
