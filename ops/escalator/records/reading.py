"""What a pasted text can be: an id, an indicator, or words of a subject. A text can be several of these."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from functions.domain.email_id import EmailId, IdKind
from functions.domain.indicators import Indicator, IndicatorKind, recognize
from functions.domain.search_values import SearchKind
from functions.domain.severity import Severity
from functions.domain.spelling import folded, refang
from ops.escalator.records.query import SUBJECT
from ops.escalator.text.labels import KINDS

_LABEL = re.compile(
    r"[\s*\u2022-]*[\"']?(?:(?P<subject>subject)|email[ _]id|alert[ _]?id|postfix[ _]?id|investigate[ _]id|finding_uid|uid|id"
    r"|search for|last alert|history|from|to|cc|bcc|reply-to|return-path|sender|orig_to|recipients?|domain|host(?:name)?"
    r"|client|relay|helo|ip|ip[ _]address|url|href|link)[\"']?\s*+[:=](?![/\\])\s*+(?:escalator explain\s)?",
    re.IGNORECASE,
)
"""The name before a value, in an alert, a header, a log or JSON."""
_BULLET = re.compile(r"\s*[-*\u2022]\s+")
_MESSAGE_ID = re.compile(r"\s*[\"']?message[-_]id[\"']?\s*[=:]", re.IGNORECASE)
_ALERT_SUBJECT = re.compile(rf"(?:\[[A-Z]+\] )?\[(?:{'|'.join(Severity)})\] .+: (\S+)", re.IGNORECASE)
_ALERT_UID = re.compile(r"([0-9a-f]{32})(?:-\d{10,14})?")
"""`metadata.uid` of an alert has the time after the alert id."""
_DATED = re.compile(r"([0-9A-F]{8,13})@(\d{4}-\d\d-\d\d)")
"""How `explain` names an email whose postfix id is short."""
_CLIENT = re.compile(r"([^\s\[\]]+)\[([0-9A-Fa-f.:]+)\]")
"""How Postfix logs a client: `mail.evil.example[192.0.2.1]`."""
_LONG_HASH = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}")
_SEARCHED: dict[IndicatorKind, tuple[SearchKind, ...]] = {
    IndicatorKind.HOST: (SearchKind.LINK_HOST,),
    IndicatorKind.DOMAIN: (SearchKind.SENDER_DOMAIN,),
    IndicatorKind.IP: (SearchKind.SENDER_IP,),
    IndicatorKind.ADDRESS: (SearchKind.SENDER, SearchKind.RECIPIENT),
    IndicatorKind.HASH: (SearchKind.ATTACHMENT_HASH,),
    IndicatorKind.MESSAGE_ID: (SearchKind.MESSAGE_ID,),
}
_ID_KINDS = {
    IdKind.POSTFIX: "postfix id",
    IdKind.ALERT: "Cloudflare's alert id",
    IdKind.INVESTIGATE: "investigate id",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that a text can be.

    what:  in words. name: of the value in a query, if it is one; id: if it is the id of an email.
    """

    what: str
    value: str
    name: str = ""
    id: EmailId | None = None


def readings(text: str) -> list[Reading]:
    """What a text can be, most likely first; empty for an empty text. Words of a subject are the last resort."""
    text, is_subject = _without_label(text)
    if not text:
        return []
    if is_subject:
        return [subject_reading(text)]
    ids = id_readings(text)
    client = _CLIENT.fullmatch(text)
    found = [it for part in (client.groups() if client else [text]) for it in recognize(part)]
    if any(it.id and it.id.kind is not IdKind.POSTFIX for it in ids) or _DATED.fullmatch(text):
        return ids
    indicators = list(_indicators(found))
    return [*ids, *indicators] or [subject_reading(text)]


def subject_reading(text: str) -> Reading:
    """The text as words of a subject."""
    return Reading("words of a subject", folded(text), SUBJECT)


def id_readings(text: str) -> list[Reading]:
    """The ids that a text can be: of an alert, or of an email in any form."""
    text, _ = _without_label(text)
    if subject := _ALERT_SUBJECT.fullmatch(text):
        text = subject[1]
    text = re.sub(r"(T[0-9:]{8})Z\Z", r"\1", text.rstrip(":,;."))
    found = []
    if alert := _ALERT_UID.fullmatch(text.lower()):
        found.append(Reading("alert id", alert[1], "alert_id"))
    if known := email_id(text):
        what = "email id" if _DATED.fullmatch(text) else _ID_KINDS[known.kind]
        found += [] if _LONG_HASH.fullmatch(text) else [Reading(what, text, id=known)]
    return found


def email_id(text: str) -> EmailId | None:
    """The id that a text is, also in the form `C3CD21F3E90@2026-11-20` that keys and `explain` use."""
    dated = _DATED.fullmatch(text)
    return EmailId.read(f"{dated[1]}-{dated[2]}T00:00:00" if dated else text)


def _without_label(text: str) -> tuple[str, bool]:
    """The text without the name before its value, and whether it is the subject of an email."""
    if message_id := _MESSAGE_ID.match(text):
        return f"Message-ID: {text[message_id.end() :].strip()}", False
    label = _LABEL.match(text)
    rest = text[label.end() :] if label else _BULLET.sub("", text, count=1) if _BULLET.match(text) else text
    value = refang(rest)
    is_subject = bool(label and label["subject"]) and not _ALERT_SUBJECT.fullmatch(value)
    return value, is_subject


def _indicators(found: list[Indicator]) -> Iterator[Reading]:
    for it in dict.fromkeys(found):
        for kind in _SEARCHED[it.kind]:
            yield Reading(KINDS[kind], it.value, kind)
