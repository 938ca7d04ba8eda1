"""Commands of the escalator that a reader can paste into a shell.

Values from the email are defanged and quoted; the escalator undoes the defanging. A line that is too long goes on after a
backslash.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from functions.alert.sanitize import defanged
from functions.domain.campaign import CopyCounts
from functions.domain.header_fields import HeaderFields
from functions.domain.ordered_links import host_shown, ordered_links
from functions.domain.record import Record
from functions.domain.search_values import SearchKind, search_value, search_values

Related = tuple[SearchKind, str]
"""A value that other emails may have too, in the form in which records are counted by it."""

NO_COUNTS: Mapping[Related, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of emails before this one.

    counts: how many records have a value of this email; see `related_values`. copies: the emails of its campaign.
    """

    counts: Mapping[Related, int] = field(default_factory=lambda: NO_COUNTS)
    copies: CopyCounts | None = None


NOTHING = Earlier()

COUNTED_DAYS: Final = 30
"""Days before an alert for which its counts and its commands ask."""
COUNTED_PERIOD: Final = timedelta(days=COUNTED_DAYS)
MAX_COUNT: Final = 100
"""A value with this many records has this many or more. They cost at most four read units."""
_MAX_ADDRESSES = 2
_SEARCHES = {
    SearchKind.SENDER: ("--sender", "Same sender"),
    SearchKind.LINK_HOST: ("--link-host", "Same link host"),
    SearchKind.ATTACHMENT_HASH: ("--attachment-hash", "Same file"),
}
_LONGEST_VALUE = 120
"""Characters of a defanged value. A longer one would be cut, and would find nothing."""


def explain(record: Record, stack: str, columns: int) -> list[str]:
    """Everything that is known of the email."""
    return _lines(["escalator explain", record.id.value], stack, columns)


def campaign_command(campaign: str, stack: str, columns: int) -> list[str]:
    """All emails of a campaign."""
    return _lines(["escalator history", f"--campaign {campaign}"], stack, columns)


def related_values(record: Record, fields: HeaderFields) -> list[Related]:
    """The first senders or reply addresses, the first link host and the first file, as far as the email has them."""
    links = ordered_links(record.detection) if record.detection else ()
    hashes = search_values(record.detection, record.details).values[SearchKind.ATTACHMENT_HASH]
    addresses = filter(None, (it.address for it in (*fields.senders, *fields.other_reply_to)))
    texts = [
        *((SearchKind.SENDER, text) for text in list(dict.fromkeys(addresses))[:_MAX_ADDRESSES]),
        (SearchKind.LINK_HOST, next(filter(None, map(host_shown, links)), "")),
        (SearchKind.ATTACHMENT_HASH, next(iter(hashes), "")),
    ]
    return [(kind, value) for kind, text in texts if (value := search_value(kind, text))]


def look_for_others(
    record: Record, fields: HeaderFields, counts: Mapping[Related, int], stack: str, columns: int
) -> Iterator[list[str]]:
    """For each related value how many earlier records have it, where that is known, and the command that lists them."""
    senders = {it.address for it in fields.senders}
    for kind, value in related_values(record, fields):
        option, name = _SEARCHES[kind]
        if kind is SearchKind.SENDER and value not in senders:
            name = "Same reply address"
        shown = defanged(value, _LONGEST_VALUE)
        asked = [f"{option} {shlex.quote(shown)}", f"--since {COUNTED_DAYS}d"]
        lines = _lines(["escalator history", *asked], stack, columns)
        if not shown.endswith("…") and max(map(len, lines)) <= columns:
            yield [f"{name}{_counted(counts.get((kind, value)))}:", *lines]


def _counted(count: int | None) -> str:
    if count is None:
        return ""
    number = f"{count} or more" if count >= MAX_COUNT else str(count) if count else "no"
    return f", {number} earlier record{'' if count == 1 else 's'} in {COUNTED_DAYS} days"


def _lines(parts: list[str], stack: str, columns: int) -> list[str]:
    parts = [*parts, *([f"--stack {shlex.quote(stack)}"] if stack else [])]
    lines = [parts[0]]
    for part in (it for whole in parts[1:] for it in ([whole] if len(whole) + 2 <= columns else whole.split(" ", 1))):
        if len(f"{lines[-1]} {part} \\") <= columns:
            lines[-1] += f" {part}"
        else:
            lines[-1] += " \\"
            lines.append(part)
    return lines
