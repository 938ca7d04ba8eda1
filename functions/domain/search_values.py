"""The values by which a record can be found, each in its canonical form.

Links are those of the email and the URLs that findings name, such as the target of a QR code. Values that findings name
come first, so that padding an email with harmless links does not hide the one that Cloudflare found.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from functions.domain.addresses import addresses
from functions.domain.detection import Detection, read_detection
from functions.domain.indicators import IndicatorKind, search_key
from functions.domain.mentions import mentioned, nested_hosts
from functions.domain.message_details import MessageDetails
from functions.domain.recipients import recipient_texts
from functions.domain.spelling import folded

MAX_VALUES = 100
"""Values of one kind per record. Each is a write; the numbers that were cut are recorded."""
MAX_CATEGORIES = 20
MAX_FINDINGS_TEXT = 100_000
"""Characters of all findings that are searched for indicators."""
_SENDER_HEADERS = frozenset(
    {"from", "reply-to", "return-path", "sender", "resent-from", "resent-sender", "x-sender", "x-original-from"}
    | {"x-original-sender", "x-envelope-from", "envelope-from", "errors-to", "mail-reply-to", "mail-followup-to"}
    | {"disposition-notification-to"}
)
_SENDER_IP_HEADERS = frozenset({"x-originating-ip", "x-sender-ip"})
_LINK_HEADERS = frozenset({"list-unsubscribe", "list-help", "list-subscribe", "list-archive"})
"""Mail clients show these as links."""
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
    """values: canonical, each once, at most MAX_VALUES of a kind. cut: how many more there were of a kind."""

    values: Mapping[SearchKind, tuple[str, ...]]
    cut: Mapping[SearchKind, int]

    @property
    def full(self) -> list[SearchKind]:
        """Kinds at their limit. The email may have further values, by which the record is not found."""
        return [kind for kind, found in self.values.items() if len(found) >= max_values(kind)]


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
    for kind, texts in _texts(detection, details).items():
        found = dict.fromkeys(value for text in texts if (value := search_value(kind, text)))
        limit = max_values(kind)
        values[kind] = tuple(found)[:limit]
        if len(found) > limit:
            cut[kind] = len(found) - limit
    return SearchValues(values, cut)


def _texts(detection: Detection | None, details: MessageDetails | None) -> dict[SearchKind, Iterable[str]]:
    named: dict[SearchKind, list[str]] = {kind: [] for kind in SearchKind}
    bare: list[str] = []
    for text in _finding_texts(detection, details):
        for found in mentioned(text):
            for kind in _MENTIONED.get(found.kind, ()):
                named[kind].append(found.value)
            if found.kind is IndicatorKind.DOMAIN:
                # A name alone may be that of a file. Only where it is a finding's whole text is it surely no file.
                (named[SearchKind.LINK_HOST] if len(text.split()) == 1 else bare).append(found.value)
    if detection is None:
        detection = _NOTHING
    hrefs = [link.href for link in detection.links if link.href]
    senders = [*_senders(detection, details)]
    return {
        SearchKind.LINK_HOST: [*named[SearchKind.LINK_HOST], *hrefs, *_written_hosts(detection, hrefs), *bare],
        SearchKind.ATTACHMENT_HASH: [*named[SearchKind.ATTACHMENT_HASH], *_hashes(detection)],
        SearchKind.CATEGORY: [it.name or "" for it in detection.threat_categories],
        SearchKind.RECIPIENT: _each_address(recipient_texts(detection, details)),
        SearchKind.SENDER: [*senders, *named[SearchKind.SENDER]],
        SearchKind.SENDER_DOMAIN: [
            detection.sender_info.pld or "",
            *(address.rpartition("@")[2] for address in senders if "@" in address),
        ],
        SearchKind.SENDER_IP: [
            detection.sender_info.ip or "",
            *_header_values(detection, _SENDER_IP_HEADERS),
            *named[SearchKind.SENDER_IP],
        ],
        SearchKind.MESSAGE_ID: [
            details.message_id if details and details.message_id else "",
            *_header_values(detection, frozenset({"message-id"})),
        ],
    }


_NOTHING = read_detection({})
_MENTIONED: Mapping[IndicatorKind, tuple[SearchKind, ...]] = {
    IndicatorKind.HOST: (SearchKind.LINK_HOST,),
    IndicatorKind.IP: (SearchKind.SENDER_IP, SearchKind.LINK_HOST),
    IndicatorKind.ADDRESS: (SearchKind.SENDER,),
    IndicatorKind.HASH: (SearchKind.ATTACHMENT_HASH,),
}


def _finding_texts(detection: Detection | None, details: MessageDetails | None) -> Iterator[str]:
    """What Cloudflare found, values first."""
    findings = detection.findings if detection else ()
    texts = [
        *(it.value for it in findings),
        *(text for it in findings for text in (it.detail, it.reason, it.portion, it.name, it.attachment, it.field)),
        *(details.detection_reasons if details else ()),
        detection.validation.comment if detection else None,
    ]
    left = MAX_FINDINGS_TEXT
    for text in dict.fromkeys(texts):
        if text and left > 0:
            left -= len(text)
            yield text


def _written_hosts(detection: Detection, hrefs: Iterable[str]) -> Iterator[str]:
    """The hosts in links: of the targets of redirects, of the text that a reader sees, and of links in headers."""
    for href in hrefs:
        yield from nested_hosts(href)
    texts = (*(link.text for link in detection.links), *_header_values(detection, _LINK_HEADERS))
    for text in texts:
        if text and _IN_TEXT.search(text):
            yield from (it.value for it in mentioned(text[:_LINK_TEXT]) if it.kind is IndicatorKind.HOST)


_LINK_TEXT = 2_000
_IN_TEXT = re.compile(r":[/\\]|(?:https?|ftp|(?<![a-z])wss?):|www\.|[/\\]{2}", re.IGNORECASE)


def _senders(detection: Detection, details: MessageDetails | None) -> Iterator[str]:
    """The addresses of senders, and to which a reply goes. A text without an address as it is."""
    if details:
        yield from _each_address(filter(None, (details.from_, details.envelope_from, details.replyto)))
    yield from _each_address(_header_values(detection, _SENDER_HEADERS))
    mailto = (link.href for link in detection.links if link.href and _MAILTO.match(link.href))
    for href in mailto:
        yield from addresses(_MAILTO_FIELDS.sub(", ", unquote(_MAILTO.sub("", href))))


def _each_address(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from addresses(text) or (text,)


def _header_values(detection: Detection, names: frozenset[str]) -> Iterator[str]:
    return (it.value for it in detection.headers if it.value and (it.name or "").strip(" \t:").lower() in names)


def _hashes(detection: Detection) -> Iterator[str]:
    for attachment in detection.attachments:
        yield from filter(None, (attachment.sha256, attachment.sha1, attachment.md5))
