"""The campaigns of a batch: read at once, and changed by the copies that take the page.

In each round of claims, a campaign is changed by one write at most: DynamoDB refuses a transaction that names an item
twice. All copies that rely on a page taken in the same round are claimed with it, all or none. Otherwise a copy could be
recorded as a member of a campaign without a page.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.domain.campaign import Campaign, Page, belongs_to, member, place
from functions.domain.campaign_key import CampaignKey, campaign_key
from functions.domain.message_details import EmailKind
from functions.domain.notification import may_notify, notifies
from functions.domain.record import Record, moment
from functions.domain.severity import Severity
from functions.ledger.campaign_item import FIRST_CHECK, RETENTION, campaign_attributes, read_campaign
from functions.ledger.keys import campaign_due_key, campaign_key_of
from functions.ledger.table import Table
from functions.ledger.transaction import RefusedWrite

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

MAX_CAMPAIGN_WRITES = 3
"""Of one page: the campaign, the id by sender and subject, and when its summary is due."""


@dataclass(frozen=True, slots=True)
class CampaignOptions:
    """gap: a campaign ends so long after its last copy; None: campaigns are off. least: NotifySeverity."""

    gap: timedelta | None = None
    least: Severity = Severity.LOW


NO_CAMPAIGNS = CampaignOptions()


@dataclass(slots=True)
class Campaigns:
    """What is known of the campaigns of a batch.

    pages: the pages that are taken in this round, by the id of their campaign.
    """

    table: Table
    options: CampaignOptions
    now: datetime
    lease: timedelta
    pages: dict[str, Page] = field(default_factory=dict)
    _known: dict[str, Campaign] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)
    _keys: dict[str, CampaignKey] = field(default_factory=dict)
    _account: str = ""

    def begin_round(self, alerts: Iterable[Record]) -> None:
        """Forget what was taken in the last round, and read the campaigns of these alerts. Raises LedgerUnavailable."""
        self.pages, self._aliases = {}, {}
        if self.options.gap is None:
            return
        for alert in alerts:
            self._account = alert.account_id
            if _counts(alert) and alert.alert_id not in self._keys:
                self._keys[alert.alert_id] = campaign_key(alert)
        self._read([it for key in self._keys.values() for it in key.ids])
        self._read([it.alias_of for it in self._known.values() if it.alias_of])

    def _read(self, ids: Iterable[str]) -> None:
        missing = [it for it in dict.fromkeys(ids) if it not in self._known]
        if missing:
            items = self.table.get([campaign_key_of(it) for it in missing])
            self._known |= {it: read_campaign(it, item) for it, item in zip(missing, items, strict=True)}

    def placed(self, alert: Record) -> Record:
        """The alert with its place in a campaign, and whether it notifies people. It may take the page."""
        gap = self.options.gap
        if gap is not None and _counts(alert):
            key = self._keys[alert.alert_id]
            campaign = self._campaign(key, gap)
            if may_notify(alert, self.options.least):
                its_place, page = place(campaign, alert, key, now=self.now, gap=gap, lease=self.lease)
                if page:
                    self._take(page, key, gap)
            else:
                its_place = member(campaign, self.now, gap)
            alert = replace(alert, campaign=its_place)
        return replace(alert, notified=notifies(alert, self.options.least))

    def _campaign(self, key: CampaignKey, gap: timedelta) -> Campaign:
        known = [self._current(it) for it in key.ids]
        found = belongs_to(known, self.now, gap)
        if isinstance(found, Campaign):
            return found
        target = self._current(found)
        return target if target.is_open(self.now, gap) else known[0]

    def _current(self, id: str) -> Campaign:
        if id in self._aliases:
            return Campaign(id, alias_of=self._aliases[id])
        return self.pages[id].campaign if id in self.pages else self._known.get(id, Campaign(id))

    def _take(self, page: Page, key: CampaignKey, gap: timedelta) -> None:
        earlier = self.pages.get(page.campaign.id)
        # Of several copies that take the page of one campaign in a round, all are in one write.
        self.pages[page.campaign.id] = replace(page, starts=page.starts or bool(earlier and earlier.starts))
        by_text = self._current(key.text)
        if page.starts and key.similar == page.campaign.id and not by_text.is_open(self.now, gap):
            self._aliases[key.text] = key.similar

    def writes(self, id: str) -> "list[TransactWriteItemTypeDef]":
        """The writes of the page of a campaign; the campaign's item first."""
        page = self.pages[id]
        campaign, version = page.campaign, page.campaign.version
        condition = "version = :known_version" if version else "attribute_not_exists(version)"
        values: dict[str, object] = {":known_version": version} if version else {}
        attributes = campaign_attributes(campaign)
        if not page.starts:
            return [{"Update": self.table.update(campaign_key_of(id), attributes, condition, values)}]
        due = self.now + FIRST_CHECK
        item = {**campaign_key_of(id), **attributes, "check_at": moment(due)}
        writes = [self.table.put(item, condition, values)]
        expires_at = int((self.now + RETENTION).timestamp())
        writes.append(self.table.put({**campaign_due_key(self._account, due, id), "expires_at": expires_at}))
        alias = next((text for text, of in self._aliases.items() if of == id), None)
        if alias:
            known = {"alias_of": id, "version": self._known[alias].version + 1, "expires_at": expires_at}
            writes.append(self.table.put({**campaign_key_of(alias), **known}))
        return writes

    def took(self, id: str) -> None:
        """The page is taken: what follows in this batch begins there."""
        campaign = self.pages[id].campaign
        self._known[id] = replace(campaign, version=campaign.version + 1)
        self._known |= {
            text: Campaign(text, self._known[text].version + 1, alias_of=id)
            for text, of in self._aliases.items()
            if of == id
        }

    def refused(self, id: str, write: RefusedWrite) -> None:
        """Learn what the campaign is by now, if another writer has changed it."""
        if write.condition_failed:
            self._known[id] = read_campaign(id, write.item)


def _counts(alert: Record) -> bool:
    """Whether an alert is about a copy of a campaign."""
    return alert.escalates and alert.kind is not EmailKind.SIMULATION
