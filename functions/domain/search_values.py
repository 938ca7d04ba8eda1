"""The values by which a record can be found, each in its canonical form.

Links are those of the email and the URLs that findings name, such as the target of a QR code. Values that findings name
come first, so that padding an email with harmless links does not hide the one that Cloudflare found.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions.domain.detection import Detection, Finding
from functions.domain.indicators import IndicatorKind, canonical, recognize
from functions.domain.message_details import MessageDetails
from functions.domain.recipients import recipients
from functions.domain.spelling import folded

MAX_VALUES = 100
"""Values of one kind per record. Each is a write; the numbers that were cut are recorded."""
MAX_CATEGORIES = 20
_FINDING_TEXT = 2_000
"""Characters of a finding's text that are searched for indicators."""
_SENDER_HEADERS = frozenset({"from", "reply-to", "return-path", "sender"})
_TOKEN = re.compile(r"[^\s\"'<>(),;]+")
_LINK_TOKEN = re.compile(r"[a-z][a-z0-9+.-]{1,20}:[/\\]|www\.", re.IGNORECASE | re.ASCII)


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
    return canonical(indicator, text) if indicator else folded(text)


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


def link_urls(detection: Detection) -> list[str]:
    """The URLs of an email, each once: those that findings name, then those of its links."""
    named = (token for finding in detection.findings for token in _tokens(finding) if _LINK_TOKEN.match(token))
    return list(dict.fromkeys((*named, *(link.href for link in detection.links if link.href))))


def _texts(detection: Detection | None, details: MessageDetails | None) -> dict[SearchKind, Iterable[str]]:
    findings = list(_named_by_findings(detection.findings)) if detection else []
    named = {kind: [text for found, text in findings if found is kind] for kind in SearchKind}
    senders = [*_senders(detection, details)]
    pld = [detection.sender_info.pld or ""] if detection else []
    return {
        SearchKind.LINK_HOST: [*named[SearchKind.LINK_HOST], *(link_urls(detection) if detection else [])],
        SearchKind.ATTACHMENT_HASH: [*named[SearchKind.ATTACHMENT_HASH], *_hashes(detection)],
        SearchKind.CATEGORY: [it.name or "" for it in detection.threat_categories] if detection else [],
        SearchKind.RECIPIENT: recipients(detection, details),
        SearchKind.SENDER: [*senders, *named[SearchKind.SENDER]],
        SearchKind.SENDER_DOMAIN: [*pld, *(it.rpartition("@")[2] for it in map(_address, senders) if it)],
        SearchKind.SENDER_IP: [*([detection.sender_info.ip or ""] if detection else []), *named[SearchKind.SENDER_IP]],
        SearchKind.MESSAGE_ID: [
            details.message_id if details and details.message_id else "",
            (detection.header("message-id") or "") if detection else "",
        ],
    }


def _senders(detection: Detection | None, details: MessageDetails | None) -> Iterator[str]:
    if details:
        yield from filter(None, (details.from_, details.envelope_from, details.replyto))
    for header in detection.headers if detection else ():
        if (header.name or "").strip().lower() in _SENDER_HEADERS and header.value:
            yield header.value


def _address(text: str) -> str:
    value = canonical(IndicatorKind.ADDRESS, text)
    return value if "@" in value else ""


def _hashes(detection: Detection | None) -> Iterator[str]:
    for attachment in detection.attachments if detection else ():
        yield from filter(None, (attachment.sha256, attachment.sha1, attachment.md5))


def _named_by_findings(findings: Iterable[Finding]) -> Iterator[tuple[SearchKind, str]]:
    """What the texts of findings name: URLs, hashes, addresses and IP addresses."""
    kinds = {
        IndicatorKind.HASH: [SearchKind.ATTACHMENT_HASH],
        IndicatorKind.IP: [SearchKind.SENDER_IP, SearchKind.LINK_HOST],
        IndicatorKind.ADDRESS: [SearchKind.SENDER],
    }
    for finding in findings:
        for token in _tokens(finding):
            for indicator in recognize(token):
                for kind in kinds.get(indicator.kind, ()):
                    yield kind, indicator.value
        if finding.value and len(finding.value.split()) == 1:
            for indicator in recognize(finding.value):
                if indicator.kind is IndicatorKind.HOST:
                    yield SearchKind.LINK_HOST, indicator.value


def _tokens(finding: Finding) -> Iterator[str]:
    for text in (finding.value, finding.detail, finding.reason):
        yield from _TOKEN.findall((text or "")[:_FINDING_TEXT])
