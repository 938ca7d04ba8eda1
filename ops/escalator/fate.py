"""What became of a message that was to be sent back or deleted: a closed set."""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What became of it."""

    SENT_BACK = "sent-back"
    DELETED = "deleted"
    SENT_BACK_NOT_DELETED = "sent-back-not-deleted"
    """It is on both queues. Sent back once more it raises no second alert: the ledger knows the first."""
    FAILED = "failed"
    """Nothing was done: it is on the dead-letter queue as before."""
    KEPT = "kept"
    """Sent back it would only return, and nobody said --even-so."""
    NOT_THERE = "not-there"
    """The dead-letter queue does not have it, or not any more."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done with a message; `why` says why not."""

    id: str
    reason: str
    fate: Fate
    why: str = ""

    @property
    def well(self) -> bool:
        """Whether it is what was asked for."""
        return self.fate in {Fate.SENT_BACK, Fate.DELETED}

    def row(self) -> dict[str, str]:
        """As a row of output."""
        return {"id": self.id, "reason": self.reason, "result": self.fate, "why": self.why}
