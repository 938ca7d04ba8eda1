"""Validation of Cloudflare's detections against schemas/detection.schema.json.

Cloudflare changed the contract three times in two years; its own example of 2024 does not match the contract of 2026.
A strict check of fields that the decision does not need would lose alerts. So there are two checks: `require_decision`
rejects a result, `find_drift` only reports.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, cast

from functions.cloudflare.errors import InvalidAnswer
from functions.domain.detection import Detection, read_detection
from functions.domain.email_id import EmailId
from functions.domain.json_values import items
from functions.schema import Definition, json_path, load_schema, schema_version, where

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_SCHEMA = load_schema("detection")
_DECISION = Definition(_SCHEMA, "decision")
_CONTRACT = Definition(_SCHEMA, "contract")

VERSION = schema_version("detection")
"""The version of the contract that results are checked against."""
DISPOSITIONS: frozenset[str] = frozenset(_SCHEMA["$defs"]["disposition"]["enum"])
"""All dispositions that Cloudflare documents, in upper case."""

DRIFT_PATHS = 20
"""The maximum of reported paths. An answer with more drift comes from another product."""
SAMPLE_ITEMS = 200
"""The number of items checked in each list. Drift affects all items alike, and 100,000 links would take seconds."""
SAMPLE_FIELDS = 200
"""The number of unknown fields checked in each object, for the same reason."""
_SAMPLE_DEPTH = 3
"""Levels of objects and lists that the contract describes: the result, a list in it, and an item of the list."""
_MAX_UNKNOWN_FIELDS = 5
_FIELD_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """A detection, with what is unusual about the response.

    id:             the email's id at Cloudflare, which can be longer than the requested one.
    drift:          where the result does not match the contract, as `path: rule`.
    unknown_fields: without a disposition, the fields that the contract does not have: one may be the disposition.
    detail:         what a search by a shorter id may have missed.
    """

    id: EmailId
    detection: Detection
    drift: tuple[str, ...]
    unknown_fields: tuple[str, ...]
    detail: str = ""


def read_detection_result(id: EmailId, result: object) -> DetectionResult:
    """Parse the `result` of a response. Raises InvalidAnswer if a field that the decision needs is missing."""
    try:
        checked = require_decision(result)
    except InvalidAnswer as exc:
        known = read_detection(result | {"final_disposition": None}) if isinstance(result, dict) else None
        raise InvalidAnswer(str(exc), id, known) from exc
    return DetectionResult(
        id=id,
        detection=read_detection(checked),
        drift=find_drift(checked),
        unknown_fields=() if "final_disposition" in checked else tuple(unknown_fields(checked)[:_MAX_UNKNOWN_FIELDS]),
    )


def require_decision(result: object) -> dict[str, object]:
    """Return the result if it has the fields that the decision needs. Raises InvalidAnswer with the JSON path."""
    error = _DECISION.best_error(result)
    if error is not None or not isinstance(result, dict):
        raise InvalidAnswer(f"Cloudflare's result lacks a required field: {where(error) if error else '$: type'}")
    return result


def find_drift(result: dict[str, object]) -> tuple[str, ...]:
    """List where the result does not match the contract, as sorted `path: rule`.

    Rules are JSON Schema keywords, or `unknown` for a field that the contract does not have.
    """
    sample = _sample(result)
    drift: set[str] = set()
    for error in _CONTRACT.errors(sample):
        drift.update(_describe(error))
    if any(isinstance(it, dict) and it.get("score") != it.get("score") for it in items(sample.get("findings"))):
        # JSON Schema has no NaN: it passes as a number.
        drift.add("$.findings[*].score: finite")
    return tuple(sorted(drift)[:DRIFT_PATHS])


def unknown_fields(result: dict[str, object]) -> list[str]:
    """List the paths of top-level fields that the contract does not have."""
    known = _SCHEMA["$defs"]["contract"]["properties"]
    unknown = nsmallest(SAMPLE_FIELDS, (name for name in result if name not in known))
    return sorted(f"$.{_safe_name(name)}" for name in unknown)


def _sample(value: Any, depth: int = _SAMPLE_DEPTH) -> Any:
    """The value with the first items of each list, and with all known and some unknown fields of each object."""
    if depth == 0:
        return value
    if isinstance(value, list):
        return [_sample(item, depth - 1) for item in value[:SAMPLE_ITEMS]]
    if isinstance(value, dict):
        unknown = nsmallest(SAMPLE_FIELDS, (name for name in value if name not in _KNOWN_FIELDS))
        names = (*_KNOWN_FIELDS & value.keys(), *unknown)
        return {name: _sample(value[name], depth - 1) for name in names}
    return value


def _property_names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
        schema = list(schema.values())
    for part in schema if isinstance(schema, list) else ():
        yield from _property_names(part)


_KNOWN_FIELDS = frozenset(_property_names(_SCHEMA["$defs"]))


def _safe_name(name: str) -> str:
    """A field name, or `?` for one that could be email content."""
    return name if _FIELD_NAME.fullmatch(name) else "?"


def _describe(error: "ValidationError") -> Iterator[str]:
    path, instance, schema = json_path(error.absolute_path), cast("Any", error.instance), cast("Any", error.schema)
    if error.validator == "additionalProperties":
        for name in instance.keys() - schema["properties"].keys():
            yield f"{path}.{_safe_name(name)}: unknown"
    elif error.validator == "required":
        for name in schema["required"]:
            if name not in instance:
                yield f"{path}.{name}: required"
    elif error.validator == "anyOf":
        # The schema uses `anyOf` only for "this type or null": the first branch has the reason.
        for branch in error.context or ():
            if branch.schema_path[0] == 0:
                yield from _describe(branch)
    else:
        yield where(error)
