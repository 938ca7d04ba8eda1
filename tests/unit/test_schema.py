"""schema.py: fastjsonschema passes only what jsonschema passes, and jsonschema judges everything else."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from functions.schema import Definition, load_schema, where
from tests.clock import HANG_SECONDS
from tests.strategies import Answer, answers, any_scalar, drifted, json_values, wild_answers
from tests.unit.examples import ACCOUNT, FORMS

ROOT = Path(__file__).parents[2]
SCHEMA = load_schema("detection")
CONTRACT = Definition(SCHEMA, "contract")
VALIDATOR = Draft202012Validator({"$ref": "#/$defs/contract", "$defs": SCHEMA["$defs"]})


def described(error: ValidationError | None) -> tuple[str, str] | None:
    """The path and rule of an error, and its text."""
    return (where(error), error.message) if error else None


@given(answers | drifted().map(lambda it: it.after) | wild_answers(json_values(), json_values()) | json_values())
def test_errors_of_any_value_equal_those_of_jsonschema(value: Any) -> None:
    """A Definition finds the same errors as jsonschema, and the same best error."""
    expected = [described(it) for it in VALIDATOR.iter_errors(value)]
    assert expected == [described(it) for it in CONTRACT.errors(value)]
    assert described(best_match(VALIDATOR.iter_errors(value))) == described(CONTRACT.best_error(value))


# --- fastjsonschema against jsonschema --------------------------------------------------------------------------------

REQUEST = load_schema("request")
USED = {"contract": (SCHEMA, "contract"), "decision": (SCHEMA, "decision"), "request": (REQUEST, "request")}
"""The definitions by which the function checks."""
DEFINITIONS = {
    name: (Definition(*it), Draft202012Validator(it[0] | {"$ref": f"#/$defs/{name}"})) for name, it in USED.items()
}
UNDERSTOOD = {
    *("$ref", "additionalProperties", "anyOf", "enum", "exclusiveMaximum", "exclusiveMinimum", "items", "maximum"),
    *("minLength", "minimum", "oneOf", "pattern", "properties", "required", "type"),
}
"""Keywords for which the property below has been shown."""
ANNOTATIONS = {"title", "description", "examples"}

ids = st.sampled_from([*FORMS.values(), *(f"{it}\n" for it in FORMS.values()), "?"]) | any_scalar
requests = st.dictionaries(st.sampled_from([*FORMS, "note"]), ids, max_size=3) | st.fixed_dictionaries(
    dict.fromkeys(FORMS, ids) | {"account_id": ids | st.sampled_from([ACCOUNT, f"{ACCOUNT}\n"])}
)
near_values = (
    json_values()
    | answers
    | drifted().map(lambda it: it.after)
    | wild_answers(json_values(), json_values())
    | ids
    | requests
)


@pytest.mark.parametrize("name", USED)
@given(value=near_values)
@example(value=True)
@example(value={"final_disposition": True})
@example(value={"final_disposition": ""})
@example(value={"account_id": ACCOUNT})
@example(value={"postfix_id": f"{FORMS['postfix_id']}\n"})
@example(value=dict.fromkeys(FORMS, "4Njp3P0STMz2c02Q"))
def test_jsonschema_passes_what_fastjsonschema_passes(name: str, value: object) -> None:
    """For any value, near the schema and far from it."""
    definition, judge = DEFINITIONS[name]
    if definition.surely_matches(value):
        assert [] == list(judge.iter_errors(value))


@pytest.mark.parametrize("name", ["contract", "decision"])
@given(answer=answers)
def test_fastjsonschema_passes_every_documented_answer(name: str, answer: Answer) -> None:
    """So jsonschema is not needed for it."""
    assert DEFINITIONS[name][0].surely_matches(answer)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("name", FORMS)
def test_fastjsonschema_passes_every_documented_request(name: str, form: str) -> None:
    """By any name, in any form, with an account or without."""
    definition, _ = DEFINITIONS["request"]
    assert definition.surely_matches({name: form})
    assert definition.surely_matches({name: form, "account_id": ACCOUNT, "note": []})


SCALARS = [None, True, False, 0, 1, -1, 1.0, 0.5, -0.5, -0.0, 10**400, float("nan"), float("inf"), "", "a", "ab", "a\n"]
RULES: dict[str, Answer] = {
    **{f"type {it}": {"type": it} for it in ("array", "boolean", "integer", "null", "number", "object", "string")},
    "types": {"type": ["integer", "null"]},
    "enum": {"enum": ["a", None]},
    "minLength": {"minLength": 2},
    "minimum": {"minimum": 0},
    "maximum": {"maximum": 0},
    "exclusiveMinimum": {"exclusiveMinimum": 0},
    "exclusiveMaximum": {"exclusiveMaximum": 0},
    "pattern": {"pattern": "^a$(?!\\n)"},
    "required": {"required": ["a"]},
    "properties": {"properties": {"a": {"type": "null"}}},
    "additionalProperties": {"properties": {"a": {}}, "additionalProperties": False},
    "items": {"items": {"type": "integer"}},
    "anyOf": {"anyOf": [{"type": "null"}, {"type": "string"}]},
    "oneOf": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "$ref": {"$ref": "#/$defs/text", "description": "A text."},
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_both_agree_on_each_keyword(rule: Answer) -> None:
    """Of the keywords that the schemas use; on bools, infinities, huge numbers and line ends too."""
    schema: Answer = {"$defs": {"it": rule, "text": {"type": "string"}}}
    definition, judge = Definition(schema, "it"), Draft202012Validator(schema | {"$ref": "#/$defs/it"})
    objects = [{}, {"a": None}, {"b": 1}, {"a": None, "b": 1}]
    tried = [*SCALARS, *([it] for it in SCALARS), *({"a": it} for it in SCALARS), *objects, [], SCALARS]
    assert [it for it in tried if judge.is_valid(it)] == [it for it in tried if definition.surely_matches(it)]


def subschemas(schema: Answer) -> Iterator[Answer]:
    """A schema and every schema in it."""
    yield schema
    inner = [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("properties", {}).values()]
    for it in [*inner, *([schema["items"]] if "items" in schema else [])]:
        yield from subschemas(it)


@pytest.mark.parametrize("name", USED)
def test_schema_uses_no_keyword_that_fastjsonschema_may_pass_over(name: str) -> None:
    """It ignores, without an error, keywords that it does not know and those beside a `$ref`."""
    names, seen = [name], set[str]()
    while names:
        seen.add(name := names.pop())
        for it in subschemas(next(schema["$defs"][name] for schema, _ in USED.values() if name in schema["$defs"])):
            keywords = it.keys() - ANNOTATIONS
            assert UNDERSTOOD >= keywords
            if "$ref" in it:
                assert {"$ref"} == keywords
                names += {it["$ref"].removeprefix("#/$defs/")} - seen


# --- what the function loads ------------------------------------------------------------------------------------------


PROGRAM = """
import sys
import functions.escalate.app
from functions.cloudflare.contract import find_drift, require_decision
from functions.escalate.request import read_request
from tests.unit.examples import ACCOUNT, FORMS, RESULT, message
for body in FORMS.values():
    read_request(message(body), ACCOUNT)
    read_request(message('{"postfix_id": "%s"}' % body), ACCOUNT)
print(find_drift(require_decision(RESULT)), "jsonschema" in sys.modules)
print(find_drift(require_decision(RESULT | {"action": 7})), "jsonschema" in sys.modules)
"""


def test_jsonschema_is_imported_only_for_a_value_that_does_not_match() -> None:
    """Documented ids and results need no jsonschema; the first result with drift imports it."""
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False, timeout=HANG_SECONDS
    )
    assert (0, "() False\n('$.action: type',) True\n", "") == (process.returncode, process.stdout, process.stderr)


@pytest.mark.parametrize("name", USED)
def test_value_nested_too_deeply_is_judged_everywhere(name: str) -> None:
    """However deep a value is nested, at whatever place, both say something, and a fault has a rule."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    places = {*SCHEMA["$defs"]["contract"]["properties"], *REQUEST["$defs"]["request"]["properties"], "brand_new"}
    checked = DEFINITIONS[name][0]
    try:
        for value in (deep, *({place: it} for place in places for it in (deep, [deep], {"name": deep}))):
            checked.surely_matches(value)
            assert all(where(it) for it in checked.errors(value))
        for named in ("contract", "decision"):
            best = DEFINITIONS[named][0].best_error({"final_disposition": deep})
            found = [where(it) for it in DEFINITIONS[named][0].errors({"final_disposition": deep})]
            assert ["$: nesting"] == found == [where(best) if best else None]
    finally:
        # Taken apart by hand: the interpreter would go as deep to do it.
        while deep:
            deep = deep.pop()
