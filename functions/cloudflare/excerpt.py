"""A detection or a context as plain JSON values that are sure to fit: what a record keeps and what an alert carries.

No field of Cloudflare's has a maximum length or count, while an alert and a record do. Long texts are cut, and lists
are filled from their beginning, the most telling list first, until there is no more room. What went is named.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from functions.cloudflare.context import Context
from functions.cloudflare.detection import Detection
from functions.cloudflare.message_id import MessageId

DETECTION_LISTS = ("threat_categories", "attachments", "findings", "links", "headers")
"""Filled in this order. Headers come last: they are the largest, and what matters in them is in other fields as well."""
CONTEXT_LISTS = ("delivery_status", "client_recipients", "envelope_to", "to", "detection_reasons")
FEW = 200
"""Items of all lists together, up to which they are tried whole before they are counted one by one."""
TEXT_LIMIT = 1_000
"""Characters of one text, unless somebody wants fewer."""
_SEPARATOR = len(", ")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """fields: the source without what is absent, under Cloudflare's names. counts: how many of each list it had.

    dropped: the lists that are not whole, in the order in which they lost; and `texts`, where a text was cut.
    """

    fields: dict[str, Any]
    counts: dict[str, int]
    dropped: tuple[str, ...]


def excerpt(source: Detection | Context, limit: int, text_limit: int = TEXT_LIMIT) -> Excerpt:
    """The source in at most `limit` bytes of JSON (UTF-8), or with empty lists where even that is more.

    text_limit: characters of a text.
    """
    filled_first = DETECTION_LISTS if isinstance(source, Detection) else CONTEXT_LISTS
    lists: dict[str, Sequence[object]] = {name: getattr(source, name) for name in filled_first}
    counts = source.counts if isinstance(source, Detection) else {name: len(items) for name, items in lists.items()}
    cut = _Cutter(text_limit)
    plain: dict[str, object] = {name: [] for name in lists}
    for field in fields(source):
        value = getattr(source, field.name)
        if field.name not in lists and field.name != "counts" and value is not None:
            # `from` is a word of Python's, so that its field has another name.
            plain[field.name.rstrip("_")] = cut.plain(value)
    room = limit - _size(plain)
    if sum(map(len, lists.values())) <= FEW:
        whole = {name: [cut.plain(it) for it in items] for name, items in lists.items()}
        if _size(whole) <= room:
            return Excerpt(plain | whole, counts, _dropped(counts, whole, cut))
    for name, items in lists.items():
        kept: list[object] = []
        for item in items:
            value = cut.plain(item)
            room -= _size(value) + _SEPARATOR
            if room < 0:
                break
            kept.append(value)
        plain[name], lists[name] = kept, kept
    return Excerpt(plain, counts, _dropped(counts, lists, cut))


def _dropped(counts: dict[str, int], kept: Mapping[str, Sequence[object]], cut: "_Cutter") -> tuple[str, ...]:
    short = tuple(name for name in reversed([*kept]) if counts[name] > len(kept[name]))
    return (*short, "texts") if cut.texts else short


class _Cutter:
    """Turns values into plain ones, and remembers whether it had to cut a text."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.texts = False

    def plain(self, value: object) -> object:
        if isinstance(value, str):
            if len(value) <= self._limit:
                return value
            self.texts = True
            return value[: self._limit - 1] + "…"
        if isinstance(value, MessageId):
            return value.value
        if is_dataclass(value):
            named = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
            return {name: self.plain(it) for name, it in named if it is not None}
        return value


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
