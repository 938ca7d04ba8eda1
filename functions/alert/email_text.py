"""The plain text for email subscribers, with the most urgent facts first.

No line is wider than 72 columns. Text from the sender is defanged and cut, and long lists are counted. The alert's JSON
and the record are not defanged, and have more: texts up to 1,000 characters, and lists up to a size limit (truncate.py).
"""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar
from unicodedata import east_asian_width

from functions.alert import campaign
from functions.alert.commands import NOTHING, Earlier, Related, explain, look_for_others
from functions.alert.guidance import headline, next_steps, summary
from functions.alert.links import by_host, shown_link
from functions.alert.sanitize import defanged
from functions.domain.campaign import CopyCounts
from functions.domain.detection import Attachment, Detection, Finding, Link, ThreatCategory
from functions.domain.header_fields import HeaderFields
from functions.domain.indicators import IndicatorKind, canonical
from functions.domain.message_details import Delivery
from functions.domain.ordered_links import host_shown, ordered_links
from functions.domain.record import Record, moment
from functions.domain.spelling import visible
from functions.domain.times import duration, read_time

T = TypeVar("T")

COLUMNS = 72
_NAME_COLUMNS = 12
"""Columns for the name at the left of a row."""
_MAX_ITEMS = 5
"""Items shown of one list. The others are counted."""
_MAX_TEXT = 300
"""Characters of one text: about five lines."""
_WIDE = frozenset({"W", "F"})
"""Unicode's wide and fullwidth characters take two columns. A longer line would wrap to the left edge, where only
headings begin."""
_FILLER = "\uffff"
"""Follows each wide character while lines are wrapped. No shown text contains it: sanitize.py removes it."""
_BREAKS = str.maketrans("", "", "\t\n\r")
"""Characters that a browser drops from a URL."""
_UNITS = (("MB", 1_000_000), ("kB", 1_000))


def email_text(
    record: Record,
    fields: HeaderFields,
    deployment: str = "",
    stack: str = "",
    earlier: Earlier = NOTHING,
) -> str:
    """Build the text about a record with disposition and severity.

    deployment: its name. stack: the name of its stack, for commands.
    """
    detection = record.detection
    sections = [
        _heading(record, fields),
        _section("What to do", _numbered(next_steps(record, fields))),
        _section("Email", _email(record, fields, earlier.copies)),
        *([] if detection is None else _detection_sections(detection)),
        _section("Look for others", _others(record, fields, stack, earlier.counts)),
        _section("References", _references(record, deployment, stack)),
    ]
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines) + "\n"


def _heading(record: Record, fields: HeaderFields) -> list[str]:
    title = f"{headline(record)}. Severity: {record.severity}"
    return [
        *_wrap(title),
        "=" * min(len(title), COLUMNS),
        "",
        *_wrap_cached(" ".join(summary(record, fields)), COLUMNS),
    ]


def _detection_sections(detection: Detection) -> list[Iterable[str]]:
    links = ordered_links(detection)
    return [
        _section("Origin", _origin(detection)),
        _list_section(
            "Threat categories", detection.threat_categories, detection.counts["threat_categories"], _category
        ),
        _list_section("Findings", detection.findings, detection.counts["findings"], _finding),
        _links(links, detection.counts["links"] - len(detection.links)),
        _list_section("Attachments", detection.attachments, detection.counts["attachments"], _attachment),
    ]


def _email(record: Record, fields: HeaderFields, copies: CopyCounts | None) -> Iterator[str]:
    shown = ", ".join(defanged(visible(it), 80) for it in fields.recipients[:_MAX_ITEMS])
    more = f" and {len(fields.recipients) - _MAX_ITEMS} more" if len(fields.recipients) > _MAX_ITEMS else ""
    yield from _row("Recipients", shown + more or "unknown")
    yield from _row("From", defanged(visible(fields.sender) or "unknown", _MAX_TEXT))
    if fields.other_reply_to:
        yield from _row("Reply-To", defanged(visible(", ".join(map(str, fields.other_reply_to))), _MAX_TEXT))
    yield from _row("Subject", defanged(visible(fields.subject) or "unknown", _MAX_TEXT))
    if record.details or record.delivery is not Delivery.UNKNOWN:
        yield from _row("Delivery", record.locations)
    if known := campaign.copies(record, copies):
        yield from _row("Copies", known)
    yield from _times(record, fields)


def _times(record: Record, fields: HeaderFields) -> Iterator[str]:
    details, alerted = record.details, record.decided_at
    if fields.date:
        yield from _row("Sent", _time(fields.date))
    scanned = read_time(details.scanned_at) if details else None
    if details:
        yield from _row("Scanned", _time(details.scanned_at))
    since = f", {duration((alerted - scanned).total_seconds())} after the scan" if scanned else ""
    yield from _row("Alerted", moment(alerted) + since)
    if scanned and record.delivery is Delivery.DELIVERED:
        yield from _row("In inbox", f"for up to {duration((alerted - scanned).total_seconds())}")


def _origin(detection: Detection) -> Iterator[str]:
    sender, checks = detection.sender_info, detection.validation
    number = f"AS{sender.as_number}" if sender.as_number is not None else "AS unknown"
    # Cloudflare gives country/region/city, with a dash for an unknown part.
    places = ", ".join(it for it in reversed((sender.geo or "")[:_MAX_TEXT].split("/")) if it not in ("", "-"))
    results = [(name, result) for name, result in (("SPF", checks.spf), ("DKIM", checks.dkim), ("DMARC", checks.dmarc))]
    yield from _row("Domain", defanged(visible(sender.pld or "unknown")))
    yield from _row("IP address", defanged(canonical(IndicatorKind.IP, sender.ip or "unknown")))
    yield from _row("Network", f"{defanged(sender.as_name or 'unknown')} ({number})")
    yield from _row("Location", defanged(places or "unknown"))
    yield from _row("Checks", ", ".join(f"{name} {defanged(result or 'not given', 16)}" for name, result in results))
    yield from _row("Cloudflare", f"action at the scan: {defanged(detection.action or 'not given', 60)}")


def _others(record: Record, fields: HeaderFields, stack: str, counts: Mapping[Related, int]) -> Iterator[str]:
    """Commands for other emails like this one. Without a stack there is no table to ask."""
    if stack:
        for lines in look_for_others(record, fields, counts, stack, COLUMNS - 2):
            yield from lines


def _references(record: Record, deployment: str, stack: str) -> Iterator[str]:
    yield from _row("Postfix ID", record.id.postfix_id)
    if record.id.value != record.id.postfix_id:
        yield from _row("Email ID", record.id.value)
    yield from _row("Alert ID", record.alert_id)
    if record.campaign:
        yield from _row("Campaign", record.campaign.id)
    yield from _row("Decided", f"{moment(record.decided_at)}, rule {record.reason}")
    lines = explain(record, stack, COLUMNS - 2 - _NAME_COLUMNS)
    for name, line in zip(("History", *[""] * len(lines)), lines, strict=False):
        yield from _row(name, line)
    if deployment:
        yield from _row("Deployment", deployment)
    if record.previous:
        yield from _row("Last alert", f"{record.previous.disposition}, alert ID {record.previous.alert_id}")
    if record.drift:
        paths = "; ".join(defanged(it, 100) for it in record.drift[:_MAX_ITEMS])
        more = f" and {len(record.drift) - _MAX_ITEMS} more" if len(record.drift) > _MAX_ITEMS else ""
        yield from _row("Contract", f"Cloudflare's response does not match the API contract at {paths}{more}")


def _category(category: ThreatCategory) -> Iterator[str]:
    description = f": {category.description}" if category.description else ""
    yield defanged(f"{category.name or 'unnamed'}{description}", _MAX_TEXT)


def _finding(finding: Finding) -> Iterator[str]:
    name = f"{finding.name}: " if finding.name else ""
    score = f" (score {finding.score:.3g})" if finding.score is not None else ""
    reason = finding.reason or finding.detail or finding.value or "no reason given"
    yield defanged(f"{name}{reason}", _MAX_TEXT) + score


def _links(links: Sequence[Link], unread: int) -> list[str]:
    """One link for each host, with the number of the others. unread: links of the email that were not kept."""
    groups = by_host(links)
    lines = _list_section(f"Links ({len(links) + unread})", groups, len(groups), _link, named=True)
    return [*lines, *([f"  and {unread} more, not read"] if unread and lines else [])]


def _link(group: list[Link]) -> Iterator[str]:
    link, *others = group
    shown = shown_link(visible(link.href or "no URL").translate(_BREAKS), _MAX_TEXT)
    yield shown
    host = defanged(host_shown(link), 260)
    if host and host not in shown.lower():
        yield f"opens: {host}"
    if link.text:
        yield f'link text: "{defanged(link.text, 100)}"'
    if others:
        yield f"and {len(others)} more {'link' if len(others) == 1 else 'links'} to this host"


def _attachment(attachment: Attachment) -> Iterator[str]:
    facts = [
        _size(attachment.size),
        defanged(attachment.content_type or "", 60),
        f"verdict {defanged(attachment.detection, 20)}" if attachment.detection else "",
        "encrypted" if attachment.encrypted else "",
    ]
    name = defanged(attachment.filename or attachment.name or "unnamed", 100)
    yield ", ".join(filter(None, [name, *facts]))
    hashes = (("SHA-256", attachment.sha256), ("MD5", attachment.md5), ("SHA-1", attachment.sha1))
    for algorithm, value in [it for it in hashes if it[1]][:1]:
        yield f"{algorithm}:"
        yield defanged(canonical(IndicatorKind.HASH, value or ""), 66)


def _size(size: int | None) -> str:
    if size is None:
        return ""
    if size < _UNITS[-1][1]:
        return f"{size} bytes"
    unit, unit_bytes = next((unit, unit_bytes) for unit, unit_bytes in _UNITS if size >= unit_bytes)
    return f"{size / unit_bytes:,.1f} {unit}"


def _time(text: str | None) -> str:
    """Format an ISO 8601 time. Defang any other text."""
    at = read_time(text)
    return moment(at) if at else defanged(text or "not given", 40)


def _section(title: str, lines: Iterable[str]) -> list[str]:
    shown = [f"  {line}" for line in lines]
    return [title.upper(), *shown] if shown else []


def _list_section(
    title: str, items: Sequence[T], count: int, parts: Callable[[T], Iterable[str]], *, named: bool = False
) -> list[str]:
    """Show the first items and the count. Skip an empty list. named: the title has a count of its own."""
    if not count:
        return []
    lines = []
    for item in items[:_MAX_ITEMS]:
        first, *others = (line for part in parts(item) for line in _wrap(part, COLUMNS - 4))
        lines += [f"- {first}", *(f"  {line}" for line in others)]
    hidden = count - min(len(items), _MAX_ITEMS)
    return _section(title if named else f"{title} ({count})", [*lines, *([f"and {hidden} more"] if hidden else [])])


def _wrap(text: str, columns: int = COLUMNS) -> list[str]:
    filled = text if text.isascii() else "".join(c + _FILLER if east_asian_width(c) in _WIDE else c for c in text)
    if len(filled) <= columns:
        return [text]
    # A line can end between a wide character and its filler, and is then one column wider than its length.
    room = columns if len(filled) == len(text) else columns - 1
    return [line.replace(_FILLER, "") for line in textwrap.wrap(filled, room, break_on_hyphens=False)]


@lru_cache(maxsize=64)
def _wrap_cached(text: str, columns: int) -> tuple[str, ...]:
    """Wrap one of the few fixed sentences of guidance.py."""
    return tuple(_wrap(text, columns))


def _numbered(steps: Iterable[str]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        first, *others = _wrap_cached(step, COLUMNS - 5)
        yield f"{number}. {first}"
        yield from (f"   {line}" for line in others)


def _row(name: str, value: str) -> Iterator[str]:
    """Yield a name and its value. Continuation lines are indented."""
    first, *others = _wrap(value, COLUMNS - 2 - _NAME_COLUMNS)
    yield f"{name + ':' if name else '':<{_NAME_COLUMNS}}{first}"
    yield from (" " * _NAME_COLUMNS + line for line in others)
