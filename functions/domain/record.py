"""The record of one decision about one email: what is known, what was decided and why."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from functions.domain.detection import Detection
from functions.domain.email_id import EmailId, IdKind
from functions.domain.feed_facts import FeedFacts
from functions.domain.message_details import Delivery, EmailKind, MessageDetails
from functions.domain.outcome import Outcome, Reason
from functions.domain.severity import Severity

MIXED = 2
"""Different places from which on they are counted."""


class State(StrEnum):
    """The progress of a record."""

    PENDING = "PENDING"
    """Claimed by a worker that publishes the alert, or died before it could. It is not known whether the alert was sent."""
    SENT = "SENT"
    """Published."""
    RECORDED = "RECORDED"
    """Complete without an alert: there is no topic, or the decision was not to alert."""
    REPLACED = "REPLACED"
    """PENDING when its lease expired, and a later alert about the email took its place. It is not known whether it was sent."""


class Activity(StrEnum):
    """What an alert is in the life of an email."""

    CREATE = "Create"
    """The first alert about the email."""
    UPDATE = "Update"
    """The disposition has changed since the last alert, or the severity has risen."""
    CLOSE = "Close"
    """The disposition is not escalated any more."""


class CampaignRole(StrEnum):
    """What an email is in its campaign; see campaign.py."""

    FIRST = "first"
    """It notifies people of the campaign."""
    RAISED = "raised"
    """It notifies people again: it is more severe than the copies before, or brings something new."""
    MEMBER = "member"
    """It is counted."""


@dataclass(frozen=True, slots=True)
class CampaignPlace:
    """The place of an email in its campaign.

    id:    of the campaign.
    since: when its first copy was decided.
    new:   what the email brings that no copy before it had, in words.
    """

    id: str
    role: CampaignRole
    since: datetime
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviousAlert:
    """The alert before this one about the same email. notified: whether people were notified of it."""

    disposition: str
    alert_id: str
    severity: Severity | None = field(default=None, compare=False)
    notified: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One decision about one email.

    id:             the id of the request; resolved_id: the id under which Cloudflare answered.
    disposition:    Cloudflare's word in upper case; None without a detection or a disposition.
    escalates:      whether the disposition raises an alert.
    severity:       None where there is nothing to alert on.
    reason:         the rule that decided.
    escalate_on:    the dispositions that raised an alert at the time.
    detail:         what an operator needs to know beside the reason.
    drift:          where the answer does not match Cloudflare's contract, as `path: rule`.
    queued_at:      when the request first arrived; fetched_at: when Cloudflare answered; decided_at: when we decided.
    sqs_message_id: the SQS message of the request.
    details:        None if Cloudflare was not asked, or did not answer in time.
    worst_delivery: of an alert about several deliveries, where the most severe one is.
    revision:       how many alerts about the email there were before.
    previous:       the alert before this one.
    feed:           what the feed said about the delivery; None if another program sent the request.
    details_pending: whether the feed asks again for the message details.
    details_at:     when the message details came, if that was after the alert.
    campaign:       its place in a campaign; None where campaigns are off, of a simulation and of a Close.
    notified:       whether the alert goes to people, and not to machines only.
    """

    account_id: str
    id: EmailId
    outcome: Outcome
    reason: Reason
    escalate_on: tuple[str, ...]
    queued_at: datetime
    fetched_at: datetime
    decided_at: datetime
    sqs_message_id: str
    resolved_id: EmailId | None = None
    disposition: str | None = None
    escalates: bool = False
    severity: Severity | None = None
    detail: str = ""
    detection: Detection | None = None
    drift: tuple[str, ...] = ()
    details: MessageDetails | None = None
    worst_delivery: Delivery | None = None
    revision: int = 0
    previous: PreviousAlert | None = None
    feed: FeedFacts | None = None
    details_pending: bool = False
    details_at: datetime | None = None
    campaign: CampaignPlace | None = None
    notified: bool = True

    @property
    def email(self) -> str:
        """What identifies the email in the account, whichever form its id was given in; see EmailId.email."""
        return self._longest_id.email

    @property
    def alert_id(self) -> str:
        """The id of our alert: 32 hexadecimal digits, the same for the same account, email and revision."""
        identity = "\n".join((self.account_id, self.email, str(self.revision)))
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    @property
    def finding_uid(self) -> str:
        """The id of the email over all of its alerts: 32 hexadecimal digits."""
        return hashlib.sha256(f"{self.account_id}\n{self.email}".encode()).hexdigest()[:32]

    @property
    def activity(self) -> Activity:
        """What the alert is in the life of the email."""
        if not self.escalates:
            return Activity.CLOSE
        return Activity.UPDATE if self.previous else Activity.CREATE

    @property
    def delivery(self) -> Delivery:
        """Where the email is; of several deliveries, where the most severe one is."""
        source = self.details or self.feed
        return self.worst_delivery or (source.delivery if source else Delivery.UNKNOWN)

    @property
    def kind(self) -> EmailKind:
        """How the email came to Cloudflare; ordinary if that is not known."""
        source = self.details or self.feed
        return source.kind if source else EmailKind.ORDINARY

    @property
    def location(self) -> str:
        """Where the email is, in words; counted if its recipients differ, as in `2 of 8 in an inbox`."""
        counts = self.details.delivery_counts if self.details else {}
        if len(counts) < MIXED or next(iter(counts)) is not self.delivery:
            return self.delivery.label
        return f"{counts[self.delivery]:,} of {sum(counts.values()):,} {self.delivery.label}"

    @property
    def locations(self) -> str:
        """Where the email is for all of its recipients, as in `2 of 8 in an inbox, 6 quarantined`."""
        counts = self.details.delivery_counts if self.details else {}
        others = (f"{count:,} {it.label}" for it, count in counts.items() if it is not self.delivery)
        return ", ".join((self.location, *(others if len(counts) >= MIXED else ())))

    @property
    def investigate_id(self) -> str | None:
        """The id of the delivery, if it is known."""
        return self._known(IdKind.INVESTIGATE)

    @property
    def cloudflare_alert_id(self) -> str | None:
        """Cloudflare's alert id, if it is known. It is not the id of our alert."""
        full = self.investigate_id
        return full.rpartition("-")[0] if full else self._known(IdKind.ALERT)

    @property
    def _ids(self) -> list[EmailId]:
        """The ids of this email. An answer about another email never changes which one this is."""
        known = (self.id, self.resolved_id, self.details.id if self.details else None)
        return [it for it in known if it and it.postfix_id == self.id.postfix_id]

    @property
    def _longest_id(self) -> EmailId:
        return max(self._ids, key=lambda known: len(known.value))

    def _known(self, kind: IdKind) -> str | None:
        return next((known.value for known in self._ids if known.kind is kind), None)


def moment(at: datetime) -> str:
    """UTC, ISO 8601 to the millisecond: text that sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
