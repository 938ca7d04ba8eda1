"""The mail itself in OCSF's terms: what it was, where it came from, and what in it can be searched for elsewhere.

Values are raw, as Cloudflare gave them. Everything here was made to fit before: see excerpt.py.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from functions.alert.ocsf import HASHES, REGULAR_FILE, Observable
from functions.cloudflare.values import host

OBSERVABLES = 30
"""Of one kind. They repeat what stands in the evidence, for tools that look here first."""
_COUNTRY = re.compile(r"[A-Z]{2}")
_UNKNOWN = "-"

Fields = Mapping[str, Any]


def email(detection: Fields, context: Fields) -> dict[str, object]:
    """OCSF's `email` object; members that nothing is known of are absent."""
    return _known(
        {
            "from": context.get("from"),
            "to": context.get("to", []),
            "reply_to": context.get("replyto"),
            "smtp_from": context.get("envelope_from"),
            "smtp_to": context.get("envelope_to", []),
            "delivered_to_list": context.get("client_recipients", []),
            "subject": context.get("subject"),
            "message_uid": context.get("message_id"),
            "urls": [{"url_string": it["href"]} for it in detection["links"] if is_url(it)],
            "files": [_file(it) for it in detection["attachments"]],
            "http_headers": [it for it in detection["headers"] if len(it) == len(("name", "value"))],
        }
    )


def is_url(link: Fields) -> bool:
    """Whether a link leads anywhere, so that it is among the mail's URLs."""
    return bool(link.get("href"))


def source(sender: Fields) -> dict[str, object]:
    """OCSF's `src_endpoint`: where the mail came from."""
    country, region, city = (*(sender.get("geo") or "").split("/"), "", "", "")[:3]
    return _known(
        {
            "ip": _address(sender.get("ip")),
            "domain": sender.get("pld"),
            "autonomous_system": _known({"number": sender.get("as_number"), "name": sender.get("as_name")}),
            "location": _known(
                {
                    "country": country if _COUNTRY.fullmatch(country) else None,
                    "region": region if region != _UNKNOWN else None,
                    "city": city if city != _UNKNOWN else None,
                }
            ),
        }
    )


def enrichments(validation: Fields) -> list[dict[str, object]]:
    """SPF, DKIM and DMARC, for which this class of OCSF's has no place of their own."""
    return [
        {"name": name, "value": validation[name], "data": {"result": validation[name]}, "provider": "Cloudflare"}
        for name in ("spf", "dkim", "dmarc")
        if validation.get(name)
    ]


def observables(mail: Mapping[str, Any], sender: Fields) -> list[dict[str, object]]:
    """What can be searched for elsewhere, each value once."""
    urls = [it["url_string"] for it in mail.get("urls", ())]
    files = mail.get("files", ())
    return [
        *_observed(Observable.EMAIL_SUBJECT, "evidences.email.subject", [mail.get("subject")]),
        *_observed(Observable.EMAIL_ADDRESS, "evidences.email.from", [mail.get("from")]),
        *_observed(Observable.EMAIL_ADDRESS, "evidences.email.to", mail.get("to", ())),
        *_observed(Observable.IP_ADDRESS, "evidences.src_endpoint.ip", [_address(sender.get("ip"))]),
        *_observed(Observable.HOSTNAME, "evidences.src_endpoint.domain", [sender.get("pld")]),
        *_observed(Observable.URL_STRING, "evidences.email.urls.url_string", urls),
        *_observed(Observable.HOSTNAME, "evidences.email.urls.hostname", [host(it) for it in urls]),
        *_observed(Observable.FILE_NAME, "evidences.email.files.name", [it["name"] for it in files]),
        *_observed(
            Observable.HASH,
            "evidences.email.files.hashes.value",
            [h["value"] for it in files for h in it.get("hashes", ())],
        ),
    ]


def _observed(kind: Observable, name: str, values: Sequence[str | None]) -> Iterator[dict[str, object]]:
    for value in list(dict.fromkeys(filter(None, values)))[:OBSERVABLES]:
        yield {"name": name, "type_id": int(kind), "type": kind.caption, "value": value}


def _file(attachment: Fields) -> dict[str, object]:
    hashes = [
        {"algorithm_id": number, "algorithm": caption, "value": attachment[name]}
        for name, (number, caption) in HASHES.items()
        if attachment.get(name)
    ]
    return _known(
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


def _address(text: str | None) -> str | None:
    """An address of the internet, without a zone, which may be any text; or nothing: OCSF's tools refuse what is none."""
    try:
        return str(ipaddress.ip_address((text or "").partition("%")[0]))
    except ValueError:
        return None


def _known(members: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}
