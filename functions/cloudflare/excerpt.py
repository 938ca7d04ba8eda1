"""A detection as plain JSON values that are sure to fit: what a record keeps and what an alert carries.

No field of Cloudflare's has a maximum length or count, while an alert and a record do. Long texts are cut first, then
lists from their end, in the order of DROPPED_FIRST. What went is named, never passed over.
"""

import json
from dataclasses import dataclass, fields, is_dataclass

from functions.cloudflare.detection import Detection

DROPPED_FIRST = ("headers", "links", "findings", "attachments", "threat_categories")
"""Headers go first: they are the largest, and what matters in them is in `validation` and `sender_info` as well."""
TEXT_LIMIT = 1_000
"""Characters of one text."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """fields: the detection without what is absent. counts: how many of each list there were. dropped: lists cut short."""

    fields: dict[str, object]
    counts: dict[str, int]
    dropped: tuple[str, ...]


def excerpt(detection: Detection, limit: int) -> Excerpt:
    """The detection in at most `limit` bytes of JSON (UTF-8); `limit` is at least 64 KiB, which the rest always fits."""
    plain = {field.name: _plain(getattr(detection, field.name)) for field in fields(detection)}
    lists = {name: it for name, it in plain.items() if isinstance(it, list)}
    excess = _size(plain) - limit
    dropped = []
    for name in DROPPED_FIRST:
        if excess <= 0:
            break
        kept, freed = _cut(lists[name], excess)
        if freed:
            plain[name] = kept
            dropped.append(name)
            excess -= freed
    return Excerpt(
        fields={name: it for name, it in plain.items() if it is not None},
        counts={name: len(it) for name, it in lists.items()},
        dropped=tuple(dropped),
    )


def _cut(items: list[object], excess: int) -> tuple[list[object], int]:
    """Items from the end removed until `excess` bytes are freed, or none are left; and the bytes that this freed."""
    freed, keep = 0, len(items)
    while keep and freed < excess:
        keep -= 1
        freed += _size(items[keep])
    return items[:keep], freed


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= TEXT_LIMIT else value[: TEXT_LIMIT - 1] + "…"
    if isinstance(value, tuple):
        return [_plain(it) for it in value]
    if is_dataclass(value):
        named = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: _plain(it) for name, it in named if it is not None}
    return value


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
