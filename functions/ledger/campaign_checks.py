"""The campaigns that are due for a look: read, claim a summary, note what it said, and set the next look.

A summary is claimed for SUMMARY_LEASE under the version of the campaign. A run that dies after the publish leaves the
claim, and the next one publishes the same summary again, with the same id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.domain.campaign import Campaign
from functions.domain.campaign_summary import Reported
from functions.domain.record import Record, moment
from functions.ledger.campaign_copies import worst_copy
from functions.ledger.campaign_item import RETENTION, page_attribute, read_campaign, read_moment
from functions.ledger.item import read_record
from functions.ledger.keys import campaign_due_key, campaign_key_of, campaigns_partition, pointed_at
from functions.ledger.table import LedgerUnavailable, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

SUMMARY_LEASE = timedelta(seconds=90)
"""Longer than an invocation."""


@dataclass(frozen=True, slots=True)
class Check:
    """A campaign that is due for a look.

    due:      when; a part of the key of what says so.
    campaign: None if this look is out of date: the campaign has begun anew, or another look follows.
    """

    id: str
    due: str
    campaign: Campaign | None
    reported: Reported
    claimed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CampaignChecks:
    """The looks of an account. Each method raises LedgerUnavailable."""

    table: Table
    account_id: str

    def due(self, now: datetime, limit: int) -> list[Check]:
        """The campaigns that are due, the longest waiting first."""
        items, _ = self.table.query(campaigns_partition(self.account_id), " ", limit, until=moment(now))
        found = [tuple(item["sk"].split(" ", 1)) for item in items]
        states = self.table.get([campaign_key_of(campaign) for _, campaign in found]) if found else []
        return [_check(campaign, due, item) for (due, campaign), item in zip(found, states, strict=True)]

    def worst_copy(self, check: Check, since: datetime) -> Record | None:
        """The record of the most severe copy; None if it has expired."""
        sk = worst_copy(self.table, check.id, since)
        [item] = self.table.get([pointed_at(sk)]) if sk else [{}]
        return read_record(item) if item else None

    def claim(self, check: Check, now: datetime) -> bool:
        """Claim the next summary. False if the campaign has changed, or another run publishes it."""
        if check.campaign is None:
            return False
        until: dict[str, object] = {"summary_until": moment(now + SUMMARY_LEASE)}
        update = self.table.update(
            campaign_key_of(check.id),
            until,
            "version = :known_version AND (attribute_not_exists(summary_until) OR summary_until < :now)",
            {":known_version": check.campaign.version, ":now": moment(now)},
        )
        return not self.table.transact([[{"Update": update}]])

    def note(self, check: Check, reported: Reported, now: datetime, lost: Sequence[str], severity: str) -> None:
        """Note what a published summary said. lost: alerts whose page it replaces."""
        known: dict[str, object] = {
            "summary_copies": reported.copies,
            "summary_in_inbox": reported.in_inbox,
            "summary_at": moment(now),
            "summaries": reported.number,
            "summary_severity": severity,
        }
        update = self.table.update(campaign_key_of(check.id), known | ({"paged_at": moment(now)} if lost else {}))
        update["UpdateExpression"] += f" REMOVE {', '.join(['summary_until', *map(page_attribute, lost)])}"
        if self.table.transact([[{"Update": update}]]):
            raise LedgerUnavailable("the note of a summary met a conflict or a throttle")

    def follow(self, check: Check, due: datetime | None, last_copy_at: datetime | None) -> None:
        """Set the next look at a campaign, or none; then remove this one.

        A run that dies in between looks again. A look that the campaign does not name is only removed.
        """
        if check.campaign:
            known: dict[str, object] = {"check_at": moment(due) if due else ""}
            known |= {"last_copy_at": moment(last_copy_at)} if last_copy_at else {}
            key = campaign_key_of(check.id)
            writes: list[TransactWriteItemTypeDef] = [
                {"Update": self.table.update(key, known, "check_at = :this", {":this": check.due})}
            ]
            if due:
                expires_at = int((due + RETENTION).timestamp())
                next_key = campaign_due_key(self.account_id, due, check.id)
                writes.append(self.table.put({**next_key, "expires_at": expires_at}))
            refusal = self.table.transact([writes]).get(0)
            if refusal and not refusal[0].condition_failed:
                raise LedgerUnavailable("the next look at a campaign met a conflict or a throttle")
        self.table.delete_all([{"pk": campaigns_partition(self.account_id), "sk": f"{check.due} {check.id}"}])


def _check(id: str, due: str, item: Mapping[str, Any]) -> Check:
    reported = Reported(
        copies=item.get("summary_copies", 1),
        in_inbox=item.get("summary_in_inbox", 1),
        at=read_moment(item, "summary_at"),
        number=item.get("summaries", 0),
    )
    is_current = item.get("check_at") == due
    return Check(id, due, read_campaign(id, item) if is_current else None, reported, read_moment(item, "summary_until"))
