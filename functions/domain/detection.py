"""A detection: every field that Cloudflare documents, in all versions of its contract.

Parsing is lenient: a field of the wrong type counts as absent. The fields that the decision needs are validated before.
"""

from dataclasses import dataclass

from functions.domain.json_values import boolean, fields, integer, items, number, objects, text


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to the email; `size` is in bytes, hashes are hexadecimal."""

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
    """One reason for Cloudflare's verdict."""

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
    """A header of the email. The sender controls its content."""

    name: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the email, with its visible text."""

    href: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """The origin of the email.

    geo: country/region/city, with - for an unknown part. pld: the private-level domain.
    """

    as_name: str | None
    as_number: int | None
    geo: str | None
    ip: str | None
    pld: str | None


@dataclass(frozen=True, slots=True)
class ThreatCategory:
    """A kind of threat, such as credential phishing."""

    id: int | None
    name: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Validation:
    """The results of sender authentication: pass, neutral, fail, error or none."""

    comment: str | None
    dkim: str | None
    dmarc: str | None
    spf: str | None


@dataclass(frozen=True, slots=True)
class Detection:
    """Cloudflare's detection for one email.

    Source: GET /accounts/{account_id}/email-security/investigate/{id}/detections
    """

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
    """The length of each list in Cloudflare's response. At most MAX_LIST_ITEMS items of a list are parsed."""

    def header(self, name: str) -> str | None:
        """The first non-empty value of a header. The name is not case-sensitive."""
        named = (header for header in self.headers if (header.name or "").lower() == name.lower())
        return next((header.value for header in named if header.value), None)


LISTS = ("attachments", "findings", "headers", "links", "threat_categories")
"""The fields of a detection that are lists."""


def read_detection(result: dict[str, object], counts: dict[str, int] | None = None) -> Detection:
    """Parse a detection from a response's `result`. Never raises.

    counts: the original list lengths. Pass them when `result` is a stored detection with truncated lists.
    """
    sender, validation = fields(result.get("sender_info")), fields(result.get("validation"))
    return Detection(
        action=text(result.get("action")),
        attachments=objects(result.get("attachments"), _attachment, "name"),
        findings=objects(result.get("findings"), _finding, "detail"),
        headers=objects(result.get("headers"), _header, "name"),
        links=objects(result.get("links"), _link, "href"),
        sender_info=SenderInfo(
            as_name=text(sender.get("as_name")),
            as_number=integer(sender.get("as_number")),
            geo=text(sender.get("geo")),
            ip=text(sender.get("ip")),
            pld=text(sender.get("pld")),
        ),
        threat_categories=objects(result.get("threat_categories"), _threat_category, "name"),
        validation=Validation(
            comment=text(validation.get("comment")),
            dkim=text(validation.get("dkim")),
            dmarc=text(validation.get("dmarc")),
            spf=text(validation.get("spf")),
        ),
        final_disposition=text(result.get("final_disposition")),
        counts=counts or {name: len(items(result.get(name))) for name in LISTS},
    )


def _attachment(item: dict[str, object]) -> Attachment:
    return Attachment(
        size=integer(item.get("size")),
        content_type=text(item.get("content_type")),
        detection=text(item.get("detection")),
        encrypted=boolean(item.get("encrypted")),
        name=text(item.get("name")),
        filename=text(item.get("filename")),
        md5=text(item.get("md5")),
        sha1=text(item.get("sha1")),
        sha256=text(item.get("sha256")),
    )


def _finding(item: dict[str, object]) -> Finding:
    return Finding(
        attachment=text(item.get("attachment")),
        detail=text(item.get("detail")),
        detection=text(item.get("detection")),
        field=text(item.get("field")),
        name=text(item.get("name")),
        portion=text(item.get("portion")),
        reason=text(item.get("reason")),
        score=number(item.get("score")),
        value=text(item.get("value")),
    )


def _header(item: dict[str, object]) -> Header:
    return Header(text(item.get("name")), text(item.get("value")))


def _link(item: dict[str, object]) -> Link:
    return Link(text(item.get("href")), text(item.get("text")))


def _threat_category(item: dict[str, object]) -> ThreatCategory:
    return ThreatCategory(integer(item.get("id")), text(item.get("name")), text(item.get("description")))
