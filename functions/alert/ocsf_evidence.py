"""Describe the email in OCSF's terms: content, origin and observables.

Values are raw, as Cloudflare gave them. The input is already reduced to the size limit by truncate.py.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from functions.alert.ocsf_codes import HASHES, REGULAR_FILE, Observable
from functions.domain.detection import Link
from functions.domain.hosts import ip
from functions.domain.indicators import IndicatorKind, canonical

MAX_OBSERVABLES = 30
"""Observables from one field. They repeat values of the evidence, for tools that read observables first."""
_COUNTRY = re.compile(r"[A-Z]{2}")
_UNKNOWN = "-"

Fields = Mapping[str, Any]


def email(detection: Fields, details: Fields, links: Sequence[Link]) -> dict[str, object]:
    """Build OCSF's `email` object, without unknown members. links: those with a URL."""
    return _without_empty(
        {
            "from": details.get("from"),
            "to": details.get("to", []),
            "reply_to": details.get("replyto"),
            "smtp_from": details.get("envelope_from"),
            "smtp_to": details.get("envelope_to", []),
            "delivered_to_list": details.get("client_recipients", []),
            "subject": details.get("subject"),
            "message_uid": details.get("message_id"),
            "urls": [{"url_string": it.href} for it in links],
            "files": [_file(it) for it in detection["attachments"]],
            "http_headers": [it for it in detection["headers"] if len(it) == len(("name", "value"))],
        }
    )


def source(sender: Fields) -> dict[str, object]:
    """Build OCSF's `src_endpoint`: where the email came from."""
    country, region, city = (*(sender.get("geo") or "").split("/"), "", "", "")[:3]
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
    return [
        *_observed(Observable.EMAIL_SUBJECT, "evidences.email.subject", [email.get("subject")]),
        *_observed(
            Observable.EMAIL_ADDRESS, "evidences.email.from", _canonical(IndicatorKind.ADDRESS, [email.get("from")])
        ),
        *_observed(
            Observable.EMAIL_ADDRESS, "evidences.email.to", _canonical(IndicatorKind.ADDRESS, email.get("to", ()))
        ),
        *_observed(Observable.IP_ADDRESS, "evidences.src_endpoint.ip", [ip(sender.get("ip") or "")]),
        *_observed(
            Observable.HOSTNAME, "evidences.src_endpoint.domain", _canonical(IndicatorKind.DOMAIN, [sender.get("pld")])
        ),
        *_observed(Observable.URL_STRING, "evidences.email.urls.url_string", urls),
        *_observed(Observable.HOSTNAME, "evidences.email.urls.hostname", hosts),
        *_observed(Observable.FILE_NAME, "evidences.email.files.name", [it["name"] for it in files]),
        *_observed(
            Observable.HASH,
            "evidences.email.files.hashes.value",
            _canonical(IndicatorKind.HASH, [h["value"] for it in files for h in it.get("hashes", ())]),
        ),
    ]


def _observed(kind: Observable, name: str, values: Sequence[str | None]) -> Iterator[dict[str, object]]:
    for value in list(dict.fromkeys(filter(None, values)))[:MAX_OBSERVABLES]:
        yield {"name": name, "type_id": int(kind), "type": kind.caption, "value": value}


def _file(attachment: Fields) -> dict[str, object]:
    hashes = [
        {"algorithm_id": number, "algorithm": caption, "value": attachment[name]}
        for name, (number, caption) in HASHES.items()
        if attachment.get(name)
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
