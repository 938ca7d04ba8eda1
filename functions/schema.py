"""The JSON schemas in schemas/, each loaded once and turned into a validator that is kept.

`jsonschema.validate()` would check the schema itself again on every call, which costs forty times the validation.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

_FOLDER = Path(__file__).parent.parent / "schemas"


def load_schema(name: str) -> dict[str, Any]:
    """`schemas/{name}.schema.json`, as it stands beside functions/ in the repository and in the package alike."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return schema


def schema_version(name: str) -> str:
    """Which text of a schema this is: the first 12 digits of its file's SHA-256, so that nobody has to remember it."""
    return hashlib.sha256((_FOLDER / f"{name}.schema.json").read_bytes()).hexdigest()[:12]


def validator(schema: dict[str, Any], definition: str) -> Draft202012Validator:
    """A validator for one of a schema's `$defs`."""
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]})


def find_errors(checked: Draft202012Validator, instance: object) -> Iterator[ValidationError]:
    """Where an instance does not match; also that it is nested too deeply to be looked at, with the rule `nesting`."""
    try:
        yield from checked.iter_errors(instance)
    except RecursionError:
        yield ValidationError("nested too deeply", validator="nesting")


def json_path(steps: Iterable[str | int]) -> str:
    """A JSON path without indices, so that a hundred links with one fault are one path: `$.links[*].href`."""
    return "$" + "".join("[*]" if isinstance(step, int) else f".{step}" for step in steps)


def where(error: ValidationError) -> str:
    """Path and rule of what does not match. Never the value: that is mail content."""
    return f"{json_path(error.absolute_path)}: {error.validator}"
