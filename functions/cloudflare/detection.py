"""A detection as data: every field that Cloudflare documents, in every generation of its contract.

Reading is lenient on purpose: a field of the wrong type reads as absent.
"""

from dataclasses import dataclass

from functions.cloudflare.values import boolean, each, fields, integer, number, text


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

    def header(self, name: str) -> str | None:
        """The value of the mail's first header of a name, without regard to case."""
        return next((it.value for it in self.headers if it.value and (it.name or "").lower() == name.lower()), None)


LISTS = ("attachments", "findings", "headers", "links", "threat_categories")


def read_detection(result: dict[str, object], counts: dict[str, int] | None = None) -> Detection:
    """The `result` of an answer whose decision fields have been checked. Never raises, whatever the other fields are.

    counts: how many of each list there were, where this is no answer but what was kept of one.
    """
    sender, validation = fields(result.get("sender_info")), fields(result.get("validation"))
    return Detection(
        action=text(result.get("action")),
        attachments=each(result.get("attachments"), _attachment),
        findings=each(result.get("findings"), _finding),
        headers=each(result.get("headers"), lambda it: Header(text(it.get("name")), text(it.get("value")))),
        links=each(result.get("links"), lambda it: Link(text(it.get("href")), text(it.get("text")))),
        sender_info=SenderInfo(
            as_name=text(sender.get("as_name")),
            as_number=integer(sender.get("as_number")),
            geo=text(sender.get("geo")),
            ip=text(sender.get("ip")),
            pld=text(sender.get("pld")),
        ),
        threat_categories=each(result.get("threat_categories"), _threat_category),
        validation=Validation(
            comment=text(validation.get("comment")),
            dkim=text(validation.get("dkim")),
            dmarc=text(validation.get("dmarc")),
            spf=text(validation.get("spf")),
        ),
        final_disposition=text(result.get("final_disposition")),
        counts=counts or {name: len(it) if isinstance(it := result.get(name), list) else 0 for name in LISTS},
    )


def _attachment(it: dict[str, object]) -> Attachment:
    return Attachment(
        size=integer(it.get("size")),
        content_type=text(it.get("content_type")),
        detection=text(it.get("detection")),
        encrypted=boolean(it.get("encrypted")),
        name=text(it.get("name")),
        filename=text(it.get("filename")),
        md5=text(it.get("md5")),
        sha1=text(it.get("sha1")),
        sha256=text(it.get("sha256")),
    )


def _finding(it: dict[str, object]) -> Finding:
    return Finding(
        attachment=text(it.get("attachment")),
        detail=text(it.get("detail")),
        detection=text(it.get("detection")),
        field=text(it.get("field")),
        name=text(it.get("name")),
        portion=text(it.get("portion")),
        reason=text(it.get("reason")),
        score=number(it.get("score")),
        value=text(it.get("value")),
    )


def _threat_category(it: dict[str, object]) -> ThreatCategory:
    return ThreatCategory(integer(it.get("id")), text(it.get("name")), text(it.get("description")))
