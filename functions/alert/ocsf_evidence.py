"""Describe the email in OCSF's terms: content, origin and observables.

Values are raw, as Cloudflare gave them. The input is already reduced to the size limit by truncate.py.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from functions.alert.ocsf_codes import HASHES, REGULAR_FILE, Observable
from functions.alert.sanitize import plain
from functions.domain.addresses import addresses
from functions.domain.detection import Link
from functions.domain.header_fields import HeaderFields
from functions.domain.hosts import ip
from functions.domain.indicators import IndicatorKind, canonical
from functions.domain.ordered_links import host_shown

MAX_OBSERVABLES = 30
"""Observables from one field. They repeat values of the evidence, for tools that read observables first."""
MAX_ADDRESSES = 100
MAX_MAILBOXES = 10
MAX_NAME, MAX_SUBJECT = 500, 1_000
"""Characters."""
UNKNOWN_SENDER = "unknown@sender.invalid"
"""The value for a sender that is not known. RFC 2606 reserves `.invalid`: this is never the address of anyone."""
_ADDRESS = re.compile(r"[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+")
"""OCSF's pattern of an address."""
_LONGEST_ADDRESS = 254
"""Characters (RFC 5321)."""
_HEX = re.compile(r"[a-fA-F0-9]+")
_HOSTNAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*")
"""OCSF's hosts are names of DNS; IP addresses match as well."""
_COUNTRY = re.compile(r"[A-Z]{2}")
_UNKNOWN = "-"

Fields = Mapping[str, Any]


def email(fields: HeaderFields, detection: Fields, details: Fields, links: Sequence[Link]) -> dict[str, object]:
    """Build OCSF's `email` object, without unknown members. links: those with a URL.

    OCSF requires `from` or `to`, and accepts only addresses there. If none is known, `from` is UNKNOWN_SENDER.
    """
    sender = next((it for it in fields.senders if _is_address(it.address)), None)
    to = _addresses(details["to"] if details.get("to") else fields.to[:MAX_ADDRESSES])
    recipients = _addresses(fields.recipients[:MAX_ADDRESSES])
    envelope = fields.envelope_sender if _is_address(fields.envelope_sender) else None
    return _without_empty(
        {
            "from": sender.address if sender else envelope or (None if to or recipients else UNKNOWN_SENDER),
            "from_mailbox": plain(fields.sender, MAX_NAME),
            "to": to or recipients,
            "reply_to": next((it.address for it in fields.reply_to if _is_address(it.address)), None),
            "reply_to_mailboxes": [plain(str(it), MAX_NAME) for it in fields.reply_to[:MAX_MAILBOXES]],
            "smtp_from": envelope,
            "smtp_to": _addresses(details.get("envelope_to", [])),
            "delivered_to_list": _addresses(details.get("client_recipients", [])),
            "subject": plain(fields.subject, MAX_SUBJECT),
            "message_uid": details.get("message_id"),
            "x_originating_ip": [*filter(None, [ip(details.get("x_originating_ip") or "")])],
            "urls": [_url(it) for it in links],
            "files": [_file(it) for it in detection["attachments"]],
            "http_headers": [it for it in detection["headers"] if len(it) == len(("name", "value"))],
        }
    )


def _addresses(texts: Sequence[str]) -> list[str]:
    """The canonical addresses of header texts. Masked ones have the form of an address too."""
    return list(dict.fromkeys(it for text in texts for it in addresses(text) if _is_address(it)))


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(text))


def _url(link: Link) -> dict[str, str]:
    host = host_shown(link)
    return {"url_string": link.href or ""} | ({"hostname": host} if _HOSTNAME.fullmatch(host) else {})


def source(sender: Fields) -> dict[str, object]:
    """Build OCSF's `src_endpoint`: where the email came from. OCSF requires an address or a domain."""
    country, region, city = (*(sender.get("geo") or "").split("/"), "", "", "")[:3]
    if not ip(sender.get("ip") or "") and not sender.get("pld"):
        return {}
    return _without_empty(
        {
            "ip": ip(sender.get("ip") or ""),
            "domain": sender.get("pld"),
            "autonomous_system": _without_empty({"number": sender.get("as_number"), "name": sender.get("as_name")}),
            "location": _without_empty(
                {
                    "country": country if _COUNTRY.fullmatch(country) else None,
                    "region": region if region != _UNKNOWN else None,
                    "city": city if city != _UNKNOWN else None,
                }
            ),
        }
    )


def enrichments(validation: Fields) -> list[dict[str, object]]:
    """List SPF, DKIM and DMARC results, which have no OCSF field here."""
    return [
        {"name": name, "value": validation[name], "data": {"result": validation[name]}, "provider": "Cloudflare"}
        for name in ("spf", "dkim", "dmarc")
        if validation.get(name)
    ]


def observables(email: Mapping[str, Any], sender: Fields, hosts: Sequence[str]) -> list[dict[str, object]]:
    """List values to search for in other systems, without duplicates, in the form in which the ledger stores them.

    hosts: those of the links.
    """
    urls = [it["url_string"] for it in email.get("urls", ())]
    files = email.get("files", ())

    def others(name: str, *known: str) -> list[str]:
        listed = {it for other in known for it in email.get(other, ())}
        return [it for it in email.get(name, ()) if it not in listed]

    return [
        *_observed(Observable.EMAIL_SUBJECT, "evidences.email.subject", [email.get("subject")]),
        *_observed(
            Observable.EMAIL_ADDRESS, "evidences.email.from", [it for it in [email.get("from")] if it != UNKNOWN_SENDER]
        ),
        *_observed(Observable.EMAIL_ADDRESS, "evidences.email.reply_to", [email.get("reply_to")]),
        *_observed(Observable.EMAIL_ADDRESS, "evidences.email.to", email.get("to", ()), MAX_ADDRESSES),
        *_observed(Observable.EMAIL_ADDRESS, "evidences.email.smtp_to", others("smtp_to", "to"), MAX_ADDRESSES),
        *_observed(
            Observable.EMAIL_ADDRESS,
            "evidences.email.delivered_to_list",
            others("delivered_to_list", "to", "smtp_to"),
            MAX_ADDRESSES,
        ),
        *_observed(Observable.IP_ADDRESS, "evidences.src_endpoint.ip", [ip(sender.get("ip") or "")]),
        *_observed(
            Observable.HOSTNAME, "evidences.src_endpoint.domain", _canonical(IndicatorKind.DOMAIN, [sender.get("pld")])
        ),
        *_observed(Observable.URL_STRING, "evidences.email.urls.url_string", urls),
        *_observed(Observable.HOSTNAME, "evidences.email.urls.hostname", hosts, MAX_ADDRESSES),
        *_observed(Observable.FILE_NAME, "evidences.email.files.name", [it["name"] for it in files]),
        *_observed(
            Observable.HASH,
            "evidences.email.files.hashes.value",
            _canonical(IndicatorKind.HASH, [h["value"] for it in files for h in it.get("hashes", ())]),
        ),
    ]


def _observed(
    kind: Observable, name: str, values: Sequence[str | None], limit: int = MAX_OBSERVABLES
) -> Iterator[dict[str, object]]:
    for value in list(dict.fromkeys(filter(None, values)))[:limit]:
        yield {"name": name, "type_id": int(kind), "type": kind.caption, "value": value}


def _file(attachment: Fields) -> dict[str, object]:
    hashes = [
        {"algorithm_id": number, "algorithm": caption, "value": attachment[name]}
        for name, (number, caption) in HASHES.items()
        if _HEX.fullmatch(attachment.get(name) or "")
    ]
    return _without_empty(
        {
            "name": attachment.get("filename") or attachment.get("name") or "unnamed",
            "type_id": REGULAR_FILE,
            "type": "Regular File",
            "size": attachment.get("size"),
            "mime_type": attachment.get("content_type"),
            "is_encrypted": attachment.get("encrypted"),
            "hashes": hashes,
        }
    )


def _canonical(kind: IndicatorKind, texts: Sequence[str | None]) -> list[str]:
    return [canonical(kind, it) for it in texts if it]


def _without_empty(members: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}
