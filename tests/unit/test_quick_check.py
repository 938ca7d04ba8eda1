"""quick_check.py: what it says yes to jsonschema finds no fault with, and it says yes to all that is documented."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from functions.quick_check import UnknownRule, quick_check
from functions.schema import load_schema
from tests.strategies import Answer, answers, any_scalar, drifted, json_values, wild_answers
from tests.unit.examples import ACCOUNT, FORMS

DETECTION, REQUEST = load_schema("detection")["$defs"], load_schema("request")["$defs"]
USED = {
    "contract": (DETECTION, "contract"),
    "decision": (DETECTION, "decision"),
    "request": (REQUEST, "request"),
    "id": (REQUEST, "id"),
}
"""The definitions by which the function checks, and that of an id."""

ids = st.sampled_from([*FORMS.values(), *(f"{it}\n" for it in FORMS.values()), "?"]) | any_scalar
requests = st.dictionaries(st.sampled_from([*FORMS, "note"]), ids, max_size=3) | st.fixed_dictionaries(
    dict.fromkeys(FORMS, ids) | {"account_id": ids | st.just(ACCOUNT)}
)
near_values = (
    json_values()
    | answers
    | drifted().map(lambda it: it.after)
    | wild_answers(json_values(), json_values())
    | ids
    | requests
)


def fault(definitions: Answer, name: str, value: object) -> str | None:
    """The first that jsonschema finds."""
    validator = Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})
    return next((error.message for error in validator.iter_errors(value)), None)


@pytest.mark.parametrize(("definitions", "name"), USED.values(), ids=USED)
@given(value=near_values)
@example(value=True)
@example(value={"final_disposition": True})
@example(value={"final_disposition": ""})
@example(value={"account_id": ACCOUNT})
@example(value=dict.fromkeys(FORMS, "4Njp3P0STMz2c02Q"))
def test_yes(definitions: Answer, name: str, value: object) -> None:
    """Of whatever it says that it surely matches jsonschema says so, too."""
    if quick_check(definitions, name)(value):
        assert None is fault(definitions, name, value)


@pytest.mark.parametrize("name", ["contract", "decision"])
@given(answer=answers)
def test_every_documented_answer(name: str, answer: Answer) -> None:
    """Jsonschema is not needed for it."""
    assert True is quick_check(DETECTION, name)(answer)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("name", FORMS)
def test_every_documented_request(name: str, form: str) -> None:
    """Nor for a request by any name, in any form, with an account or without."""
    check = quick_check(REQUEST, "request")
    assert (True, True) == (check({name: form}), check({name: form, "account_id": ACCOUNT, "note": []}))


# --- any schema -------------------------------------------------------------------------------------------------------

NAMES = ("a", "b", "c")
names = st.sampled_from(NAMES)
types = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
scalars = [None, True, False, 0, 1, -1, 1.0, 0.5, -0.5, -0.0, 10**400, float("nan"), float("inf"), "", "a", "ab", "a\n"]
values = st.recursive(
    st.sampled_from(scalars),
    lambda it: st.lists(it, max_size=3) | st.dictionaries(names | st.just("d"), it, max_size=4),
    max_leaves=8,
)


def rules(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Answer]:
    """Schemas of a few rules, of all that are known, in any company."""
    parts = st.lists(st.fixed_dictionaries({"required": st.lists(names, max_size=2)}), min_size=1, max_size=3)
    known: dict[str, st.SearchStrategy[Any]] = {
        "title": st.just("A"),
        "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
        "enum": st.lists(st.sampled_from([None, *NAMES, ""]), max_size=3),
        "minLength": st.integers(0, 2),
        "minimum": st.sampled_from([-1, 0, 0.5, 1]),
        "pattern": st.sampled_from(["a", "^a$", "^a$(?!\\n)", "^$"]),
        "required": st.lists(names, max_size=2),
        "oneOf": parts,
        "anyOf": st.lists(inner, min_size=1, max_size=3),
        "items": inner,
        "properties": st.dictionaries(names, inner, max_size=3),
        "additionalProperties": st.just(False),
        "$ref": st.just("#/$defs/other"),
    }
    rule = st.sampled_from([*known]).flatmap(lambda keyword: st.tuples(st.just(keyword), known[keyword]))
    return st.lists(rule, max_size=3).map(dict)


schemas: st.SearchStrategy[Answer] = st.recursive(st.just({}), rules, max_leaves=6)
without_references = schemas.filter(lambda it: "$ref" not in json.dumps(it))


@given(schemas, without_references, st.lists(values, max_size=6))
def test_yes_by_any_schema(schema: Answer, other: Answer, drawn: list[object]) -> None:
    """Whatever rules stand beside and within each other, yes is never said to what jsonschema finds fault with."""
    definitions = {"one": schema, "other": other}
    check = quick_check(definitions, "one")
    tried = [*scalars, *([it] for it in scalars), scalars, *({"a": it} for it in scalars), *drawn]
    assert [] == [it for it in tried if check(it) and fault(definitions, "one", it) is not None]


SAID: dict[str, tuple[Answer, list[object], list[object]]] = {
    "nothing": ({}, [None, 1, [], {}], []),
    "type": ({"type": "integer"}, [0, -1, 10**400], [True, 1.5, 1.0, "1", None]),
    "type number": ({"type": "number"}, [0, 1.5], [False, "1"]),
    "types": ({"type": ["string", "null"]}, ["", None], [0, [], False]),
    "enum": ({"enum": ["a", None]}, ["a", None], ["b", 0, False, [], {}]),
    "minLength": ({"minLength": 1}, ["a", None, []], [""]),
    "minimum": ({"minimum": 0}, [0, 0.0, 10**400, "a", None], [-1, -0.1]),
    "pattern": ({"pattern": "^a$"}, ["a", "a\n", 1], ["", "b"]),
    "required": ({"required": ["a"]}, [{"a": None, "b": 1}, [], "a"], [{}, {"b": 1}]),
    "properties": ({"properties": {"a": {"type": "null"}}}, [{}, {"a": None, "b": 1}, []], [{"a": 1}]),
    "additionalProperties": (
        {"properties": {"a": {}}, "additionalProperties": False},
        [{}, {"a": [[]]}, []],
        [{"b": 1}, {"": 1}],
    ),
    "items": ({"items": {"type": "null"}}, [[], [None, None], {}, "a"], [[None, 1]]),
    "anyOf": ({"anyOf": [{"type": "null"}, {"type": "string"}]}, [None, ""], [0, []]),
    "oneOf": (
        {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        [{"a": 1}, {"b": 1, "c": 1}],
        [{}, {"a": 1, "b": 1}, [], None],
    ),
    "$ref": ({"$ref": "#/$defs/text"}, ["a"], [1]),
    "$ref in company": ({"$ref": "#/$defs/text", "minLength": 1, "description": "x"}, ["a"], [1, ""]),
}


@pytest.mark.parametrize(("schema", "yes", "no"), SAID.values(), ids=SAID)
def test_each_rule(schema: Answer, yes: list[object], no: list[object]) -> None:
    """What it says yes to, and what not."""
    check = quick_check({"it": schema, "text": {"type": "string"}}, "it")
    assert (yes, no) == ([it for it in yes if check(it)], [it for it in no if not check(it)])


UNKNOWN: dict[str, Any] = {
    "another keyword": {"maxLength": 1},
    "a keyword beside a $ref": {"$ref": "#/$defs/text", "format": "uri"},
    "a keyword in a property": {"properties": {"a": {"const": 1}}},
    "a keyword in an item": {"items": {"multipleOf": 2}},
    "a keyword in a branch": {"anyOf": [{}, {"not": {}}]},
    "a keyword behind a $ref": {"$ref": "#/$defs/strange"},
    "true": True,
    "true in a property": {"properties": {"a": True}},
    "additional properties of a kind": {"properties": {}, "additionalProperties": {"type": "null"}},
    "additional properties of any kind": {"additionalProperties": True},
    "an enum of numbers": {"enum": [1]},
    "an enum of lists": {"enum": [[]]},
    "a type that there is not": {"type": "text"},
    "oneOf types": {"oneOf": [{"type": "null"}, {"type": "string"}]},
    "oneOf required and more": {"oneOf": [{"required": ["a"], "minProperties": 2}]},
    "oneOf true": {"oneOf": [True]},
    "a $ref to nothing": {"$ref": "#/$defs/nothing"},
    "a $ref to another file": {"$ref": "other.json#/$defs/text"},
    "a $ref to a file of a definition's name": {"$ref": "text"},
    "a $ref to the root": {"$ref": "#"},
    "a $ref into a definition": {"$ref": "#/$defs/strange/items"},
    "itself": {"$ref": "#/$defs/it"},
    "itself in a list": {"items": {"$ref": "#/$defs/it"}},
    "itself by way of another": {"$ref": "#/$defs/back"},
}


@pytest.mark.parametrize("schema", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known(schema: Any) -> None:
    """It is an error when the check is made: no rule is passed over, and no check goes on for ever."""
    definitions = {
        "it": schema,
        "text": {"type": "string"},
        "strange": {"maxItems": 1, "items": {}},
        "back": {"properties": {"it": {"$ref": "#/$defs/it"}}},
    }
    with pytest.raises(UnknownRule):
        quick_check(definitions, "it")


@pytest.mark.parametrize(("definitions", "name"), USED.values(), ids=USED)
def test_nesting(definitions: Answer, name: str) -> None:
    """However deep a value is nested, at whatever place, an answer is given."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    places = {*DETECTION["contract"]["properties"], *REQUEST["request"]["properties"], "brand_new"}
    check = quick_check(definitions, name)
    said = [check(deep), *(check({place: it}) for place in places for it in (deep, [deep], {"name": deep}))]
    assert {True, False} >= {*said}
    # Taken apart by hand: the interpreter would go as deep to do it.
    while deep:
        deep = deep.pop()
