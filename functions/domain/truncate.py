"""Convert a detection or message details to JSON values within a size limit, for a record or an alert.

Cloudflare sets no maximum length or count for its fields, but records and alerts have size limits. Long texts are cut.
Lists are filled in a fixed order, the most informative first, until the limit is reached. The result names what was cut.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from functions.domain.detection import Detection
from functions.domain.email_id import EmailId
from functions.domain.message_details import MessageDetails

DETECTION_LISTS = ("threat_categories", "attachments", "findings", "links", "headers")
"""In the order of filling. Headers come last: they are the largest, and other fields repeat their important parts."""
DETAILS_LISTS = (
    *("delivery_status", "client_recipients", "envelope_to", "to", "detection_reasons"),
    "post_delivery_operations",
)
TEXT_LIMIT = 1_000
"""The default maximum of characters in one text."""
_FEW_ITEMS = 200
"""Up to this total of items, all lists are measured at once. More items are measured one by one, to stop early."""
_SEPARATOR_BYTES = len(", ")


@dataclass(frozen=True, slots=True)
class Truncated:
    """The JSON values that fit, and what was cut.

    fields:  the source under Cloudflare's field names, without absent fields.
    counts:  the original length of each list.
    dropped: the lists that are incomplete, starting with the one that is cut first; then `texts` if a text was cut.
    """

    fields: dict[str, Any]
    counts: dict[str, int]
    dropped: tuple[str, ...]


_NOT_KEPT = frozenset({"counts", "drift"})
"""Not fields of Cloudflare's answer: a record has them beside it."""


def truncate(source: Detection | MessageDetails, limit: int, text_limit: int = TEXT_LIMIT) -> Truncated:
    """Convert the source to JSON values of at most `limit` bytes in UTF-8.

    text_limit: the maximum of characters in one text. The result has empty lists if all other fields alone exceed the
    limit.
    """
    list_names = DETECTION_LISTS if isinstance(source, Detection) else DETAILS_LISTS
    lists: dict[str, Sequence[object]] = {name: getattr(source, name) for name in list_names}
    counts = source.counts if isinstance(source, Detection) else {name: len(items) for name, items in lists.items()}
    converter = _Converter(text_limit)
    values: dict[str, object] = {name: [] for name in lists}
    for field in fields(source):
        value = getattr(source, field.name)
        if field.name not in lists and field.name not in _NOT_KEPT and value is not None:
            # The field `from` is called `from_` in Python, where `from` is a keyword.
            values[field.name.rstrip("_")] = converter.convert(value)
    bytes_left = limit - _size(values)
    if sum(map(len, lists.values())) <= _FEW_ITEMS:
        converted = {name: [converter.convert(item) for item in items] for name, items in lists.items()}
        if _size(converted) <= bytes_left:
            return Truncated(values | converted, counts, _dropped(counts, converted, converter))
    for name, items in lists.items():
        kept: list[object] = []
        for item in items:
            value = converter.convert(item)
            bytes_left -= _size(value) + _SEPARATOR_BYTES
            if bytes_left < 0:
                break
            kept.append(value)
        values[name], lists[name] = kept, kept
    return Truncated(values, counts, _dropped(counts, lists, converter))


def _dropped(counts: dict[str, int], kept: Mapping[str, Sequence[object]], converter: "_Converter") -> tuple[str, ...]:
    incomplete = tuple(name for name in reversed([*kept]) if counts[name] > len(kept[name]))
    return (*incomplete, "texts") if converter.has_cut_text else incomplete


class _Converter:
    """Converts values to JSON values, and notes whether it cut a text."""

    def __init__(self, text_limit: int) -> None:
        self._text_limit = text_limit
        self.has_cut_text = False

    def convert(self, value: object) -> object:
        if isinstance(value, str):
            if len(value) <= self._text_limit:
                return value
            self.has_cut_text = True
            return value[: self._text_limit - 1] + "…"
        if isinstance(value, EmailId):
            return value.value
        if is_dataclass(value):
            members = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
            return {name: self.convert(member) for name, member in members if member is not None}
        return value


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
