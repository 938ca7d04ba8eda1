"""message_id.py: the three forms of a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from functions.cloudflare.message_id import Form, MessageId
from functions.schema import load_schema
from tests.unit.examples import ALERT_ID, INVESTIGATE_ID, POSTFIX_ID

IDS = {
    "postfix id": (POSTFIX_ID, POSTFIX_ID, Form.POSTFIX),
    "alert id": (ALERT_ID, POSTFIX_ID, Form.ALERT),
    "investigate id": (INVESTIGATE_ID, POSTFIX_ID, Form.INVESTIGATE),
    "short upper-case postfix id": ("C3CD21F3E90", "C3CD21F3E90", Form.POSTFIX),
    "investigate id with one digit": (f"{ALERT_ID}-1", POSTFIX_ID, Form.INVESTIGATE),
}


@pytest.mark.parametrize(("value", "postfix_id", "form"), IDS.values(), ids=IDS)
def test_an_id_is_taken_apart(value: str, postfix_id: str, form: Form) -> None:
    """Each form says which it is, and shares the postfix id with the others."""
    read = MessageId(value)
    assert (postfix_id, form, value) == (read.postfix_id, read.form, str(read))


DESCRIBED = load_schema("request")["$defs"]["id"]


@given(
    st.from_regex(DESCRIBED["pattern"])
    | st.text(st.characters())
    | st.sampled_from([f"{value}\n" for value, _, _ in IDS.values()])
)
def test_any_text(text: str) -> None:
    """It is an id where the published schema says that it is one."""
    assert Draft202012Validator(DESCRIBED).is_valid(text) == (MessageId.read(text) is not None)
