"""A detection as plain JSON values that are sure to fit: what a record keeps and what an alert carries.

No field of Cloudflare's has a maximum length or count, while an alert and a record do. Long texts are cut, and lists
are filled from their beginning, the most telling list first, until there is no more room. What went is named.
"""

import json
from dataclasses import dataclass, fields, is_dataclass

from functions.cloudflare.detection import Detection

FILLED_FIRST = ("threat_categories", "attachments", "findings", "links", "headers")
"""Headers come last: they are the largest, and what matters in them is in `validation` and `sender_info` as well."""
TEXT_LIMIT = 1_000
"""Characters of one text."""
_SEPARATOR = len(", ")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """fields: the detection without what is absent. counts: how many of each list Cloudflare gave.

    dropped: the lists that are not whole, in the order in which they lost; and `texts`, where a text was cut.
    """

    fields: dict[str, object]
    counts: dict[str, int]
    dropped: tuple[str, ...]


def excerpt(detection: Detection, limit: int) -> Excerpt:
    """The detection in at most `limit` bytes of JSON (UTF-8), or with empty lists where even that is more."""
    cut = _Cutter()
    plain: dict[str, object] = {}
    for field in fields(detection):
        value = getattr(detection, field.name)
        if field.name in FILLED_FIRST:
            plain[field.name] = []
        elif field.name != "counts" and value is not None:
            plain[field.name] = cut.plain(value)
    room = limit - _size(plain)
    for name in FILLED_FIRST:
        kept: list[object] = []
        for item in getattr(detection, name):
            value = cut.plain(item)
            room -= _size(value) + _SEPARATOR
            if room < 0:
                break
            kept.append(value)
        plain[name] = kept
    short = tuple(name for name in reversed(FILLED_FIRST) if len(getattr(detection, name)) > len(plain[name]))  # type: ignore[arg-type]  # each of these is a list by now
    return Excerpt(plain, detection.counts, (*short, "texts") if cut.texts else short)


class _Cutter:
    """Turns values into plain ones, and remembers whether it had to cut a text."""

    def __init__(self) -> None:
        self.texts = False

    def plain(self, value: object) -> object:
        if isinstance(value, str) and len(value) > TEXT_LIMIT:
            self.texts = True
            return value[: TEXT_LIMIT - 1] + "…"
        if is_dataclass(value):
            named = ((field.name, getattr(value, field.name)) for field in fields(value))
            return {name: self.plain(it) for name, it in named if it is not None}
        return value


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
