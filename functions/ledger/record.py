"""One decision about one mail: what is known of it, what was decided and why."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from functions.cloudflare.context import Context, Delivery
from functions.cloudflare.detection import Detection
from functions.cloudflare.message_id import Form, MessageId


class State(StrEnum):
    """How far a record has come."""

    PENDING = "PENDING"
    """Claimed by a worker, which is publishing the alert, or died on the way. Nobody can say yet that it was sent."""
    SENT = "SENT"
    """Published."""
    RECORDED = "RECORDED"
    """Complete without an alert: there is no topic, or the decision was not to alert."""


class Activity(StrEnum):
    """What an alert is in the life of a mail."""

    CREATE = "Create"
    """Nobody has been told of this mail before."""
    UPDATE = "Update"
    """Its disposition is another one than the last that somebody was told."""
    CLOSE = "Close"
    """Its disposition has dropped below the line, after somebody was told."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was last told about a mail."""

    disposition: str
    alert_id: str


@dataclass(frozen=True, slots=True)
class Record:
    """One decision about one mail.

    id:            as it was given; found_as: the one under which Cloudflare had the mail, where it was asked.
    disposition:   Cloudflare's word in upper case; None where there was no detection, or none was given.
    escalates:     whether that is one to alert on.
    severity:      how urgent it is; None where there is nothing to alert on.
    reason:        the rule that decided.
    escalate_on:   the dispositions that were to be escalated at the time.
    detail:        what a human should know beside the reason.
    drift:         where the answer did not match Cloudflare's contract, as `path: rule`.
    queued_at:     when the request first arrived; fetched_at: when Cloudflare answered; decided_at: when we judged.
    sqs_message_id: the request's message.
    context:       None where Cloudflare was not asked, or did not answer in time.
    turn:          how often the mail's disposition had changed before, as far as anybody was told.
    previous:      what was told before, where that was something else.
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
    found_as: MessageId | None = None
    disposition: str | None = None
    escalates: bool = False
    severity: str | None = None
    detail: str = ""
    detection: Detection | None = None
    drift: tuple[str, ...] = ()
    context: Context | None = None
    turn: int = 0
    previous: Told | None = None

    @property
    def alert_id(self) -> str:
        """What a repeated alert is known by: the same for the same account, id, disposition and turn, for ever."""
        turn = (str(self.turn),) if self.turn else ()
        identity = "\n".join((self.account_id, self.id.value, self.disposition or "", *turn))
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    @property
    def activity(self) -> Activity:
        """What its alert is in the life of the mail."""
        if not self.escalates:
            return Activity.CLOSE
        return Activity.UPDATE if self.previous else Activity.CREATE

    @property
    def delivery(self) -> Delivery:
        """Where the mail is."""
        return self.context.delivery if self.context else Delivery.UNKNOWN

    @property
    def investigate_id(self) -> str | None:
        """The mail's full name, where it is known."""
        return self._known(Form.INVESTIGATE)

    @property
    def cloudflare_alert_id(self) -> str | None:
        """The mail's name with its time, where that is known: not the id of our alert."""
        full = self.investigate_id
        return full.rpartition("-")[0] if full else self._known(Form.ALERT)

    def _known(self, form: Form) -> str | None:
        ids = (self.id, self.found_as, self.context.id if self.context else None)
        return next((it.value for it in ids if it and it.form is form), None)

    @property
    def standing_key(self) -> dict[str, str]:
        """Where it is written what was last told about the mail."""
        return {"about": self.id.postfix_id, "entry": f"{self.account_id}/{self.id}"}

    @property
    def alert_key(self) -> dict[str, str]:
        """The key under which at most one alert is ever claimed."""
        turn = f"#{self.turn}" if self.turn else ""
        return self._key(f"{self.disposition}{turn}")

    @property
    def observation_key(self) -> dict[str, str]:
        """The key of a decision not to alert: a request that is delivered twice is recorded once."""
        return self._key(f"{self.disposition or self.outcome}#{self.sqs_message_id}")

    def _key(self, decision: str) -> dict[str, str]:
        return {"about": self.id.postfix_id, "entry": f"{self.account_id}/{self.id}#{decision}"}


def moment(at: datetime) -> str:
    """UTC, ISO 8601 to the millisecond: text that sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
