"""The values by which a record can be found, each in its canonical form.

Links are those of the email and the URLs that findings name, such as the target of a QR code. Values that findings name
come first, so that padding an email with harmless links does not hide the one that Cloudflare found.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from urllib.parse import unquote

from functions.domain.addresses import addresses
from functions.domain.detection import Detection, read_detection
from functions.domain.indicators import IndicatorKind, search_key
from functions.domain.mentions import LONGEST_TEXT, has_nested, mentioned, nested_hosts
from functions.domain.message_details import MessageDetails
from functions.domain.recipients import recipient_texts
from functions.domain.spelling import clean, folded

MAX_VALUES = 100
"""Values of one kind per record. Each is a write; the numbers that were cut are recorded."""
MAX_CATEGORIES = 20
MAX_TEXT = 250_000
"""Characters of all links, and of all hashes, that are read. A sender must not choose how long a batch takes: together,
all limits allow 0.1 seconds for each kind. The texts that are not read are counted as cut."""
MAX_MAIL_TEXT = 50_000
"""Characters of all texts that are searched for indicators: of findings, of headers, of the texts of links, and of links
with a link inside. They take ten times longer."""
_SENDER_HEADERS = (
    *("from", "reply-to", "return-path", "sender", "resent-from", "resent-sender", "x-sender", "x-original-from"),
    *("x-original-sender", "x-envelope-from", "envelope-from", "errors-to", "mail-reply-to", "mail-followup-to"),
    "disposition-notification-to",
)
_NAMED_BY: Mapping[str, str] = {
    **dict.fromkeys(_SENDER_HEADERS, "sender"),
    **dict.fromkeys(("x-originating-ip", "x-sender-ip"), "ip"),
    # Mail clients show these as links.
    **dict.fromkeys(("list-unsubscribe", "list-help", "list-subscribe", "list-archive"), "link"),
    "message-id": "message-id",
}
"""What a header names, by its name in lower case."""
_MAILTO = re.compile(r"\s*mailto:", re.IGNORECASE)
_MAILTO_FIELDS = re.compile(r"[?&]|(?:to|cc|bcc)=", re.IGNORECASE)


class SearchKind(StrEnum):
    """What a value is of the email."""

    LINK_HOST = "link_host"
    ATTACHMENT_HASH = "attachment_hash"
    CATEGORY = "category"
    RECIPIENT = "recipient"
    SENDER = "sender"
    """An address: of the From header, the envelope sender, or Reply-To."""
    SENDER_DOMAIN = "sender_domain"
    """The domain of any of these, or the one that Cloudflare names."""
    SENDER_IP = "sender_ip"
    MESSAGE_ID = "message_id"
    CAMPAIGN = "campaign"
    """The id of its campaign, which is no text of the email."""


INDICATOR_KINDS: Mapping[SearchKind, IndicatorKind] = {
    SearchKind.LINK_HOST: IndicatorKind.HOST,
    SearchKind.ATTACHMENT_HASH: IndicatorKind.HASH,
    SearchKind.RECIPIENT: IndicatorKind.ADDRESS,
    SearchKind.SENDER: IndicatorKind.ADDRESS,
    SearchKind.SENDER_DOMAIN: IndicatorKind.DOMAIN,
    SearchKind.SENDER_IP: IndicatorKind.IP,
    SearchKind.MESSAGE_ID: IndicatorKind.MESSAGE_ID,
}
"""How the values of each kind are spelled. A category is text."""


@dataclass(frozen=True, slots=True)
class SearchValues:
    """values: canonical, each once, at most MAX_VALUES of a kind.

    cut: how many more there were of a kind. A text that was not read counts as one.
    """

    values: Mapping[SearchKind, tuple[str, ...]]
    cut: Mapping[SearchKind, int]

    @property
    def full(self) -> list[SearchKind]:
        """Kinds at their limit or cut. The email may have further values, by which the record is not found."""
        return [kind for kind, found in self.values.items() if len(found) >= max_values(kind) or kind in self.cut]


def max_values(kind: SearchKind) -> int:
    """How many values of a kind a record can be found by."""
    return MAX_CATEGORIES if kind is SearchKind.CATEGORY else MAX_VALUES


def search_value(kind: SearchKind, text: str) -> str:
    """A value in the form in which it is stored and asked for; empty if it is none."""
    indicator = INDICATOR_KINDS.get(kind)
    return search_key(indicator, text) if indicator else folded(text)


def search_values(detection: Detection | None, details: MessageDetails | None) -> SearchValues:
    """All values by which a record can be found."""
    values: dict[SearchKind, tuple[str, ...]] = {}
    cut: dict[SearchKind, int] = {}
    texts, unread = _texts(detection or _NOTHING, details)
    for kind in SearchKind:
        found = dict.fromkeys(value for text in dict.fromkeys(texts[kind]) if (value := search_value(kind, text)))
        limit = max_values(kind)
        values[kind] = tuple(found)[:limit]
        if len(found) > limit or kind in unread:
            cut[kind] = max(0, len(found) - limit) + unread[kind]
    return SearchValues(values, cut)


def _texts(
    detection: Detection, details: MessageDetails | None
) -> tuple[Mapping[SearchKind, list[str]], Counter[SearchKind]]:
    """The texts of each kind, those of findings first, and how many texts of each kind are not read."""
    texts: dict[SearchKind, list[str]] = {kind: [] for kind in SearchKind}
    unread: Counter[SearchKind] = Counter()

    def within(kinds: Iterable[SearchKind], found: Iterable[str], characters: int) -> list[str]:
        read, more = _within(found, characters)
        if characters == MAX_MAIL_TEXT:
            more += sum(len(text) >= LONGEST_TEXT for text in read)  # their ends are not read
        if more:
            unread.update(dict.fromkeys(kinds, more))
        return read

    bare: list[str] = []
    for text in within(_IN_FINDINGS, _finding_texts(detection, details), MAX_MAIL_TEXT):
        for found in mentioned(text):
            for kind in _MENTIONED.get(found.kind, ()):
                texts[kind].append(found.value)
            if found.kind is IndicatorKind.DOMAIN:
                # A name alone may be that of a file. Only where it is a finding's whole text is it surely no file.
                (texts[SearchKind.LINK_HOST] if len(text.split()) == 1 else bare).append(found.value)
    headers = _headers(detection)
    hrefs = within([SearchKind.LINK_HOST], (it.href for it in detection.links if it.href), MAX_TEXT)
    texts[SearchKind.LINK_HOST] += hrefs
    redirects = filter(has_nested, hrefs)
    for href in within([SearchKind.LINK_HOST], redirects, MAX_MAIL_TEXT):
        texts[SearchKind.LINK_HOST] += nested_hosts(href)
    shown = (it[:_LINK_TEXT] for it in (*(link.text for link in detection.links), *headers["link"]) if it)
    for text in within([SearchKind.LINK_HOST], filter(_IN_TEXT.search, shown), MAX_MAIL_TEXT):
        texts[SearchKind.LINK_HOST] += (it.value for it in mentioned(text) if it.kind is IndicatorKind.HOST)
    texts[SearchKind.LINK_HOST] += bare
    texts[SearchKind.ATTACHMENT_HASH] += within([SearchKind.ATTACHMENT_HASH], _hashes(detection), MAX_TEXT)
    texts[SearchKind.CATEGORY] = [it.name or "" for it in detection.threat_categories]
    named = within([SearchKind.RECIPIENT], recipient_texts(detection, details), MAX_MAIL_TEXT)
    texts[SearchKind.RECIPIENT] = [*_each_address(named)]
    named = within(_OF_SENDERS, _sender_texts(details, headers["sender"]), MAX_MAIL_TEXT)
    named += map(_mailto, within(_OF_SENDERS, filter(_MAILTO.match, hrefs), MAX_MAIL_TEXT))
    senders = [*_each_address(named)]
    # Neither hides the other: the email has any number of headers, and findings quote texts of the email.
    half = MAX_VALUES // 2
    texts[SearchKind.SENDER] = [*senders[:half], *texts[SearchKind.SENDER], *senders[half:]]
    texts[SearchKind.SENDER_DOMAIN] = [
        detection.sender_info.pld or "",
        *(address.rpartition("@")[2] for address in senders if "@" in address),
    ]
    ips = within([SearchKind.SENDER_IP], headers["ip"], MAX_MAIL_TEXT)
    hops = (details.x_originating_ip, details.smtp_previous_hop_ip, details.smtp_helo_server_ip) if details else ()
    known = (detection.sender_info.ip, *hops)
    texts[SearchKind.SENDER_IP] = [*filter(None, known), *texts[SearchKind.SENDER_IP], *ips]
    ids = within([SearchKind.MESSAGE_ID], headers["message-id"], MAX_MAIL_TEXT)
    texts[SearchKind.MESSAGE_ID] = [details.message_id if details and details.message_id else "", *ids]
    return texts, unread


def _within(texts: Iterable[str], characters: int) -> tuple[list[str], int]:
    """The first distinct texts, until they have so many characters together, and how many more there are."""
    distinct = [*dict.fromkeys(texts)]
    for number, text in enumerate(distinct):
        if characters <= 0:
            return distinct[:number], len(distinct) - number
        characters -= len(text)
    return distinct, 0


_NOTHING = read_detection({})
_MENTIONED: Mapping[IndicatorKind, tuple[SearchKind, ...]] = {
    IndicatorKind.HOST: (SearchKind.LINK_HOST,),
    IndicatorKind.IP: (SearchKind.SENDER_IP, SearchKind.LINK_HOST),
    IndicatorKind.ADDRESS: (SearchKind.SENDER,),
    IndicatorKind.HASH: (SearchKind.ATTACHMENT_HASH,),
}


_IN_FINDINGS = (SearchKind.LINK_HOST, SearchKind.ATTACHMENT_HASH, SearchKind.SENDER, SearchKind.SENDER_IP)
_OF_SENDERS = (SearchKind.SENDER, SearchKind.SENDER_DOMAIN)


def _finding_texts(detection: Detection, details: MessageDetails | None) -> Iterator[str]:
    """What Cloudflare found, values first."""
    findings = detection.findings
    texts = chain(
        (it.value for it in findings),
        (text for it in findings for text in (it.detail, it.reason, it.portion, it.name, it.attachment, it.field)),
        details.detection_reasons if details else (),
        (detection.validation.comment,),
    )
    return (text for text in texts if text)


_LINK_TEXT = 2_000
_IN_TEXT = re.compile(r":[/\\]|(?:https?|ftp|(?<![a-z])wss?):|www\.|[/\\]{2}", re.IGNORECASE)


def _sender_texts(details: MessageDetails | None, headers: Iterable[str]) -> Iterator[str]:
    """The texts that name senders, and to which address a reply goes."""
    if details:
        yield from filter(None, (details.from_, details.envelope_from, details.replyto))
    yield from headers


def _mailto(href: str) -> str:
    """The addresses of a link that writes an email, as a list."""
    return _MAILTO_FIELDS.sub(", ", unquote(_MAILTO.sub("", href[:LONGEST_TEXT])))


def _each_address(texts: Iterable[str]) -> Iterator[str]:
    """The addresses in each text. A text without an address as it is."""
    for text in texts:
        yield from addresses(text) or (folded(clean(text)),)


def _headers(detection: Detection) -> dict[str, list[str]]:
    """The values of headers, by what they name."""
    found: dict[str, list[str]] = {"sender": [], "ip": [], "link": [], "message-id": []}
    for header in detection.headers:
        if header.value and header.name and (names := _NAMED_BY.get(header.name.strip(" \t:").lower())):
            found[names].append(header.value)
    return found


def _hashes(detection: Detection) -> Iterator[str]:
    for attachment in detection.attachments:
        yield from filter(None, (attachment.sha256, attachment.sha1, attachment.md5))
