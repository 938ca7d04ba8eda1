"""Validation of detections: a missing decision field is rejected, any other change is only reported."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.cloudflare.contract import DISPOSITIONS, DRIFT_PATHS, find_drift, require_decision
from functions.cloudflare.errors import InvalidAnswer
from tests import strategies
from tests.strategies import GENERATIONS, Answer, Drifted, depths_at_the_edge, drifted, json_values, wild_answers
from tests.unit.examples import RESULT


@pytest.mark.parametrize("generation", GENERATIONS)
@given(data=st.data())
def test_documented_answer_has_no_drift(generation: str, data: st.DataObject) -> None:
    """A documented answer of each generation has the decision fields, and no drift."""
    answer = data.draw(GENERATIONS[generation])
    assert ((), answer) == (find_drift(answer), require_decision(answer))


def test_dispositions_are_those_of_the_api_and_of_logpush() -> None:
    """The API documents all of them except UNSET, which Logpush adds."""
    assert {*strategies.DISPOSITIONS, "UNSET"} == DISPOSITIONS


# --- decision fields --------------------------------------------------------------------------------------------------

INVALID = {
    "a number": (7, "type"),
    "zero": (0, "type"),
    "true": (True, "type"),
    "a list": (["MALICIOUS"], "type"),
    "an object": ({"value": "MALICIOUS"}, "type"),
    "an empty text": ("", "minLength"),
}


@pytest.mark.parametrize(("value", "rule"), INVALID.values(), ids=INVALID)
@given(answer=strategies.answers)
def test_invalid_disposition_is_rejected_with_path_and_rule(value: object, rule: str, answer: Answer) -> None:
    """Any answer with an invalid disposition is rejected."""
    with pytest.raises(InvalidAnswer) as raised:
        require_decision(answer | {"final_disposition": value})
    assert str(raised.value).endswith(f"$.final_disposition: {rule}")


@given(json_values().filter(lambda it: not isinstance(it, dict)))
def test_result_that_is_not_an_object_is_rejected(result: object) -> None:
    """The error names the root of the result."""
    with pytest.raises(InvalidAnswer) as raised:
        require_decision(result)
    assert str(raised.value).endswith("$: type")


@given(wild_answers(st.just("canary"), json_values(st.just("canary")) | st.just(["canary"])))
def test_rejection_contains_nothing_of_the_answer(result: Answer) -> None:
    """The error contains no value and no unknown name, and stays short."""
    text = ""
    try:
        require_decision(result)
    except InvalidAnswer as exc:
        text = str(exc)
    assert "canary" not in text
    assert len(text) < 200


NESTED = ("final_disposition", "action", "links", "sender_info", "validation")


@pytest.mark.parametrize("name", NESTED)
def test_deepest_parsable_nesting_can_be_checked(name: str) -> None:
    """At each depth that the JSON parser accepts, the checks give a result or InvalidAnswer."""
    failed_depths = []
    for depth in depths_at_the_edge():
        try:
            result = json.loads(f'{{"{name}": {"[" * depth}{"]" * depth}}}')
        except RecursionError:
            break
        try:
            find_drift(require_decision(result))
        except InvalidAnswer:
            pass
        except RecursionError:
            failed_depths.append(depth)
    assert [] == failed_depths


# --- drift ------------------------------------------------------------------------------------------------------------


@given(drifted())
def test_one_change_at_any_place_is_reported_alone(change: Drifted) -> None:
    """The report has the path of the change, and its rule if `reported` names one, and no other path."""
    drift = find_drift(change.after)
    assert [] != [entry for entry in drift if entry.startswith(change.reported)], drift
    path = change.reported.split(": ")[0]
    assert [] == [entry for entry in drift if not entry.startswith(path)]


@given(drifted())
def test_drift_elsewhere_does_not_reject_the_answer(change: Drifted) -> None:
    """An answer with drift outside the decision fields passes `require_decision`."""
    assert change.after is require_decision(change.after)


DRIFT: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "none": ({}, ()),
    "an unknown field": ({"verdict": "?"}, ("$.verdict: unknown",)),
    "an unknown field with an address in its name": ({"to: jane@example.com": 1}, ("$.?: unknown",)),
    "an unknown field with a newline in its name": ({"verdict\n": 1}, ("$.?: unknown",)),
    "an unknown field with a very long name": ({"v" * 41: 1}, ("$.?: unknown",)),
    "an unknown field with an empty name": ({"": 1}, ("$.?: unknown",)),
    "two unknown fields": ({"b": 1, "a": 1}, ("$.a: unknown", "$.b: unknown")),
    "the same error in 500 links": ({"links": [{"text": "x"}] * 500}, ("$.links[*].href: required",)),
    "a disposition in lower case": ({"final_disposition": "malicious"}, ("$.final_disposition: enum",)),
    "a new disposition": ({"final_disposition": "MALICIOUS-QR"}, ("$.final_disposition: enum",)),
    "validation of the wrong type": ({"validation": []}, ("$.validation: type",)),
    "a new authentication result": ({"validation": {"dkim": "bestguess"}}, ("$.validation.dkim: enum",)),
    "a negative size": ({"attachments": [{"size": -1}]}, ("$.attachments[*].size: minimum",)),
    "a size that is a float": ({"attachments": [{"size": 1.5}]}, ("$.attachments[*].size: type",)),
    "a finding that is null": ({"findings": [None]}, ("$.findings[*]: type",)),
    "a category with a text for an id": ({"threat_categories": [{"id": "7"}]}, ("$.threat_categories[*].id: type",)),
    "results that only Logpush documents": (
        {"validation": {"dkim": "permerror", "spf": "softfail", "dmarc": "temperror"}},
        (),
    ),
}


@pytest.mark.parametrize(("fields", "expected"), DRIFT.values(), ids=DRIFT)
def test_drift_is_reported_as_path_and_rule(fields: dict[str, object], expected: tuple[str, ...]) -> None:
    """The report is sorted, without duplicates, and without names that could be email content."""
    assert expected == find_drift(RESULT | fields)


def test_number_of_reported_paths_is_limited() -> None:
    """An answer with 10,000 unknown fields always gives the same first paths."""
    other_answer: Answer = {f"field_{i}": i for i in range(10_000)}
    drift = find_drift(other_answer)
    assert (DRIFT_PATHS, drift) == (len(drift), find_drift(dict(reversed(other_answer.items()))))


def test_repeated_drift_does_not_hide_other_drift() -> None:
    """An error in 5,000 attachments is one path in the report."""
    repeated: dict[str, Any] = {"attachments": [{}] * 5_000, "action": None, "final_disposition": "BRAND-NEW"}
    assert ("$.action: type", "$.attachments[*].size: required", "$.final_disposition: enum") == find_drift(
        RESULT | repeated
    )


wild_results = wild_answers(json_values(), json_values())


@given(wild_results)
@example(dict.fromkeys(RESULT))
def test_any_answer_has_a_short_printable_drift_report(answer: Answer) -> None:
    """`find_drift` never fails, and its report fits into a record and a log line."""
    drift = find_drift(answer)
    assert len(drift) <= DRIFT_PATHS
    assert all(entry.isascii() and entry.isprintable() and len(entry) < 150 for entry in drift)
    assert all(first < second for first, second in itertools.pairwise(drift))


def test_unknown_fields_do_not_hide_drift_of_known_ones() -> None:
    """An object with 100,000 unknown fields is checked in part, and its known fields always."""
    padding = {f"x{n:06d}": n for n in range(100_000)}
    drift = find_drift(padding | RESULT | {"sender_info": padding | {"as_number": "7"}, "action": 7})
    assert "$.action: type" in drift
    assert len(drift) == DRIFT_PATHS
    assert ("$.sender_info.as_number: type",) == tuple(
        it for it in find_drift(RESULT | {"sender_info": {"as_number": "7"}}) if "as_number" in it
    )
