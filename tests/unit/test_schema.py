"""schema.py: what does not match is jsonschema's to say, and it is loaded for nothing else."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from functions.schema import Definition, load_schema, where
from tests.clock import HANG_SECONDS
from tests.strategies import answers, drifted, json_values, wild_answers

ROOT = Path(__file__).parents[2]
SCHEMA = load_schema("detection")
CONTRACT = Definition(SCHEMA, "contract")
JUDGE = Draft202012Validator({"$ref": "#/$defs/contract", "$defs": SCHEMA["$defs"]})


def told(error: ValidationError | None) -> tuple[str, str] | None:
    """What of an error is told, and its text."""
    return (where(error), error.message) if error else None


@given(answers | drifted().map(lambda it: it.after) | wild_answers(json_values(), json_values()) | json_values())
def test_the_errors_of_any_value(value: Any) -> None:
    """They are those that jsonschema finds, all of them, and so is the best of them."""
    expected = [told(it) for it in JUDGE.iter_errors(value)]
    assert expected == [told(it) for it in CONTRACT.errors(value)]
    assert told(best_match(JUDGE.iter_errors(value))) == told(CONTRACT.best_error(value))


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


def test_when_jsonschema_is_loaded() -> None:
    """Not by a start, not for ids and answers as they are documented, but for the first that has drifted."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False, timeout=HANG_SECONDS
    )
    assert (0, "() False\n('$.action: type',) True\n", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", ["contract", "decision"])
def test_nesting(name: str) -> None:
    """What is nested too deeply to be looked at has the rule `nesting`, whichever way it is asked for."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    checked = Definition(SCHEMA, name)
    value = {"final_disposition": deep}
    try:
        best = checked.best_error(value)
        assert ["$: nesting"] == [where(it) for it in checked.errors(value)] == [where(best) if best else None]
    finally:
        while deep:
            deep = deep.pop()
