"""Cloudflare's answer against schemas/detection.schema.json: what the decision needs, and what has drifted.

The contract has changed three times in two years, and Cloudflare's own example of 2024 fails that of 2026. A check
that is strict about what the decision does not need would lose alerts; so there are two checks.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from functions.cloudflare.errors import InvalidAnswer
from functions.schema import Definition, json_path, load_schema, schema_version, where

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_SCHEMA = load_schema("detection")
_DECISION = Definition(_SCHEMA, "decision")
_CONTRACT = Definition(_SCHEMA, "contract")

VERSION = schema_version("detection")
"""Which text of the contract an answer was checked against."""
DISPOSITIONS: frozenset[str] = frozenset(_SCHEMA["$defs"]["disposition"]["enum"])
"""Every disposition that Cloudflare documents, in upper case."""

FAMILIES = ("SUSPICIOUS", "MALICIOUS")
"""Beginnings of dispositions that call for an alert, the graver one last; documented words and new ones alike."""

DRIFT_PATHS = 20
"""How many paths are reported at most; an answer that has drifted further is another product."""
SAMPLE = 200
"""How many items of each list are looked at: what has drifted has drifted there. 100,000 links would take seconds."""
_FIELD_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


def require_decision(result: object) -> dict[str, object]:
    """The result itself, where it has what the decision needs. Raises InvalidAnswer with the JSON path."""
    error = _DECISION.best_error(result)
    if error is not None or not isinstance(result, dict):
        raise InvalidAnswer(f"the answer lacks what the decision needs: {where(error) if error else '$: type'}")
    return result


def find_drift(result: dict[str, object]) -> tuple[str, ...]:
    """Where the result does not match the contract, as sorted `path: rule`; empty where it does.

    Rules are JSON Schema's keywords, with `unknown` for a field that the contract does not have.
    """
    sample = {name: it[:SAMPLE] if isinstance(it, list) else it for name, it in result.items()}
    found: set[str] = set()
    for error in _CONTRACT.errors(sample):
        found.update(_drift(error))
    return tuple(sorted(found)[:DRIFT_PATHS])


def unknown_fields(result: dict[str, object]) -> list[str]:
    """The paths of the fields of a result itself, not of its parts, that the contract does not have."""
    return sorted(f"$.{_shown(name)}" for name in result.keys() - _SCHEMA["$defs"]["contract"]["properties"].keys())


def _shown(name: str) -> str:
    return name if _FIELD_NAME.fullmatch(name) else "?"


def _drift(error: "ValidationError") -> Iterator[str]:
    path, instance, schema = json_path(error.absolute_path), cast("Any", error.instance), cast("Any", error.schema)
    if error.validator == "additionalProperties":
        for name in instance.keys() - schema["properties"].keys():
            yield f"{path}.{_shown(name)}: unknown"
    elif error.validator == "required":
        for name in schema["required"]:
            if name not in instance:
                yield f"{path}.{name}: required"
    elif error.validator == "anyOf":
        # Says "or null" wherever the schema uses it: the first branch has the reason.
        for branch in error.context or ():
            if branch.schema_path[0] == 0:
                yield from _drift(branch)
    else:
        yield where(error)
