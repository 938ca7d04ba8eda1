"""Claim the alerts that answers about emails make due: at most one worker holds an alert at a time.

A claim comes before the publish and a mark after it. A worker that dies in between leaves a PENDING record with a lease
that expires. The redelivered message then takes the record over: an alert can be late, or be repeated once with the same
`alert_id`, and is never lost.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from functions.domain.email_state import MAX_RECIPIENTS, EmailState, Plan, last_alert, plan
from functions.domain.recipients import recipients
from functions.domain.record import Record, State, moment
from functions.ledger.email_item import email_attributes, read_email
from functions.ledger.item import attributes, read_record
from functions.ledger.keys import YES, alert_key, alert_key_of, email_key, recipient_pointers
from functions.ledger.table import Table
from functions.ledger.transaction import MAX_WRITES, Refusal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

ROUNDS = 4
"""Attempts while other invocations change the same email."""
CONFLICT_PAUSE_SECONDS = (0.02, 0.1)
"""The least and the longest pause after a conflict with another transaction, chosen at random."""


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
    """

    owner: str
    now: datetime
    lease: timedelta
    publishes: bool


def claim(
    table: Table,
    emails: "Sequence[tuple[EmailState, Sequence[Record]]]",
    owner: ClaimOwner,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Claim]:
    """Apply the answers about each email, and claim the alerts that become due.

    emails: what is known of each email, and the new answers about it; no email twice. The state may be out of date: the
    table refuses a write that is based on an old version and returns the current one, and the next round starts from it.
    Raises LedgerUnavailable.
    """
    attempts = [ClaimAttempt(table, owner, state, records) for state, records in emails]
    for _ in range(ROUNDS):
        waiting = [attempt for attempt in attempts if attempt.claim is None]
        groups = [attempt.writes() for attempt in waiting]
        writing = [(attempt, group) for attempt, group in zip(waiting, groups, strict=True) if group]
        if not writing:
            break
        refusals = table.transact([group for _, group in writing])
        for i, (attempt, _) in enumerate(writing):
            attempt.finish(refusals.get(i))
        if any(attempt.conflicted for attempt in waiting):
            sleep(random.uniform(*CONFLICT_PAUSE_SECONDS))
    return _with_receipts(table, attempts)


def _with_receipts(table: Table, attempts: "Sequence[ClaimAttempt]") -> list[Claim]:
    """The claims. One that takes an alert over from another worker has the receipts that this worker left."""
    claims = [attempt.claim or Claim(ClaimStatus.UNKNOWN) for attempt in attempts]
    resumed = [i for i, attempt in enumerate(attempts) if attempt.resumes]
    alerts = [it.alert for it in (claims[i] for i in resumed) if it.alert]
    items = table.get([alert_key(alert) for alert in alerts]) if alerts else []
    for i, item in zip(resumed, items, strict=True):
        claims[i] = replace(claims[i], receipts=item.get("receipts", {}))
    return claims


@dataclass(slots=True)
class ClaimAttempt:
    """The claim for one email on its way: what the table is known to hold, and the plan that follows from it."""

    table: Table
    owner: ClaimOwner
    state: EmailState
    records: Sequence[Record]
    claim: Claim | None = None
    conflicted: bool = False
    plan: Plan = field(init=False)
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

    def writes(self) -> "list[TransactWriteItemTypeDef]":
        """The writes of the next round; none if the claim is decided without one."""
        if self.plan.state == self.state and self.plan.alert is None:
            self.claim = self._unclaimed()
            return []
        writes = [self._email_write()]
        if self.plan.alert:
            writes += [self._record_write(self.plan.alert), *self._replacing(self.plan.alert)]
        last, known = self.state.alert, self.plan.state.recipients
        found = {*self.state.recipients}
        if self.plan.alert:
            last = last_alert(self.plan.alert)
            found = {*recipients(self.plan.alert.detection, self.plan.alert.details)}
        new = [it for it in known if it not in found]
        if last and new:
            is_full = len(known) >= MAX_RECIPIENTS
            pointers = recipient_pointers(new, last, email_key(self.records[0]), is_full=is_full)
            # The last one says that there may be more.
            writes += [
                self.table.put({**pointer, "expires_at": self.table.expires_at(self.records[0])})
                for pointer in pointers[-(MAX_WRITES - len(writes)) :]
            ]
        return [] if self.claim else writes

    def finish(self, refusal: Refusal | None) -> None:
        """Decide the claim by the result of its writes, or learn what the next round needs."""
        self.conflicted = False
        if refusal is None:
            self.claim = (
                Claim(ClaimStatus.CLAIMED, self.plan.alert, self.plan.superseded, unindexed=self._replaced)
                if self.plan.alert
                else self._unclaimed()
            )
            return
        email, *record = refusal
        if email.condition_failed:
            self.state = read_email(email.item)
            self._replan()
        elif record and record[0].condition_failed and self.plan.alert:
            self._refused(self.plan.alert, record[0].item)
        else:
            self.conflicted = True

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
        record, state = self.plan.alert or self.records[0], self.plan.state
        if self.plan.alert:
            state = replace(state, alert=last_alert(self.plan.alert))
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
