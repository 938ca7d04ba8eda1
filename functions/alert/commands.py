"""Commands of the escalator that a reader can paste into a shell.

Values from the email are defanged and quoted; the escalator undoes the defanging. A line that is too long goes on after a
backslash.
"""

import shlex
from collections.abc import Iterator

from functions.alert.sanitize import defanged
from functions.domain.header_fields import HeaderFields
from functions.domain.ordered_links import host_shown, ordered_links
from functions.domain.record import Record
from functions.domain.search_values import SearchKind, search_values

_LONGEST_VALUE = 120
"""Characters of a defanged value. A longer one would be cut, and would find nothing."""


def explain(record: Record, stack: str, columns: int) -> list[str]:
    """Everything that is known of the email."""
    return _lines(["escalator explain", record.id.value], stack, columns)


def look_for_others(record: Record, fields: HeaderFields, stack: str, columns: int) -> Iterator[list[str]]:
    """Emails from the same sender, with the same link host and with the same file."""
    links = ordered_links(record.detection) if record.detection else ()
    hashes = search_values(record.detection, record.details).values[SearchKind.ATTACHMENT_HASH]
    asked = {
        "--sender": next((it.address for it in fields.senders if it.address), ""),
        "--link-host": next(filter(None, map(host_shown, links)), ""),
        "--attachment-hash": next(iter(hashes), ""),
    }
    for option, value in asked.items():
        shown = defanged(value, _LONGEST_VALUE)
        lines = _lines(["escalator history", f"{option} {shlex.quote(shown)}"], stack, columns)
        if value and not shown.endswith("…") and max(map(len, lines)) <= columns:
            yield lines


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
