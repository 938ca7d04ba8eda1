"""Sample decisions over sixty days, and the values by which each should be found."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.domain.email_id import EmailId
from functions.domain.record import Record, moment
from functions.ledger.keys import alert_key, decision_key
from tests.unit.examples import details, detection, escalated, record

NOW = datetime.now(UTC)
DAYS = 60
RETENTION, LEASE, OWNER = timedelta(days=400), timedelta(seconds=65), "6f3c2a10-owner"
_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYbcdfghjklmnpqrstvwxy"
_DOMAINS = [f"sender{number}.example" for number in range(40)]
_HOSTS = [f"host{number}.example" for number in range(60)]
_HASHES = [f"{number:064x}" for number in range(80)]
_CATEGORIES = ["Credential Harvester", "Malware", "Invoice Fraud"]
_PEOPLE = [f"person{number}@company.example" for number in range(50)]
_DISPOSITIONS = {"MALICIOUS": 5, "MALICIOUS-BEC": 1, "SUSPICIOUS": 3, "SPAM": 1}
"""Relative frequencies."""


@dataclass(frozen=True)
class Sample:
    """One decision. pending: its alert is not confirmed. values: the option values that should find it."""

    record: Record
    pending: bool
    values: dict[str, set[str]]

    @property
    def is_decision_only(self) -> bool:
        """Whether no alert is due."""
        return not self.record.escalates

    @property
    def claimed_at(self) -> datetime:
        """Just after the decision."""
        return self.record.decided_at + timedelta(milliseconds=5)

    @property
    def published_at(self) -> datetime:
        """A little later than the claim."""
        return self.record.decided_at + timedelta(milliseconds=300)

    @property
    def sns_message_id(self) -> str:
        """A unique id."""
        return f"sns-{self.record.id}"

    @property
    def decided_at(self) -> str:
        """The decision time as the ledger writes it."""
        return moment(self.record.decided_at)

    @property
    def sk(self) -> str:
        """Its sort key."""
        return (decision_key(self.record) if self.is_decision_only else alert_key(self.record))["sk"]


def sample_history(count: int, seed: int = 7) -> list[Sample]:
    """Decisions, oldest first. Every tenth is in the millisecond of the one before."""
    chance = random.Random(seed)
    moments = sorted(NOW - timedelta(seconds=chance.uniform(60, DAYS * 86400)) for _ in range(count))
    for number in range(10, count, 10):
        moments[number] = moments[number - 1]
    return [sample(chance, at) for at in moments]


def sample(chance: random.Random, at: datetime, result: dict[str, Any] | None = None, **fields: Any) -> Sample:
    """A decision at this time. result: fields of Cloudflare's response. fields: of the record."""
    [disposition] = chance.choices(list(_DISPOSITIONS), list(_DISPOSITIONS.values()))
    hosts, hashes = choose(chance, _HOSTS, (0, 0, 0, 1, 2)), choose(chance, _HASHES, (0, 0, 0, 1))
    categories, people = choose(chance, _CATEGORIES, (0, 1)), choose(chance, _PEOPLE, (0, 0, 1))
    domain, ip = chance.choice(_DOMAINS), f"203.0.113.{chance.randrange(100)}"
    answer = {
        "final_disposition": disposition,
        "sender_info": {"pld": domain, "ip": ip},
        "links": [{"href": f"https://{host}/x"} for host in hosts],
        "attachments": [{"size": 7, "sha256": it} for it in hashes],
        "threat_categories": [{"name": it} for it in categories],
        "headers": [{"name": "To", "value": it} for it in people],
    }
    new_id = postfix_id(chance)
    placed = details(id=f"{new_id}-2024-01-05T10:00:00-1", delivery_status=["delivered"])
    made: dict[str, Any] = {
        "id": EmailId(new_id),
        "disposition": disposition,
        "detection": detection(**answer | (result or {})),
        "queued_at": at - timedelta(seconds=chance.uniform(0.5, 5)),
        "fetched_at": at - timedelta(milliseconds=20),
        "decided_at": at,
        "sqs_message_id": f"{chance.getrandbits(128):032x}",
        "details": placed if chance.random() < 0.1 else None,
    }
    if disposition == "SPAM":
        made |= {"outcome": "NOT_ESCALATED", "reason": "disposition-not-escalated"}
    decided = record(**made | fields) if disposition == "SPAM" else escalated(**made | fields)
    pending = disposition != "SPAM" and chance.random() < 0.01
    # Pointers are written after the mark, so a pending record has none.
    details_ = decided.details
    pointed: dict[str, set[str]] = {
        "link_host": set(hosts),
        "attachment_hash": set(hashes),
        "sender_ip": {ip},
        "sender_domain": {domain, *(["evil.example"] if details_ else [])},
        "sender": {"pay@evil.example", "bounce@evil.example"} if details_ else set(),
        "message_id": {"1@evil.example"} if details_ else set(),
        "category": {it.lower() for it in categories},
        "recipient": {*people, *(details_.recipients if details_ else ())},
    }
    attributes: dict[str, set[str]] = {
        "disposition": {disposition},
        "severity": {decided.severity or ""},
        "delivered": {decided.delivery.delivered},
        "outcome": {decided.outcome},
        "account_id": {decided.account_id},
        "pending": {"yes"} if pending else set(),
    }
    return Sample(decided, pending, attributes | {name: set() if pending else it for name, it in pointed.items()})


def choose(chance: random.Random, texts: list[str], sizes: tuple[int, ...]) -> list[str]:
    """A few of these, or none."""
    return chance.sample(texts, chance.choice(sizes))


def postfix_id(chance: random.Random) -> str:
    """An id like Postfix's."""
    letters = [chance.choice(_ALPHABET) for _ in range(15)]
    return "".join([*letters[:10], "z", *letters[10:]])
