"""What a recipient is lured to: by what Cloudflare found, not by what the email carries.

A QR code is a picture in an attachment, and still asks for a password. Only if nothing was named, the carrier decides.
"""

import re
from collections.abc import Iterator
from enum import Enum

from functions.domain.detection import Detection
from functions.domain.record import Record

_CREDENTIALS = re.compile(
    r"credential|passw|\bqr\b|qr[ _-]?code|quishing|harvest|fake[ _-]?login|sign[ _-]?in page|phishing ?page",
    re.IGNORECASE,
)
_MALWARE = re.compile(
    r"malware|malicious (?:file|macro|attachment)|dropper|ransom|trojan|spyware|macro|exploit|worm|backdoor|stealer"
    r"|executable|disk image|virus|loader",
    re.IGNORECASE,
)
_CALL = re.compile(r"vishing|call[ _-]?back|\btoad\b|telephone|phone (?:call|scam|number)", re.IGNORECASE)
_PROGRAM = re.compile(
    r"\.(?:exe|scr|com|pif|js|jse|vbs|vbe|wsf|hta|lnk|iso|img|vhdx?|msi|bat|cmd|ps1|jar|docm|xlsm|pptm)\s*$",
    re.IGNORECASE,
)
"""Endings of files that run a program when they are opened."""
_TEXT = 500
"""Characters of one text that are read."""
_ITEMS = 50


class Lure(Enum):
    """What the recipient can have lost."""

    PAYMENT = "money"
    CREDENTIALS = "a password"
    MACHINE = "the machine"
    BOTH = "a password and the machine"
    CALL = "what a call disclosed"
    REPLY = "what a reply disclosed"


def lure_of(record: Record) -> Lure:
    """What the recipient is lured to."""
    detection = record.detection
    if (record.disposition or "").startswith("MALICIOUS-BEC"):
        return Lure.PAYMENT
    if detection is None:
        return Lure.REPLY
    texts = [text[:_TEXT] for text in _found(detection)]
    names = [it.filename or it.name or "" for it in detection.attachments[:_ITEMS]]
    password = any(map(_CREDENTIALS.search, texts))
    machine = any(map(_MALWARE.search, texts)) or any(_PROGRAM.search(it[-_TEXT:]) for it in names)
    if not password and not machine and any(map(_CALL.search, texts)):
        return Lure.CALL
    if not password and not machine:
        password, machine = bool(detection.counts["links"]), bool(detection.counts["attachments"])
    if password and machine:
        return Lure.BOTH
    return Lure.CREDENTIALS if password else Lure.MACHINE if machine else Lure.REPLY


def is_unexplained(record: Record) -> bool:
    """Whether Cloudflare gave neither a category nor a finding nor a reason."""
    detection, details = record.detection, record.details
    found = detection and (detection.counts["threat_categories"] or detection.counts["findings"])
    return not found and not (details and details.detection_reasons)


def _found(detection: Detection) -> Iterator[str]:
    for category in detection.threat_categories[:_ITEMS]:
        yield from filter(None, (category.name, category.description))
    for finding in detection.findings[:_ITEMS]:
        yield from filter(None, (finding.name, finding.reason, finding.detail))
