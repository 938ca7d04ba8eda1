"""A detection as data: every field that Cloudflare documents, in every generation of its contract.

Reading is lenient on purpose: by now the decision's fields have been checked and drift has been reported, and what is
only shown must not stop an alert. A field of the wrong type reads as absent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_NONCHARACTERS = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the mail; `size` in bytes, hashes in hexadecimal."""

    size: int | None
    content_type: str | None
    detection: str | None
    encrypted: bool | None
    name: str | None
    filename: str | None
    md5: str | None
    sha1: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason for the verdict."""

    attachment: str | None
    detail: str | None
    detection: str | None
    field: str | None
    name: str | None
    portion: str | None
    reason: str | None
    score: float | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Header:
    """A header of the mail, as its sender wrote it."""

    name: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the mail and the text that it stands behind."""

    href: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """Where the mail came from: `geo` is country/region/city with - for unknown, `pld` the private-level domain."""

    as_name: str | None
    as_number: int | None
    geo: str | None
    ip: str | None
    pld: str | None


@dataclass(frozen=True, slots=True)
class ThreatCategory:
    """What kind of threat it is."""

    id: int | None
    name: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Validation:
    """How the sender's authentication went: pass, neutral, fail, error, none."""

    comment: str | None
    dkim: str | None
    dmarc: str | None
    spf: str | None


@dataclass(frozen=True, slots=True)
class Detection:
    """What Cloudflare found in one mail. Source: GET .../email-security/investigate/{id}/detections."""

    action: str | None
    attachments: tuple[Attachment, ...]
    findings: tuple[Finding, ...]
    headers: tuple[Header, ...]
    links: tuple[Link, ...]
    sender_info: SenderInfo
    threat_categories: tuple[ThreatCategory, ...]
    validation: Validation
    final_disposition: str | None
    counts: dict[str, int]
    """How many of each list Cloudflare gave; no more than LONGEST_LIST of them are read."""


LISTS = ("attachments", "findings", "headers", "links", "threat_categories")
LONGEST_LIST = 10_000
"""Items. A mail can be made to have a million links; nobody reads them, and reading them takes the time of others."""


def read_detection(result: dict[str, object]) -> Detection:
    """The `result` of an answer whose decision fields have been checked. Never raises, whatever the other fields are."""
    sender, validation = _fields(result.get("sender_info")), _fields(result.get("validation"))
    return Detection(
        action=_text(result.get("action")),
        attachments=_each(result.get("attachments"), _attachment),
        findings=_each(result.get("findings"), _finding),
        headers=_each(result.get("headers"), lambda it: Header(_text(it.get("name")), _text(it.get("value")))),
        links=_each(result.get("links"), lambda it: Link(_text(it.get("href")), _text(it.get("text")))),
        sender_info=SenderInfo(
            as_name=_text(sender.get("as_name")),
            as_number=_integer(sender.get("as_number")),
            geo=_text(sender.get("geo")),
            ip=_text(sender.get("ip")),
            pld=_text(sender.get("pld")),
        ),
        threat_categories=_each(result.get("threat_categories"), _threat_category),
        validation=Validation(
            comment=_text(validation.get("comment")),
            dkim=_text(validation.get("dkim")),
            dmarc=_text(validation.get("dmarc")),
            spf=_text(validation.get("spf")),
        ),
        final_disposition=_text(result.get("final_disposition")),
        counts={name: len(it) if isinstance(it := result.get(name), list) else 0 for name in LISTS},
    )


def _attachment(it: dict[str, object]) -> Attachment:
    encrypted = it.get("encrypted")
    return Attachment(
        size=_integer(it.get("size")),
        content_type=_text(it.get("content_type")),
        detection=_text(it.get("detection")),
        encrypted=encrypted if isinstance(encrypted, bool) else None,
        name=_text(it.get("name")),
        filename=_text(it.get("filename")),
        md5=_text(it.get("md5")),
        sha1=_text(it.get("sha1")),
        sha256=_text(it.get("sha256")),
    )


def _finding(it: dict[str, object]) -> Finding:
    return Finding(
        attachment=_text(it.get("attachment")),
        detail=_text(it.get("detail")),
        detection=_text(it.get("detection")),
        field=_text(it.get("field")),
        name=_text(it.get("name")),
        portion=_text(it.get("portion")),
        reason=_text(it.get("reason")),
        score=_number(it.get("score")),
        value=_text(it.get("value")),
    )


def _threat_category(it: dict[str, object]) -> ThreatCategory:
    return ThreatCategory(_integer(it.get("id")), _text(it.get("name")), _text(it.get("description")))


def _each(value: object, read: Callable[[dict[str, object]], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(read(it) for it in value[:LONGEST_LIST] if isinstance(it, dict))


def _fields(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    """A string that every wire of ours takes: no half of a surrogate pair, and not the two that SQS refuses."""
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "replace").decode("utf-8").translate(_NONCHARACTERS)


def _integer(value: object) -> int | None:
    """An integer of 64 bits: what Cloudflare documents, and within what DynamoDB can hold."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _number(value: object) -> float | None:
    """A finite number within what DynamoDB can hold (1e-130 to 1e125)."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e100:
        return None
    return float(value) if abs(value) > 1e-100 else 0.0
