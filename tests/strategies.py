"""Hypothesis strategies: arbitrary JSON, and Cloudflare's answers in each generation of its contract.

The generations repeat schemas/detection.schema.json on purpose. So tests compare the schema with Cloudflare's
documentation, and not with itself.
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
"""Includes lone surrogates, which are valid in JSON and invalid in UTF-8."""

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
    """Any value that Python's json module can return. names: the member names of objects."""
    return st.recursive(
        any_scalar, lambda children: st.lists(children) | st.dictionaries(names, children), max_leaves=15
    )


def depths_at_the_edge() -> range:
    """Nesting depths around the maximum that Python's json module can parse at the current stack depth."""
    parsed, refused = 1, 200_000
    while refused - parsed > 1:
        depth = (parsed + refused) // 2
        try:
            json.loads("[" * depth + "]" * depth)
        except RecursionError:
            refused = depth
        else:
            parsed = depth
    return range(parsed - 60, parsed + 20)


# --- the three generations of Cloudflare's contract -------------------------------------------------------------------

_text = st.text(max_size=20)
_null_or_text = st.none() | _text
_disposition = st.sampled_from(DISPOSITIONS)
_result = st.none() | st.sampled_from(AUTHENTICATION_RESULTS)


def _object(required: Fields, optional: Fields) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


def _list_of(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=3)


_attachment: Fields = {
    "content_type": _null_or_text,
    "detection": st.none() | _disposition,
    "encrypted": st.none() | st.booleans(),
    "name": _null_or_text,
}
_hashes = ("filename", "md5", "sha1", "sha256")
_finding: Fields = dict.fromkeys(("attachment", "detail", "field", "name", "portion", "reason", "value"), _text) | {
    "score": st.floats(-1e99, 1e99)
}
_size: Fields = {"size": st.integers(0, 2**63 - 1)}
_category_id: Fields = {"id": st.integers(0, 2**63 - 1)}
_category: Fields = {"name": _null_or_text, "description": _null_or_text}
_validation = _object({}, {"comment": _null_or_text, "dkim": _result, "dmarc": _result, "spf": _result})

_always: Fields = {
    "action": _text,
    "headers": _list_of(_object({"name": _text, "value": _text}, {})),
    "links": _list_of(_object({"href": _text}, {"text": _null_or_text})),
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
        "attachments": _list_of(_object(_size, _attachment)),
        "threat_categories": _list_of(_object(_category_id, _category)),
        "validation": st.none() | _validation,
    },
    {"final_disposition": st.none() | _disposition},
)
from_may_2026 = _object(
    _always
    | {
        "attachments": _list_of(_object(_size, _attachment | dict.fromkeys(_hashes, _text))),
        "findings": st.none() | _list_of(_object({}, _finding | {"detection": _disposition})),
        "threat_categories": _list_of(_object({}, _category_id | _category)),
        "validation": _validation,
    },
    {"final_disposition": _disposition},
)
since_october_2026 = _object(
    _always
    | {
        "attachments": _list_of(_object(_size, _attachment | dict.fromkeys(_hashes, _null_or_text))),
        "findings": st.none() | _list_of(_object({}, _finding | {"detection": st.none() | _disposition})),
        "threat_categories": _list_of(_object({}, _category_id | _category)),
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

# --- answers with drift -----------------------------------------------------------------------------------------------

REQUIRED = {
    "$": ("action", "attachments", "headers", "links", "sender_info", "threat_categories", "validation"),
    "$.attachments[*]": ("size",),
    "$.headers[*]": ("name", "value"),
    "$.links[*]": ("href",),
}
"""The fields that every generation requires. Only `validation` may be null."""
ARRAYS = {f"$.{name}" for name in ("attachments", "findings", "headers", "links", "threat_categories")}
ENUMS = {"$.attachments[*].detection", "$.findings[*].detection"} | {
    f"$.validation.{name}" for name in ("dkim", "dmarc", "spf")
}


class Drifted(NamedTuple):
    """An answer before and after one change outside the decision fields.

    reported: the start of the drift report for this change.
    """

    before: Answer
    after: Answer
    reported: str


@st.composite
def drifted(draw: st.DrawFn) -> Drifted:
    """An unknown field, a new enum value, a null, a missing field or a wrong type, anywhere in any generation."""
    before = draw(answers)
    after = copy.deepcopy(before)
    changes = list(_changes(after, "$"))
    reported, change = changes[draw(st.integers(0, len(changes) - 1))]
    change()
    return Drifted(before, after, reported)


def _changes(node: Any, path: str) -> Iterator[tuple[str, Callable[[], object]]]:
    children: list[tuple[str | int, Any, str]] = []
    if isinstance(node, dict):
        yield f"{path}.brand_new: unknown", partial(node.__setitem__, "brand_new", "?")
        children = [(name, value, f"{path}.{name}") for name, value in node.items()]
        for name in REQUIRED.get(path, ()):
            yield f"{path}.{name}: required", partial(node.pop, name)
            if name != "validation":
                yield f"{path}.{name}: type", partial(node.__setitem__, name, None)
    elif isinstance(node, list):
        children = [(i, value, f"{path}[*]") for i, value in enumerate(node)]
    for key, value, value_path in children:
        if value_path == "$.final_disposition":
            continue
        yield f"{value_path}: ", partial(node.__setitem__, key, 7 if value_path in ARRAYS else ["wrong"])
        if value_path in ENUMS:
            yield f"{value_path}: enum", partial(node.__setitem__, key, "BRAND-NEW")
        yield from _changes(value, value_path)


# --- arbitrary answers ------------------------------------------------------------------------------------------------

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
    """Objects with Cloudflare's field names, and `leaves` in place of texts and numbers."""

    def shaped(name: str, fields: tuple[str, ...]) -> st.SearchStrategy[Any]:
        one = _object({}, dict.fromkeys(fields, leaves))
        return one if name in ("sender_info", "validation") else st.lists(one | leaves, max_size=4)

    shapes = {name: shaped(name, fields) | leaves for name, fields in _FIELDS.items()}
    return _object({}, shapes | {"action": leaves, "final_disposition": disposition, "brand_new": leaves})


# --- message details --------------------------------------------------------------------------------------------------

_DETAILS_TEXTS = (
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
_DETAILS_LISTS = ("to", "envelope_to", "client_recipients", "delivery_status", "detection_reasons")


def _details(leaf: st.SearchStrategy[Any], items: st.SearchStrategy[Any]) -> st.SearchStrategy[Answer]:
    members = dict.fromkeys(_DETAILS_TEXTS, leaf) | dict.fromkeys(_DETAILS_LISTS, items)
    return _object({}, members | {"id": leaf, "is_quarantined": st.none() | st.booleans()})


documented_details = _details(_text, _list_of(_text))
"""Message details as Cloudflare documents them for GET .../investigate/{id}."""


def wild_details(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Answer]:
    """Objects with Cloudflare's field names, and `leaves` in place of texts."""
    return _details(leaves, st.lists(leaves, max_size=4) | leaves)


HOST_LABELS = [
    "evil",
    "x-ray",
    "a_b",
    "bücher",
    "BU\u0308CHER",
    "xn--bcher-kva",
    "faß",
    "раураl",  # noqa: RUF001
    "例え",
    "ＡＢ",  # noqa: RUF001
    "İi",
    "💩",
]
"""Labels of hosts: plain ones, and those that IDNA folds, maps or refuses."""
