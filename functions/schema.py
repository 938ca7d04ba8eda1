"""The JSON schemas in schemas/, each loaded once, and what of an instance does not match them.

`jsonschema.validate()` would check the schema itself again on every call, which costs forty times the validation.
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
    """`schemas/{name}.schema.json`, as it stands beside functions/ in the repository and in the package alike."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return schema


def schema_version(name: str) -> str:
    """Which text of a schema this is: the first 12 digits of its file's SHA-256, so that nobody has to remember it."""
    return hashlib.sha256((_FOLDER / f"{name}.schema.json").read_bytes()).hexdigest()[:12]


class Definition:
    """One of a schema's `$defs`, to check instances against.

    fastjsonschema says yes to nearly all of them: in 0.05 ms for a detection of 2 KB, where jsonschema takes 1.3 ms.
    jsonschema judges the others, because it alone gives every error with its path. It is imported with the first of
    them, which saves a cold start its 30 ms of CPU. tests/unit/test_schema.py holds the two together.
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
        """Where an instance does not match; also that it is nested too deeply to be looked at, with the rule `nesting`."""
        if self.surely_matches(instance):
            return
        from jsonschema.exceptions import ValidationError  # noqa: PLC0415  # see the class

        try:
            yield from self._validator.iter_errors(instance)
        except RecursionError:
            yield ValidationError("nested too deeply", validator="nesting")

    def best_error(self, instance: object) -> "ValidationError | None":
        """Of an instance's errors the one that says most; None where it matches."""
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
    """A JSON path without indices, so that a hundred links with one fault are one path: `$.links[*].href`."""
    return "$" + "".join("[*]" if isinstance(step, int) else f".{step}" for step in steps)


def where(error: "ValidationError") -> str:
    """Path and rule of what does not match. Never the value: that is mail content."""
    return f"{json_path(error.absolute_path)}: {error.validator}"
