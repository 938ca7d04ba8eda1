"""One of a schema's `$defs` as a function that says, in microseconds, of nearly every instance that it surely matches.

Where it says no, the instance perhaps does not match: jsonschema, which takes thirty times as long, is to be asked then,
and alone says what is wrong. What a schema says that is not known here is an error when the check is made, so that no
rule is ever passed over.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any], bool]
"""For any value that Python's json module can give. It looks only as deep into a value as the schema goes."""
Schema = Mapping[str, Any]

_REFERENCE = re.compile(r"#/\$defs/(\w+)")
_NOTES = {"title", "description", "examples"}
_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
"""Exactly these: so a bool is no number. That 1.0 is an integer, jsonschema may say."""


class UnknownRule(Exception):
    """A schema says something that is not known here."""


def quick_check(definitions: Schema, name: str) -> Check:
    """The check by a definition. Raises UnknownRule, also for one that refers to itself."""
    return _Maker(definitions).definition(name, ())


class _Maker:
    """Makes checks; what a `$ref` names becomes part of the check that refers to it."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions

    def definition(self, name: str, within: tuple[str, ...]) -> Check:
        """within: the definitions that this one is being made a part of."""
        if name in within or name not in self._definitions:
            raise UnknownRule(f"{name} refers to itself, or is not there")
        return self._schema(self._definitions[name], (*within, name))

    def _schema(self, schema: Any, within: tuple[str, ...]) -> Check:
        if not isinstance(schema, dict):
            raise UnknownRule(f"{schema} is no object")
        return _all([self._rule(keyword, schema, within) for keyword in schema if keyword not in _NOTES])

    def _rule(self, keyword: str, schema: Schema, within: tuple[str, ...]) -> Check:
        value = schema[keyword]
        match keyword:
            case "$ref":
                return self.definition(_referred_to(value), within)
            case "anyOf":
                return _any([self._schema(it, within) for it in value])
            case "properties":
                return _properties({name: self._schema(it, within) for name, it in value.items()})
            case "additionalProperties" if value is False:
                return _no_others(schema.get("properties", {}))
            case "items":
                return _items(self._schema(value, within))
            case _ if keyword in _RULES:
                return _RULES[keyword](value)
        raise UnknownRule(keyword)


def _referred_to(reference: str) -> str:
    """The name of the definition; a reference to anything else is not known here."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise UnknownRule(f"$ref to {reference}")
    return match[1]


def _all(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]
    return lambda it: all(check(it) for check in checks)


def _any(checks: Sequence[Check]) -> Check:
    return lambda it: any(check(it) for check in checks)


def _properties(checks: Mapping[str, Check]) -> Check:
    def check(it: Any) -> bool:
        return not isinstance(it, dict) or all(checks[name](value) for name, value in it.items() if name in checks)

    return check


def _no_others(names: Mapping[str, object]) -> Check:
    return lambda it: not isinstance(it, dict) or it.keys() <= names.keys()


def _items(check: Check) -> Check:
    return lambda it: not isinstance(it, list) or all(map(check, it))


def _type(names: str | list[str]) -> Check:
    named = [names] if isinstance(names, str) else names
    if not _TYPES.keys() >= {*named}:
        raise UnknownRule(f"type {names}")
    types = frozenset(it for name in named for it in _TYPES[name])
    return lambda it: type(it) in types


def _enum(values: list[Any]) -> Check:
    if not all(it is None or isinstance(it, str) for it in values):
        raise UnknownRule("enum of other values than texts and null")
    known = frozenset(values)
    return lambda it: (it is None or isinstance(it, str)) and it in known


def _minimum(least: float) -> Check:
    return lambda it: not isinstance(it, int | float) or it >= least


def _min_length(least: int) -> Check:
    return lambda it: not isinstance(it, str) or len(it) >= least


def _pattern(pattern: str) -> Check:
    search = re.compile(pattern).search
    return lambda it: not isinstance(it, str) or search(it) is not None


def _required(names: list[str]) -> Check:
    return lambda it: not isinstance(it, dict) or all(name in it for name in names)


def _one_of(branches: list[Any]) -> Check:
    """Only of branches that say `required` alone: of all others it is not certain that they do not match."""
    if not all(isinstance(it, dict) and it.keys() == {"required"} for it in branches):
        raise UnknownRule("oneOf of something else than required")
    checks = [_required(it["required"]) for it in branches]
    return lambda it: [check(it) for check in checks].count(True) == 1


_RULES: dict[str, Callable[[Any], Check]] = {
    "enum": _enum,
    "minLength": _min_length,
    "minimum": _minimum,
    "oneOf": _one_of,
    "pattern": _pattern,
    "required": _required,
    "type": _type,
}
