"""What an e-mail subscriber reads: plain text of at most 72 columns, the most urgent first.

Whatever the mail's sender wrote is defanged, cut and counted; the alert's JSON and the record have it as it was.
"""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar
from unicodedata import east_asian_width

from functions.alert.plain_text import defanged
from functions.alert.words import found, headline, next_steps
from functions.cloudflare.detection import Attachment, Detection, Finding, Link, ThreatCategory
from functions.ledger.record import Record, moment

T = TypeVar("T")

COLUMNS = 72
_NAMES = 12
"""Columns that names take at the left."""
_SHOWN = 5
"""How many of a list a reader is shown; the others are counted."""
_LONGEST = 300
"""Characters of one text: about five lines."""
_WIDE = frozenset({"W", "F"})
"""What Unicode calls wide and fullwidth takes two columns. Beyond a line's end a display would go on at its left edge,
where only headings stand."""
_FILLER = "\uffff"
"""Stands behind a wide character while lines are wrapped. No text has it: see plain_text.py."""
_UNITS = (("MB", 1_000_000), ("kB", 1_000))


def email_text(record: Record, people: Sequence[str]) -> str:
    """The text about a record that has a disposition and a severity. people: whom the mail was for."""
    detection = record.detection
    sections = [
        _heading(record),
        _titled("What to do", _numbered(next_steps(record))),
        _titled("Who", _who(record, people)),
        *([] if detection is None else _found_in(detection)),
        _titled("To look it up", _references(record)),
    ]
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines) + "\n"


def _heading(record: Record) -> list[str]:
    title = f"{headline(record)}. Severity: {record.severity}"
    return [*_wrapped(title), "=" * min(len(title), COLUMNS), "", *_ours(" ".join(found(record)), COLUMNS)]


def _found_in(detection: Detection) -> list[Iterable[str]]:
    return [
        _titled("Where it came from", _origin(detection)),
        _listed("Threat categories", detection.threat_categories, detection.counts["threat_categories"], _category),
        _listed("Why", detection.findings, detection.counts["findings"], _finding),
        _listed("Links", detection.links, detection.counts["links"], _link),
        _listed("Attachments", detection.attachments, detection.counts["attachments"], _attachment),
    ]


def _who(record: Record, people: Sequence[str]) -> Iterator[str]:
    context, header = record.context, record.detection.header if record.detection else lambda _: None
    shown = ", ".join(defanged(it, 80) for it in people[:_SHOWN])
    more = f" and {len(people) - _SHOWN} more" if len(people) > _SHOWN else ""
    yield from _row("For", shown + more or "not known")
    if context is None:
        yield from _row("From", defanged(header("from") or "not known", _LONGEST))
        yield from _row("Subject", defanged(header("subject") or "not known", _LONGEST))
        return
    sender = f"{context.from_name or ''} <{context.from_ or context.envelope_from or 'not given'}>"
    yield from _row("From", defanged(sender, _LONGEST))
    if context.replyto and context.replyto != context.from_:
        yield from _row("Reply to", defanged(context.replyto, _LONGEST))
    yield from _row("Subject", defanged(context.subject or "none", _LONGEST))
    status = ", ".join(dict.fromkeys(defanged(it, 20) for it in context.delivery_status[:_SHOWN]))
    yield from _row("Delivery", status or "not given")
    yield from _row("Scanned", _time(context.scanned_at))


def _origin(detection: Detection) -> Iterator[str]:
    sender, checks = detection.sender_info, detection.validation
    number = f"AS{sender.as_number}" if sender.as_number is not None else "AS unknown"
    # As country/region/city, with a dash for what is unknown.
    where = ", ".join(it for it in reversed((sender.geo or "")[:_LONGEST].split("/")) if it not in ("", "-"))
    results = [(name, result) for name, result in (("SPF", checks.spf), ("DKIM", checks.dkim), ("DMARC", checks.dmarc))]
    yield from _row("Domain", defanged(sender.pld or "unknown"))
    yield from _row("Address", defanged(sender.ip or "unknown"))
    yield from _row("Network", f"{defanged(sender.as_name or 'unknown')} ({number})")
    yield from _row("Place", defanged(where or "unknown"))
    yield from _row("Checks", ", ".join(f"{name} {defanged(result or 'not given', 16)}" for name, result in results))
    yield from _row("Cloudflare", f"action {defanged(detection.action or 'not given', 60)}")


def _references(record: Record) -> Iterator[str]:
    yield from _row("Mail", record.id.value)
    if record.id.value != record.id.postfix_id:
        yield from _row("Search for", record.id.postfix_id)
    yield from _row("Alert", record.alert_id)
    yield from _row("Decided", f"{moment(record.decided_at)}, by the rule {record.reason}")
    yield from _row("History", f"escalator explain {record.id.value}")
    if record.previous:
        yield from _row("Before", f"{record.previous.disposition}, alert {record.previous.alert_id}")
    if record.drift:
        paths = "; ".join(defanged(it, 100) for it in record.drift[:_SHOWN])
        more = f" and {len(record.drift) - _SHOWN} more" if len(record.drift) > _SHOWN else ""
        yield from _row("Contract", f"the answer did not match the contract at {paths}{more}")


def _category(it: ThreatCategory) -> Iterator[str]:
    described = f": {it.description}" if it.description else ""
    yield defanged(f"{it.name or 'unnamed'}{described}", _LONGEST)


def _finding(it: Finding) -> Iterator[str]:
    name = f"{it.name}: " if it.name else ""
    score = f" (score {it.score:.3g})" if it.score is not None else ""
    yield defanged(f"{name}{it.reason or it.detail or it.value or 'no reason given'}", _LONGEST) + score


def _link(it: Link) -> Iterator[str]:
    yield defanged(it.href or "no address", _LONGEST)
    if it.text:
        yield f'shown as "{defanged(it.text, 100)}"'


def _attachment(it: Attachment) -> Iterator[str]:
    facts = [
        _size(it.size),
        defanged(it.content_type or "", 60),
        f"found {defanged(it.detection, 20)}" if it.detection else "",
        "encrypted" if it.encrypted else "",
    ]
    yield ", ".join(filter(None, [defanged(it.filename or it.name or "unnamed", 100), *facts]))
    for name, value in (("SHA-256", it.sha256), ("MD5", it.md5 if not it.sha256 else None)):
        if value:
            yield f"{name}:"
            yield defanged(value, 66)


def _size(size: int | None) -> str:
    if size is None:
        return ""
    if size < _UNITS[-1][1]:
        return f"{size} bytes"
    unit, of = next((unit, of) for unit, of in _UNITS if size >= of)
    return f"{size / of:,.1f} {unit}"


def _time(text: str | None) -> str:
    """A time as we write it, where it is one: then nothing in it needs to be defanged."""
    try:
        return moment(datetime.fromisoformat(text or "").astimezone(UTC))
    except (ValueError, OverflowError):
        return defanged(text or "not given", 40)


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    return [title.upper(), *(f"  {line}" for line in lines)]


def _listed(title: str, items: Sequence[T], count: int, tell: Callable[[T], Iterable[str]]) -> list[str]:
    """The first items, a dash before each, and how many there are."""
    if not count:
        return []
    lines = []
    for item in items[:_SHOWN]:
        first, *more = (line for part in tell(item) for line in _wrapped(part, COLUMNS - 4))
        lines += [f"- {first}", *(f"  {line}" for line in more)]
    left = count - min(len(items), _SHOWN)
    return _titled(f"{title} ({count})", [*lines, *([f"and {left} more"] if left else [])])


def _wrapped(text: str, columns: int = COLUMNS) -> list[str]:
    filled = text if text.isascii() else "".join(c + _FILLER if east_asian_width(c) in _WIDE else c for c in text)
    if len(filled) <= columns:
        return [text]
    # A line may end between a character and its filler, and is then a column wider than it is long.
    room = columns if len(filled) == len(text) else columns - 1
    return [line.replace(_FILLER, "") for line in textwrap.wrap(filled, room, break_on_hyphens=False)]


@lru_cache(maxsize=64)
def _ours(text: str, columns: int) -> tuple[str, ...]:
    """The same for our own words, of which there are few."""
    return tuple(_wrapped(text, columns))


def _numbered(steps: Iterable[str]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        first, *more = _ours(step, COLUMNS - 5)
        yield f"{number}. {first}"
        yield from (f"   {line}" for line in more)


def _row(name: str, value: str) -> Iterator[str]:
    """A name and its value, which goes on below itself where it is too long for the line."""
    first, *more = _wrapped(value, COLUMNS - 2 - _NAMES)
    yield f"{name + ':':<{_NAMES}}{first}"
    yield from (" " * _NAMES + line for line in more)
