"""The result of an action for one message: a closed set."""

from dataclasses import dataclass
from enum import StrEnum


class ResultKind(StrEnum):
    """The kinds of results."""

    SENT_BACK = "sent-back"
    DELETED = "deleted"
    SENT_BACK_NOT_DELETED = "sent-back-not-deleted"
    """The message is on both queues. Sending it back again repeats no alert, because the ledger has the first one."""
    REDELIVERED = "redelivered"
    REDELIVERED_NOT_DELETED = "redelivered-not-deleted"
    """All subscribers have the message again, and it is still on the queue of undelivered messages."""
    FAILED = "failed"
    """The action failed. The message is still on the dead-letter queue."""
    KEPT = "kept"
    """The message is unretryable and was not sent back, because --force is missing."""
    MISSING = "missing"
    """The dead-letter queue does not have the message, or no longer has it."""


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The result of an action for one message. `detail`: why the action failed."""

    id: str
    reason: str
    kind: ResultKind
    detail: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the action did what the operator requested."""
        return self.kind in {ResultKind.SENT_BACK, ResultKind.DELETED, ResultKind.REDELIVERED}

    def row(self) -> dict[str, str]:
        """The result as a row of output."""
        return {"id": self.id, "reason": self.reason, "result": self.kind, "detail": self.detail}
