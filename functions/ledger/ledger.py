"""The ledger: what is known of emails, claims, marks, and records. One call to DynamoDB for a whole batch in each step."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from functions.domain.campaign import CopyCounts
from functions.domain.email_state import EmailState
from functions.domain.record import CampaignRole, Record, State, moment
from functions.ledger.campaign_copies import copy_item
from functions.ledger.campaign_item import page_attribute
from functions.ledger.claim import claim
from functions.ledger.claim_attempt import Claim, ClaimOwner
from functions.ledger.details_request import PAUSES, DetailsRequest, details_item
from functions.ledger.email_item import read_email
from functions.ledger.item import attributes, details_attributes, read_record
from functions.ledger.keys import alert_key, campaign_key_of, decision_key, email_key, pointed_at, pointers
from functions.ledger.queue_entry import QueueAnswer, answer_item
from functions.ledger.record_counts import Value, record_counts
from functions.ledger.table import LedgerUnavailable, Table
from functions.ledger.transaction import MAX_WRITES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

Published = tuple[Record, Mapping[str, str] | None]
"""A record, and the SNS message ids of its alert by topic; None where alerts are not published."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The records of one table."""

    table: Table

    def states(self, records: Sequence[Record]) -> list[EmailState]:
        """What is known of the email of each record. Raises LedgerUnavailable."""
        return [read_email(item) for item in self.table.get([email_key(record) for record in records])]

    def counts(
        self, values: Collection[Value], since: datetime, limit: int, campaigns: Mapping[str, datetime]
    ) -> tuple[Mapping[Value, int], Mapping[str, CopyCounts]]:
        """How many records have each value, and the copies of campaigns, as far as DynamoDB says; see record_counts.py."""
        return record_counts(self.table, values, since, limit, campaigns)

    def claim(self, emails: Sequence[tuple[EmailState, Sequence[Record]]], owner: ClaimOwner) -> list[Claim]:
        """Apply answers, and claim the alerts that become due; see `claim.claim`."""
        return claim(self.table, emails, owner)

    def mark(self, published: Sequence[Published], owner: str, now: datetime) -> list[bool]:
        """Mark records SENT, or RECORDED where alerts are not published. Their pointers are still to be written.

        False for a record that another worker has taken over. Raises LedgerUnavailable if any is still to be marked.
        """
        marks = [[self._mark(record, receipts, owner, now)] for record, receipts in published]
        refusals = self.table.transact([*marks, *self._page_marks(published, now)])
        current = {i: refusal[0].item for i, refusal in refusals.items()}
        if not all(current.values()):
            raise LedgerUnavailable("a mark met a conflict or a throttle")
        # A record that is still ours was marked by an earlier try, whose answer was lost.
        return [i not in current or current[i].get("owner") == owner for i in range(len(published))]

    def note_receipts(self, published: Sequence[Published], owner: str) -> None:
        """Note which topics have taken an alert that others have not. The record stays PENDING, for the next delivery.

        A record that another worker has taken over stays as it is. Raises LedgerUnavailable.
        """
        writes: list[list[TransactWriteItemTypeDef]] = []
        for record, receipts in published:
            known: dict[str, object] = {"receipts": dict(receipts or {})}
            writes.append([{"Update": self._update_ours(record, known, owner)}])
        refusals = self.table.transact(writes)
        if not all(refusal[0].condition_failed for refusal in refusals.values()):
            raise LedgerUnavailable("the receipts of an alert met a conflict or a throttle")

    def index(self, alerts: Sequence[tuple[Record, Record | None]], *, sent: bool) -> list[bool]:
        """Write the pointers to the marked record of each email's last alert, then note there that the alert is complete.

        Until then a redelivery writes them again, which is harmless. A record without message details also gets a request
        to the feed.

        alerts: each with the alert before it, if its pointers may be missing too.
        sent:   whether the alerts were published, so that a repeated request needs no claim.
        False for an alert whose pointers DynamoDB did not take. Raises LedgerUnavailable.
        """
        groups: dict[int, list[TransactWriteItemTypeDef]] = {}
        for i, (record, before) in enumerate(alerts):
            items = [item for it in (record, before) if it for item in self._index_items(it)]
            complete: dict[str, object] = {"complete_alert": record.alert_id if sent else ""}
            completion: TransactWriteItemTypeDef = {"Update": self.table.update(email_key(record), complete)}
            # A record with very many values: the rest goes ahead in calls that cost half.
            if all(self.table.put_all(items[MAX_WRITES - 1 :])):
                groups[i] = [*(self.table.put(item) for item in items[: MAX_WRITES - 1]), completion]
        refusals = self.table.transact([*groups.values()])
        written = {i for number, i in enumerate(groups) if number not in refusals}
        return [i in written for i in range(len(alerts))]

    def complete(self, waiting: Sequence[tuple[str, Record]], now: datetime) -> None:
        """Add message details to records whose alerts went out without them, and pointers from what only details have.

        waiting: the sort key of each request (details_request.py), and a record of the answer with the details. What the
                 alert said stays as it was: its disposition, severity and delivery.
        Raises LedgerUnavailable. Then a repeat does the same again.
        """
        answers = {of: answer for of, answer in waiting if pointed_at(of)["pk"] == answer.id.postfix_id}
        keys = {of: pointed_at(of) for of in answers}
        items = dict(zip(answers, self.table.get([*keys.values()]), strict=True)) if answers else {}
        updates: dict[str, list[TransactWriteItemTypeDef]] = {}
        for of, answer in answers.items():
            item, details = items[of], answer.details
            if not item or "details" in item or keys[of]["sk"] in updates or details is None:
                continue  # it has expired, or has its details
            known = read_record(item)
            completed = replace(known, details=details, details_at=now, drift=(*known.drift, *details.drift))
            if not all(self.table.put_all(self._pointers(completed, keys[of]))):
                raise LedgerUnavailable("DynamoDB did not take all pointers of a record")
            changed = details_attributes(completed, self.table.retention, item.get("search_cut", {}))
            update = self.table.update(keys[of], changed, "attribute_exists(pk) AND attribute_not_exists(details)")
            update["UpdateExpression"] += " REMOVE details_pending"
            updates[keys[of]["sk"]] = [{"Update": update}]
        refusals = self.table.transact([*updates.values()])
        if not all(refusal[0].condition_failed for refusal in refusals.values()):
            raise LedgerUnavailable("the message details of a record met a conflict or a throttle")
        done = (DetailsRequest.finished(answer.account_id, answer.id, of) for of, answer in answers.items())
        self.table.put_all([*map(details_item, done)])

    def record(self, records: Sequence[Record]) -> list[bool]:
        """Write decisions that need no alert, with pointers to them.

        False for each that DynamoDB did not take as a whole. Raises LedgerUnavailable.
        """
        items: list[tuple[int, dict[str, object]]] = []
        for i, record in enumerate(records):
            key = decision_key(record)
            item = key | attributes(record, self.table.retention) | {"state": State.RECORDED}
            items += [(i, it) for it in (*self._pointers(record, key), item)]
        written = self.table.put_all([item for _, item in items])
        failed = {i for (i, _), done in zip(items, written, strict=True) if not done}
        return [i not in failed for i in range(len(records))]

    def answer_feed(self, account_id: str, answers: Sequence[QueueAnswer]) -> None:
        """Write what came of deliveries that the feed has queued, in one call. Raises LedgerUnavailable."""
        # Of two messages about one delivery, the later one counts: a key may occur only once in a call.
        items = {answer.id: answer_item(account_id, answer) for answer in answers}
        self.table.put_all([*items.values()])

    def _index_items(self, record: Record) -> list[dict[str, object]]:
        key = alert_key(record)
        items = self._pointers(record, key)
        if record.details_pending:
            due, asked = record.decided_at + PAUSES[0], record.resolved_id or record.id
            items.insert(0, details_item(DetailsRequest(record.account_id, asked, key["sk"], due)))
        return items

    def _pointers(self, record: Record, key: dict[str, str]) -> list[dict[str, object]]:
        expires_at = self.table.expires_at(record)
        items = [{**pointer, "expires_at": expires_at} for pointer in pointers(record, key)]
        return [*items, *([copy_item(record, key) | {"expires_at": expires_at}] if record.campaign else [])]

    def _mark(
        self, record: Record, receipts: Mapping[str, str] | None, owner: str, now: datetime
    ) -> "TransactWriteItemTypeDef":
        known: dict[str, object] = {"state": State.RECORDED}
        if receipts:
            known |= {"state": State.SENT, "receipts": dict(receipts), "published_at": moment(now)}
            known["sns_message_id"] = next(iter(receipts.values()))
        update = self._update_ours(record, known, owner)
        update["UpdateExpression"] += " REMOVE lease_until, pending"
        return {"Update": update}

    def _page_marks(self, published: Sequence[Published], now: datetime) -> "list[list[TransactWriteItemTypeDef]]":
        """One write for each campaign whose people were notified: its page is published, whoever holds its lease by now."""
        pages: dict[str, list[str]] = {}
        for record, receipts in published:
            if receipts and record.campaign and record.campaign.role is not CampaignRole.MEMBER:
                pages.setdefault(record.campaign.id, []).append(record.alert_id)
        writes: list[list[TransactWriteItemTypeDef]] = []
        for campaign, alert_ids in pages.items():
            update = self.table.update(campaign_key_of(campaign), {"paged_at": moment(now)})
            update["UpdateExpression"] += f" REMOVE {', '.join(page_attribute(it) for it in alert_ids)}"
            writes.append([{"Update": update}])
        return writes

    def _update_ours(self, record: Record, known: dict[str, object], owner: str) -> "UpdateTypeDef":
        """A write to a record that this worker has claimed and no other worker has taken over."""
        update = self.table.update(
            alert_key(record),
            known,
            "#owner = :owner AND #state = :pending",
            {":owner": owner, ":pending": State.PENDING},
        )
        update["ExpressionAttributeNames"] = {
            **update["ExpressionAttributeNames"],
            "#owner": "owner",
            "#state": "state",
        }
        return update
