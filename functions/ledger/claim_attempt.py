"""One email in a claim: what the table holds, the writes that follow, and what their refusal means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from functions.domain.email_state import MAX_RECIPIENTS, EmailState, Plan, last_alert, plan
from functions.domain.recipients import recipients
from functions.domain.record import Record, State, moment
from functions.ledger.campaigns import MAX_CAMPAIGN_WRITES, NO_CAMPAIGNS, CampaignOptions, Campaigns
from functions.ledger.email_item import email_attributes, read_email
from functions.ledger.item import attributes, read_record
from functions.ledger.keys import YES, alert_key, alert_key_of, email_key, recipient_pointers
from functions.ledger.table import Table
from functions.ledger.transaction import MAX_WRITES, Refusal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


class ClaimStatus(Enum):
    """The result of a claim."""

    CLAIMED = "this worker publishes the alert"
    NOT_DUE = "these answers make no alert due"
    SENT = "the alert was sent before"
    HELD = "another worker holds the alert, and may be publishing it now"
    UNKNOWN = "the table could not say"


@dataclass(frozen=True, slots=True)
class Claim:
    """The result for the answers about one email.

    alert:              the alert, if one is CLAIMED, SENT or HELD.
    superseded:         positions of answers that a later answer has overtaken.
    lease_seconds_left: until another worker's lease expires.
    receipts:           SNS message ids by topic, of a topic that has taken the alert from an earlier worker.
    unindexed:          an earlier record whose pointers may be missing: a worker died before it wrote them.
    """

    status: ClaimStatus
    alert: Record | None = None
    superseded: frozenset[int] = frozenset()
    lease_seconds_left: float = 0.0
    unindexed: Record | None = None
    receipts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClaimOwner:
    """The worker that claims. Only the owner of a claim can mark its record.

    owner:     unlike that of any other invocation.
    lease:     the time for which no other worker takes the claim over.
    publishes: whether alerts are published. If so, alerts that were recorded without a topic are claimed as well.
    campaigns: how copies of one email are told from others.
    """

    owner: str
    now: datetime
    lease: timedelta
    publishes: bool
    campaigns: CampaignOptions = NO_CAMPAIGNS


@dataclass(slots=True, eq=False)
class ClaimAttempt:
    """The claim for one email on its way: what the table is known to hold, and the plan that follows from it."""

    table: Table
    owner: ClaimOwner
    state: EmailState
    records: Sequence[Record]
    claim: Claim | None = None
    conflicted: bool = False
    plan: Plan = field(init=False)
    alert: Record | None = field(init=False, default=None)
    _sent: Claim | None = field(init=False, default=None)
    _replaced: Record | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._replan()

    @property
    def resumes(self) -> bool:
        """Whether the claim takes over an alert that another worker has claimed before."""
        claimed = self.claim.alert if self.claim and self.claim.status is ClaimStatus.CLAIMED else None
        last = self.state.alert
        return bool(claimed and last and last.alert_id == claimed.alert_id)

    def writes(self, campaigns: Campaigns) -> "list[TransactWriteItemTypeDef]":
        """The writes of the next round; none if the claim is decided without one."""
        self.alert = None
        if self.plan.state == self.state and self.plan.alert is None:
            self.claim = self._unclaimed()
            return []
        replacing = self._replacing(self.plan.alert) if self.plan.alert else []
        if self.claim:
            return []
        last, known = self.state.alert, self.plan.state.recipients
        found = {*self.state.recipients}
        if self.plan.alert:
            self.alert = campaigns.placed(self.plan.alert)
            last = last_alert(self.alert)
            found = {*recipients(self.alert.detection, self.alert.details)}
        writes = [self._email_write()]
        if self.alert:
            writes += [self._record_write(self.alert), *replacing]
        new = [it for it in known if it not in found]
        if last and new:
            is_full = len(known) >= MAX_RECIPIENTS
            pointers = recipient_pointers(new, last, email_key(self.records[0]), is_full=is_full)
            room = MAX_WRITES - len(writes) - (MAX_CAMPAIGN_WRITES if self.alert else 0)
            # The last one says that there may be more.
            writes += [
                self.table.put({**pointer, "expires_at": self.table.expires_at(self.records[0])})
                for pointer in pointers[-room:]
            ]
        return writes

    def finish(self, refusal: Refusal | None, *, is_conflict: bool) -> None:
        """Decide the claim by the result of its writes, or learn what the next round needs.

        is_conflict: no condition failed, of these writes or of those that are done with them.
        """
        self.conflicted = is_conflict
        if refusal is None:
            self.claim = (
                Claim(ClaimStatus.CLAIMED, self.alert, self.plan.superseded, unindexed=self._replaced)
                if self.alert
                else self._unclaimed()
            )
            return
        email, *record = refusal
        if email.condition_failed:
            self.state = read_email(email.item)
            self._replan()
        elif record and record[0].condition_failed and self.alert:
            self._refused(self.alert, record[0].item)

    def _refused(self, alert: Record, item: dict[str, Any]) -> None:
        """The alert's record cannot be claimed: it is complete, or another worker holds it."""
        if item["state"] == State.PENDING:
            if item.get("owner") == self.owner.owner:  # an earlier try, whose answer was lost
                self.claim = Claim(ClaimStatus.CLAIMED, alert, self.plan.superseded, unindexed=self._replaced)
            else:
                self.claim = self._held(alert, item)
            return
        self._sent = Claim(ClaimStatus.SENT, alert, self.plan.superseded, unindexed=read_record(item))
        if self.state.alert and self.state.alert.alert_id == alert.alert_id:
            # The email's item may still need these answers: the next round writes them without the alert.
            self._replan()
        else:
            # The email's item has expired and the record has not yet: DynamoDB deletes them at different times.
            self.claim = replace(self._sent, unindexed=None)

    def _held(self, alert: Record, item: dict[str, Any]) -> Claim:
        left = max(0.0, (_lease_end(item) - self.owner.now).total_seconds())
        return Claim(ClaimStatus.HELD, alert, self.plan.superseded, lease_seconds_left=left)

    def _replacing(self, alert: Record) -> "list[TransactWriteItemTypeDef]":
        """Settle the record of the last alert, if its worker died, before another alert takes its place.

        While that worker may still publish, the claim is HELD, so that subscribers get the alerts in order.
        """
        last = self.state.alert
        if last is None or self.state.complete or last.revision == alert.revision:
            return []
        key = alert_key_of(email_key(alert), last.revision)
        [item] = self.table.get([key])
        self._replaced = read_record(item) if item else None
        if not item or item["state"] != State.PENDING:
            return []
        if _lease_end(item) > self.owner.now:
            self.claim = self._held(alert, item)
            return []
        update = self.table.update(
            key,
            {"state": State.REPLACED},
            "#state = :pending AND lease_until < :now",
            {":pending": State.PENDING, ":now": moment(self.owner.now)},
        )
        update["UpdateExpression"] += " REMOVE lease_until, pending"
        return [{"Update": update}]

    def _replan(self) -> None:
        if self._sent and self._sent.alert and self.state.alert:
            sent = self._sent.alert.alert_id == self.state.alert.alert_id
            self.state = replace(self.state, complete=self.state.complete or sent)
        self.plan = plan(self.state, self.records)

    def _unclaimed(self) -> Claim:
        return self._sent or Claim(ClaimStatus.NOT_DUE, None, self.plan.superseded)

    def _email_write(self) -> "TransactWriteItemTypeDef":
        record, state = self.alert or self.records[0], self.plan.state
        if self.alert:
            state = replace(state, alert=last_alert(self.alert))
        condition = "version = :known_version" if state.version else "attribute_not_exists(version)"
        values: dict[str, object] = {":known_version": state.version} if state.version else {}
        known = email_attributes(state, self.table.expires_at(record))
        return {"Update": self.table.update(email_key(record), known, condition, values)}

    def _record_write(self, record: Record) -> "TransactWriteItemTypeDef":
        owner = self.owner
        known = attributes(record, self.table.retention) | {
            "activity": record.activity,
            "alert_id": record.alert_id,
            "state": State.PENDING,
            "pending": YES,
            "owner": owner.owner,
            "claimed_at": moment(owner.now),
            "lease_until": moment(owner.now + owner.lease),
        }
        update = self.table.update(
            alert_key(record),
            known,
            "attribute_not_exists(pk) OR #state = :recorded OR (#state = :pending AND lease_until < :now)",
            {
                ":pending": State.PENDING,
                ":recorded": State.RECORDED if owner.publishes else "-",
                ":now": moment(owner.now),
                ":one": 1,
            },
        )
        update["UpdateExpression"] += " ADD claim_count :one"
        return {"Update": update}


def _lease_end(item: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(str(item["lease_until"]))
