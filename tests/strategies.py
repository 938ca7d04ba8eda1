"""What properties are tried with: arbitrary JSON, and Cloudflare's answers in each generation of its contract.

The generations are written down here a second time, apart from schemas/detection.schema.json, so that the schema is
tested against what Cloudflare documents and not against itself.
"""

import copy
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st

Json = dict[str, Any] | list[Any] | str | int | float | bool | None
Answer = dict[str, Any]
Fields = dict[str, st.SearchStrategy[Any]]

DISPOSITIONS = (
    "MALICIOUS",
    "MALICIOUS-BEC",
    "SUSPICIOUS",
    "SPOOF",
    "SPAM",
    "BULK",
    "ENCRYPTED",
    "EXTERNAL",
    "UNKNOWN",
    "NONE",
)
AUTHENTICATION_RESULTS = ("pass", "neutral", "fail", "error", "none")

# --- arbitrary JSON ---------------------------------------------------------------------------------------------------

any_text = st.text(st.characters(), max_size=40)
"""With halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""

any_scalar: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63), 10**100, -(10**400)])
    | st.floats()
    | st.sampled_from([1e126, -1e-131, 5e-324])
    | any_text
)


def json_values(names: st.SearchStrategy[str] = any_text) -> st.SearchStrategy[Any]:
    """Any value that Python's json module can give; `names` for the members of objects."""
    return st.recursive(any_scalar, lambda it: st.lists(it) | st.dictionaries(names, it), max_leaves=15)


def depths_at_the_edge() -> range:
    """Depths of nesting about the deepest that Python's json module takes, from where the stack now stands."""
    taken, refused = 1, 200_000
    while refused - taken > 1:
        depth = (taken + refused) // 2
        try:
            json.loads("[" * depth + "]" * depth)
        except RecursionError:
            refused = depth
        else:
            taken = depth
    return range(taken - 60, taken + 20)


# --- the three generations of Cloudflare's contract -------------------------------------------------------------------

_text = st.text(max_size=20)
_null_or_text = st.none() | _text
_disposition = st.sampled_from(DISPOSITIONS)
_result = st.none() | st.sampled_from(AUTHENTICATION_RESULTS)


def _object(required: Fields, optional: Fields) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


def _some(it: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(it, max_size=3)


_attachment: Fields = {
    "content_type": _null_or_text,
    "detection": st.none() | _disposition,
    "encrypted": st.none() | st.booleans(),
    "name": _null_or_text,
}
_hashes = ("filename", "md5", "sha1", "sha256")
_finding: Fields = dict.fromkeys(("attachment", "detail", "field", "name", "portion", "reason", "value"), _text) | {
    "score": st.floats(allow_nan=False, allow_infinity=False)
}
_size: Fields = {"size": st.integers(0, 2**63 - 1)}
_category_id: Fields = {"id": st.integers(0, 2**63 - 1)}
_category: Fields = {"name": _null_or_text, "description": _null_or_text}
_validation = _object({}, {"comment": _null_or_text, "dkim": _result, "dmarc": _result, "spf": _result})

_always: Fields = {
    "action": _text,
    "headers": _some(_object({"name": _text, "value": _text}, {})),
    "links": _some(_object({"href": _text}, {"text": _null_or_text})),
    "sender_info": _object(
        {},
        {
            "as_name": _null_or_text,
            "as_number": st.none() | st.integers(0, 2**63 - 1),
            "geo": _null_or_text,
            "ip": _null_or_text,
            "pld": _null_or_text,
        },
    ),
}

until_april_2026 = _object(
    _always
    | {
        "attachments": _some(_object(_size, _attachment)),
        "threat_categories": _some(_object(_category_id, _category)),
        "validation": st.none() | _validation,
    },
    {"final_disposition": st.none() | _disposition},
)
from_may_2026 = _object(
    _always
    | {
        "attachments": _some(_object(_size, _attachment | dict.fromkeys(_hashes, _text))),
        "findings": st.none() | _some(_object({}, _finding | {"detection": _disposition})),
        "threat_categories": _some(_object({}, _category_id | _category)),
        "validation": _validation,
    },
    {"final_disposition": _disposition},
)
since_october_2026 = _object(
    _always
    | {
        "attachments": _some(_object(_size, _attachment | dict.fromkeys(_hashes, _null_or_text))),
        "findings": st.none() | _some(_object({}, _finding | {"detection": st.none() | _disposition})),
        "threat_categories": _some(_object({}, _category_id | _category)),
        "validation": st.none() | _validation,
    },
    {"final_disposition": st.none() | _disposition},
)

GENERATIONS: dict[str, st.SearchStrategy[Answer]] = {
    "2024 to April 2026": until_april_2026,
    "May to August 2026": from_may_2026,
    "since October 2026": since_october_2026,
}
answers = until_april_2026 | from_may_2026 | since_october_2026

# --- answers that have drifted from it --------------------------------------------------------------------------------

REQUIRED = {
    "$": ("action", "attachments", "headers", "links", "sender_info", "threat_categories", "validation"),
    "$.attachments[*]": ("size",),
    "$.headers[*]": ("name", "value"),
    "$.links[*]": ("href",),
}
"""What every generation requires. `validation` alone of these may be null."""
ARRAYS = {f"$.{name}" for name in ("attachments", "findings", "headers", "links", "threat_categories")}
ENUMS = {"$.attachments[*].detection", "$.findings[*].detection"} | {
    f"$.validation.{name}" for name in ("dkim", "dmarc", "spf")
}


class Drifted(NamedTuple):
    """An answer before and after one change outside of the decision; `reported` is how the report of it begins."""

    before: Answer
    after: Answer
    reported: str


@st.composite
def drifted(draw: st.DrawFn) -> Drifted:
    """An unknown field, a new enum value, a null, a missing field or a wrong type, at any place of any generation."""
    before = draw(answers)
    after = copy.deepcopy(before)
    changes = list(_changes(after, "$"))
    reported, change = changes[draw(st.integers(0, len(changes) - 1))]
    change()
    return Drifted(before, after, reported)


def _changes(node: Any, path: str) -> Iterator[tuple[str, Callable[[], object]]]:
    places: list[tuple[str | int, Any, str]] = []
    if isinstance(node, dict):
        yield f"{path}.brand_new: unknown", partial(node.__setitem__, "brand_new", "?")
        places = [(name, value, f"{path}.{name}") for name, value in node.items()]
        for name in REQUIRED.get(path, ()):
            yield f"{path}.{name}: required", partial(node.pop, name)
            if name != "validation":
                yield f"{path}.{name}: type", partial(node.__setitem__, name, None)
    elif isinstance(node, list):
        places = [(i, value, f"{path}[*]") for i, value in enumerate(node)]
    for key, value, place in places:
        if place == "$.final_disposition":
            continue
        yield f"{place}: ", partial(node.__setitem__, key, 7 if place in ARRAYS else ["wrong"])
        if place in ENUMS:
            yield f"{place}: enum", partial(node.__setitem__, key, "BRAND-NEW")
        yield from _changes(value, place)


# --- answers that are hardly one --------------------------------------------------------------------------------------

_FIELDS = {
    "attachments": (*_size, *_attachment, *_hashes),
    "findings": (*_finding, "detection"),
    "headers": ("name", "value"),
    "links": ("href", "text"),
    "sender_info": ("as_name", "as_number", "geo", "ip", "pld"),
    "threat_categories": ("id", "name", "description"),
    "validation": ("comment", "dkim", "dmarc", "spf"),
}


def wild_answers(leaves: st.SearchStrategy[Any], disposition: st.SearchStrategy[Any]) -> st.SearchStrategy[Answer]:
    """Objects with Cloudflare's field names, and with `leaves` wherever Cloudflare has text or a number."""

    def shaped(name: str, fields: tuple[str, ...]) -> st.SearchStrategy[Any]:
        one = _object({}, dict.fromkeys(fields, leaves))
        return one if name in ("sender_info", "validation") else st.lists(one | leaves, max_size=4)

    shapes = {name: shaped(name, fields) | leaves for name, fields in _FIELDS.items()}
    return _object({}, shapes | {"action": leaves, "final_disposition": disposition, "brand_new": leaves})


# --- contexts ---------------------------------------------------------------------------------------------------------

_CONTEXT_TEXTS = (
    "subject",
    "from",
    "from_name",
    "replyto",
    "envelope_from",
    "message_id",
    "delivery_mode",
    "scanned_at",
    "sent_at",
)
_CONTEXT_LISTS = ("to", "envelope_to", "client_recipients", "delivery_status", "detection_reasons")


def _contexts(leaf: st.SearchStrategy[Any], items: st.SearchStrategy[Any]) -> st.SearchStrategy[Answer]:
    members = dict.fromkeys(_CONTEXT_TEXTS, leaf) | dict.fromkeys(_CONTEXT_LISTS, items)
    return _object({}, members | {"id": leaf, "is_quarantined": st.none() | st.booleans()})


contexts = _contexts(_text, _some(_text))
"""As GET .../investigate/{id} documents it."""


def wild_contexts(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Answer]:
    """Objects with Cloudflare's field names, and with `leaves` wherever Cloudflare has text."""
    return _contexts(leaves, st.lists(leaves, max_size=4) | leaves)
