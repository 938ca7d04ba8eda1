"""contract.py: what the decision needs is insisted on; everything else that has changed is reported, and no more."""

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
def test_a_document_of_each_generation(generation: str, data: st.DataObject) -> None:
    """It has what the decision needs, and nothing in it is taken for drift."""
    answer = data.draw(GENERATIONS[generation])
    assert ((), answer) == (find_drift(answer), require_decision(answer))


def test_the_dispositions() -> None:
    """All that the API documents, and the one that Logpush adds."""
    assert {*strategies.DISPOSITIONS, "UNSET"} == DISPOSITIONS


# --- what the decision needs ------------------------------------------------------------------------------------------

BROKEN = {
    "a number": (7, "type"),
    "zero": (0, "type"),
    "true": (True, "type"),
    "a list": (["MALICIOUS"], "type"),
    "an object": ({"value": "MALICIOUS"}, "type"),
    "no text": ("", "minLength"),
}


@pytest.mark.parametrize(("value", "rule"), BROKEN.values(), ids=BROKEN)
@given(answer=strategies.answers)
def test_a_broken_disposition(value: object, rule: str, answer: Answer) -> None:
    """Whatever else the document says, it is rejected, and the error names path and rule."""
    with pytest.raises(InvalidAnswer) as raised:
        require_decision(answer | {"final_disposition": value})
    assert str(raised.value).endswith(f"$.final_disposition: {rule}")


@given(json_values().filter(lambda it: not isinstance(it, dict)))
def test_a_result_that_is_no_object(result: object) -> None:
    """It is rejected, at the root."""
    with pytest.raises(InvalidAnswer) as raised:
        require_decision(result)
    assert str(raised.value).endswith("$: type")


@given(wild_answers(st.just("canary"), json_values(st.just("canary")) | st.just(["canary"])))
def test_the_text_of_a_rejection(result: Answer) -> None:
    """Whatever is rejected, nothing of the answer is in the error."""
    said = ""
    try:
        require_decision(result)
    except InvalidAnswer as exc:
        said = str(exc)
    assert "canary" not in said
    assert len(said) < 200


NESTED = ("final_disposition", "action", "links", "sender_info", "validation")


@pytest.mark.parametrize("name", NESTED)
def test_nesting_at_the_edge_of_what_can_be_parsed(name: str) -> None:
    """There is no depth at which an answer can still be parsed but a check of it breaks."""
    broken = []
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
            broken.append(depth)
    assert [] == broken


# --- drift ------------------------------------------------------------------------------------------------------------


@given(drifted())
def test_one_change_at_any_place(change: Drifted) -> None:
    """It is reported by its path, and by its rule where the rule says what to do about it; and it alone is."""
    drift = find_drift(change.after)
    assert [] != [it for it in drift if it.startswith(change.reported)], drift
    place = change.reported.split(": ")[0]
    assert [] == [it for it in drift if not it.startswith(place)]


@given(drifted())
def test_drift_and_the_decision(change: Drifted) -> None:
    """Drift outside of it leaves what the decision needs in place."""
    assert change.after is require_decision(change.after)


DRIFT: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "none": ({}, ()),
    "an unknown field": ({"verdict": "?"}, ("$.verdict: unknown",)),
    "an unknown field whose name is content": ({"to: jane@example.com": 1}, ("$.?: unknown",)),
    "an unknown field with a newline in its name": ({"verdict\n": 1}, ("$.?: unknown",)),
    "an unknown field with a very long name": ({"v" * 41: 1}, ("$.?: unknown",)),
    "an unknown field without a name": ({"": 1}, ("$.?: unknown",)),
    "two unknown fields": ({"b": 1, "a": 1}, ("$.a: unknown", "$.b: unknown")),
    "the same fault in 500 links": ({"links": [{"text": "x"}] * 500}, ("$.links[*].href: required",)),
    "a disposition in lower case": ({"final_disposition": "malicious"}, ("$.final_disposition: enum",)),
    "a new disposition": ({"final_disposition": "MALICIOUS-QR"}, ("$.final_disposition: enum",)),
    "validation of the wrong type": ({"validation": []}, ("$.validation: type",)),
    "a new authentication result": ({"validation": {"dkim": "bestguess"}}, ("$.validation.dkim: enum",)),
    "a negative size": ({"attachments": [{"size": -1}]}, ("$.attachments[*].size: minimum",)),
    "a size that is a float": ({"attachments": [{"size": 1.5}]}, ("$.attachments[*].size: type",)),
    "a finding that is null": ({"findings": [None]}, ("$.findings[*]: type",)),
    "a category with a text for an id": ({"threat_categories": [{"id": "7"}]}, ("$.threat_categories[*].id: type",)),
    "what only Logpush says": ({"validation": {"dkim": "permerror", "spf": "softfail", "dmarc": "temperror"}}, ()),
}


@pytest.mark.parametrize(("fields", "expected"), DRIFT.values(), ids=DRIFT)
def test_drift_in_our_words(fields: dict[str, object], expected: tuple[str, ...]) -> None:
    """Path and rule, sorted, each once; names that could be content are not repeated."""
    assert expected == find_drift(RESULT | fields)


def test_an_answer_of_another_product() -> None:
    """Beyond a number of paths no more are listed; which ones are is the same every time."""
    strange: Answer = {f"field_{i}": i for i in range(10_000)}
    drift = find_drift(strange)
    assert (DRIFT_PATHS, drift) == (len(drift), find_drift(dict(reversed(strange.items()))))


def test_drift_behind_thousands_of_the_same() -> None:
    """A fault that many items share does not hide another one."""
    many: dict[str, Any] = {"attachments": [{}] * 5_000, "action": None, "final_disposition": "BRAND-NEW"}
    assert ("$.action: type", "$.attachments[*].size: required", "$.final_disposition: enum") == find_drift(
        RESULT | many
    )


wild = wild_answers(json_values(), json_values())


@given(wild)
@example(dict.fromkeys(RESULT))
def test_any_answer(answer: Answer) -> None:
    """Drift is found or not, but looking for it never fails, and what it gives fits a record and a log line."""
    drift = find_drift(answer)
    assert len(drift) <= DRIFT_PATHS
    assert all(it.isascii() and it.isprintable() and len(it) < 150 for it in drift)
    assert all(a < b for a, b in itertools.pairwise(drift))
