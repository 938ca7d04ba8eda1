"""Claim the alerts that answers about emails make due: at most one worker holds an alert at a time.

A claim comes before the publish and a mark after it. A worker that dies in between leaves a PENDING record with a lease
that expires. The redelivered message then takes the record over: an alert can be late, or be repeated once with the same
`alert_id`, and is never lost.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from functions.domain.email_state import EmailState
from functions.domain.record import Record
from functions.ledger.campaigns import MAX_CAMPAIGN_WRITES, Campaigns
from functions.ledger.claim_attempt import Claim, ClaimAttempt, ClaimOwner, ClaimStatus
from functions.ledger.keys import alert_key
from functions.ledger.table import Table
from functions.ledger.transaction import MAX_WRITES, Refusal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

ROUNDS = 4
"""Attempts while other invocations change the same email or campaign."""
CONFLICT_PAUSE_SECONDS = (0.02, 0.1)
"""The least and the longest pause after a conflict with another transaction, chosen at random."""


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
    campaigns = Campaigns(table, owner.campaigns, owner.now, owner.lease)
    for _ in range(ROUNDS):
        waiting = [attempt for attempt in attempts if attempt.claim is None]
        campaigns.begin_round(attempt.plan.alert for attempt in waiting if attempt.plan.alert)
        bundles = _bundles(waiting, campaigns)
        if not bundles:
            break
        refusals = table.transact([bundle.writes for bundle in bundles])
        for i, bundle in enumerate(bundles):
            bundle.finish(refusals.get(i))
        if any(attempt.conflicted for attempt in waiting):
            sleep(random.uniform(*CONFLICT_PAUSE_SECONDS))
    return _with_receipts(table, attempts)


def _bundles(waiting: "Sequence[ClaimAttempt]", campaigns: Campaigns) -> "list[Bundle]":
    """The writes of a round. Copies that rely on a page taken in this round share the writes of the one that takes it."""
    bundles: dict[object, Bundle] = {}
    for attempt in waiting:
        writes = attempt.writes(campaigns)
        if not writes:
            continue
        place = attempt.alert.campaign if attempt.alert else None
        campaign = place.id if place and place.id in campaigns.pages else None
        bundle = bundles.setdefault(campaign or attempt, Bundle(campaigns, campaign))
        if bundle.attempts and len(bundle.own) + len(writes) > MAX_WRITES - MAX_CAMPAIGN_WRITES:
            continue  # the next round has room
        bundle.attempts[attempt] = writes
    return [*bundles.values()]


@dataclass(slots=True)
class Bundle:
    """Writes that are done together, all or none: of one claim, or of all that rely on the page of a campaign."""

    campaigns: Campaigns
    campaign: str | None
    attempts: "dict[ClaimAttempt, list[TransactWriteItemTypeDef]]" = field(default_factory=dict)

    @property
    def own(self) -> "list[TransactWriteItemTypeDef]":
        """The writes of the claims."""
        return [write for writes in self.attempts.values() for write in writes]

    @property
    def writes(self) -> "list[TransactWriteItemTypeDef]":
        """All writes: those of the page come last."""
        return [*self.own, *(self.campaigns.writes(self.campaign) if self.campaign else ())]

    def finish(self, refusal: Refusal | None) -> None:
        """Decide the claims by the result of the writes, or learn what the next round needs."""
        is_conflict = refusal is not None and not any(it.condition_failed for it in refusal)
        position = 0
        for attempt, writes in self.attempts.items():
            its = refusal[position : position + len(writes)] if refusal else None
            attempt.finish(its, is_conflict=is_conflict)
            position += len(writes)
        if self.campaign and refusal is None:
            self.campaigns.took(self.campaign)
        elif self.campaign and refusal:
            self.campaigns.refused(self.campaign, refusal[position])


def _with_receipts(table: Table, attempts: "Sequence[ClaimAttempt]") -> list[Claim]:
    """The claims. One that takes an alert over from another worker has the receipts that this worker left."""
    claims = [attempt.claim or Claim(ClaimStatus.UNKNOWN) for attempt in attempts]
    resumed = [i for i, attempt in enumerate(attempts) if attempt.resumes]
    alerts = [it.alert for it in (claims[i] for i in resumed) if it.alert]
    items = table.get([alert_key(alert) for alert in alerts]) if alerts else []
    for i, item in zip(resumed, items, strict=True):
        claims[i] = replace(claims[i], receipts=item.get("receipts", {}))
    return claims
