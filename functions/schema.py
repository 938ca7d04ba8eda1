"""Load the JSON schemas in schemas/ and check instances against them.

`jsonschema.validate()` checks the schema itself on every call, which costs forty times as much as the validation.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastjsonschema

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_FOLDER = Path(__file__).parent.parent / "schemas"


def load_schema(name: str) -> dict[str, Any]:
    """Load `schemas/{name}.schema.json`. Repository and package both have schemas/ next to functions/."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return schema


def schema_version(name: str) -> str:
    """The version of a schema: 12 digits of the SHA-256 of its file."""
    return hashlib.sha256((_FOLDER / f"{name}.schema.json").read_bytes()).hexdigest()[:12]


class Definition:
    """One of a schema's `$defs`, to check instances against.

    fastjsonschema passes nearly all instances: 0.05 ms for a detection of 2 KB, where jsonschema takes 1.3 ms. jsonschema
    checks the others, because it alone returns every error with its path. It is imported at the first of them: the import
    takes 30 ms of CPU, which a cold start saves. tests/unit/test_schema.py holds the two libraries together.
    """

    def __init__(self, schema: dict[str, Any], name: str) -> None:
        self._schema = {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
        # The options leave out what we do not read. They halve the time to compile.
        self._check: Callable[[object], object] = fastjsonschema.compile(
            self._schema, use_default=False, use_formats=False, detailed_exceptions=False
        )

    def surely_matches(self, instance: object) -> bool:
        """Whether fastjsonschema passes the instance; then jsonschema does too. A no is only perhaps one."""
        try:
            self._check(instance)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    def errors(self, instance: object) -> Iterator["ValidationError"]:
        """All errors of an instance. One that is nested too deeply to be checked has the error `nesting`."""
        if self.surely_matches(instance):
            return
        from jsonschema.exceptions import ValidationError  # noqa: PLC0415  # see the class

        try:
            yield from self._validator.iter_errors(instance)
        except RecursionError:
            yield ValidationError("nested too deeply", validator="nesting")

    def best_error(self, instance: object) -> "ValidationError | None":
        """The most specific error of an instance, or None."""
        errors = self.errors(instance)
        first = next(errors, None)
        if first is None:
            return None
        from jsonschema.exceptions import best_match  # noqa: PLC0415  # see the class

        best: ValidationError | None = best_match(itertools.chain([first], errors))
        return best

    @cached_property
    def _validator(self) -> "Draft202012Validator":
        from jsonschema import Draft202012Validator  # noqa: PLC0415  # see the class

        return Draft202012Validator(self._schema)


def json_path(steps: Iterable[str | int]) -> str:
    """A JSON path without indices: `$.links[*].href`. A hundred links with the same error have one path."""
    return "$" + "".join("[*]" if isinstance(step, int) else f".{step}" for step in steps)


def where(error: "ValidationError") -> str:
    """Path and rule of an error. Never the value, which is email content."""
    return f"{json_path(error.absolute_path)}: {error.validator}"
