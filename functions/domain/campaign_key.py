"""What makes emails copies of one campaign, and what makes a copy new.

Two emails are copies if Cloudflare gives both the same fingerprint (`edf_hash`). Without a fingerprint they are copies if
sender and subject agree. The subject is compared without what differs from copy to copy: numbers, ids, reply prefixes, the
name and address of the recipient.

Links and files are no part of the key. They are traits: a copy with a new one notifies people, so that no sender can hide
an attack behind the From and Subject of a known campaign.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from functions.domain.header_fields import HeaderFields, header_fields
from functions.domain.record import Record
from functions.domain.search_values import SearchKind, search_values
from functions.domain.spelling import INVISIBLE

MAX_TRAITS = 300
"""Traits that a campaign keeps. Further ones are new each time, which notifies people too often rather than never."""
_ID_LENGTH = 20
_TRAIT_LENGTH = 12
"""Hexadecimal digits. A false match would hide what is new: with 300 traits its odds are one in 10^12."""
_TRAITS = {
    SearchKind.LINK_HOST: "link host",
    SearchKind.ATTACHMENT_HASH: "attachment",
    SearchKind.CATEGORY: "threat category",
}
_MAX_SUBJECT = 1_000
"""Characters of a subject that are compared."""
_PREFIX = (
    r"(?:re|fwd?|aw|wg|antw|antwort|doorst|sv|vs|vb|vl|tr|rv|res|enc|ref|rif|odp|pd|ynt|ilt|atb|hl|bls"
    r"|回复|回覆|答复|答覆|转发|轉寄|轉發|返信|転送|答[复復]|رد|إعادة توجيه|تحويل|השב|הועבר|отв(?:ет)?|пересл(?:ано)?|на|σχετ|πρθ)"
    r"\s*(?:\[\d+\]|\(\d+\)|\d+)?\s*:\s*"
)
"""Of a reply or a forward, in the languages of the common mail clients."""
_TAG = r"[\[({*<]+\s*(?:external|externe?|ext|suspicious|spam|caution)(?:[ :-]+(?:e-?mail|sender|mail))?\s*[\])}*>]+[\s:-]*"
"""What a mail gateway puts before a subject."""
_BEFORE = re.compile(f"(?:{_PREFIX}|{_TAG})")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_ID = re.compile(r"(?<![a-z0-9])(?=[a-z0-9_./#-]*[0-9])[a-z0-9][a-z0-9_./#-]*", re.ASCII)
"""A word of ASCII letters and digits that has a digit: a number, a date, an invoice id, a hash."""
_NUMBER = re.compile(r"\d+(?:[.,:/\s-]*\d+)*")
_NAME_PARTS = re.compile(r"[._+=-]+")
_LEAST_NAME = 3
"""Characters of a part of a recipient's address that is taken for a name."""
_JOINED = re.compile(r"(?:(?<=\W)|^)0(?:[\s.,:/#-]+0)+(?=\W|$)")
_SYMBOLS = frozenset({"So", "Sk", "Cf", "Co", "Cn"})
"""Categories of Unicode: emoji and what modifies them, and what has no meaning in a subject."""
_NOISE = re.compile(r"[\s\u2010-\u2015\-_.,:;!?|*#\"'`\u2018-\u201f…~]+")


@dataclass(frozen=True, slots=True)
class CampaignKey:
    """Of one email.

    similar: the id of a campaign by Cloudflare's fingerprint; empty without one.
    text:    the id of a campaign by sender and subject.
    traits:  digests of link hosts, attachments and threat categories, by what each is.
    """

    similar: str
    text: str
    traits: dict[str, str]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the campaigns that the email can belong to, the surest first."""
        return (self.similar, self.text) if self.similar else (self.text,)


def campaign_key(record: Record) -> CampaignKey:
    """The key of an escalated record."""
    fields = header_fields(record.detection, record.details)
    values = search_values(record.detection, record.details).values
    traits = {_digest(kind, value, _TRAIT_LENGTH): name for kind, name in _TRAITS.items() for value in values[kind]}
    fingerprint = next((it.edf_hash for it in (record.details, record.feed) if it and it.edf_hash), "").strip()
    has_indicator = bool(values[SearchKind.LINK_HOST] or values[SearchKind.ATTACHMENT_HASH])
    subject = normalized_subject(fields.subject, fields.recipients)
    sender = _sender(fields, values[SearchKind.SENDER_DOMAIN], whole=not (has_indicator and subject))
    # Of an email whose sender is not known, nothing says that another one is a copy.
    text = f"text\n{sender}\n{subject}" if sender else f"email\n{record.email}"
    return CampaignKey(
        similar=_digest(record.account_id, f"similar\n{fingerprint}", _ID_LENGTH) if fingerprint else "",
        text=_digest(record.account_id, text, _ID_LENGTH),
        traits=traits,
    )


def _sender(fields: HeaderFields, domains: Collection[str], *, whole: bool) -> str:
    """The domain of From. whole: the addresses of From and Reply-To, where little else tells two attackers apart."""
    addresses = sorted({it.address for it in fields.senders if it.address})
    if whole:
        return " ".join(addresses + sorted({it.address for it in fields.other_reply_to}))
    if addresses:
        return " ".join(sorted({it.rpartition("@")[2] for it in addresses}))
    return fields.envelope_sender.rpartition("@")[2] or next(iter(domains), "")


def normalized_subject(subject: str, recipients: Collection[str] = ()) -> str:
    """The subject without what differs between the copies of a campaign.

    recipients: addresses, whose names, parts of names and domains are left out. Encoded words are decoded already.
    """
    text = unicodedata.normalize("NFKC", subject[:_MAX_SUBJECT]).translate(INVISIBLE).casefold().strip()
    while before := _BEFORE.match(text):
        text = text[before.end() :]
    if not text.isascii():
        text = "".join(" " if unicodedata.category(it) in _SYMBOLS else it for it in text)
    text = _ADDRESS.sub("@", text)
    if names := _names(recipients):
        text = re.sub(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)", "@", text)
    text = _NUMBER.sub("0", _ID.sub("0", text))
    text = _NOISE.sub(" ", text).strip()
    return re.sub(r"(?:@ ?)+", "@ ", _JOINED.sub("0", text)).strip()


def _names(recipients: Collection[str]) -> list[str]:
    """The domains of addresses, their local parts and the parts of these, longest first."""
    found: set[str] = set()
    for address in recipients:
        local, _, domain = address.casefold().rpartition("@")
        found |= {domain, local, *_NAME_PARTS.split(local)}
    return sorted((it for it in found if len(it) >= _LEAST_NAME and not it.isdigit()), key=len, reverse=True)


def _digest(kind: str, value: str, length: int) -> str:
    return hashlib.sha256(f"{kind}\n{value}".encode()).hexdigest()[:length]
