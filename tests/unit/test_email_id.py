"""Email ids: the three kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from functions.domain.email_id import EmailId, IdKind
from functions.schema import load_schema
from tests.unit.examples import ALERT_ID, INVESTIGATE_ID, POSTFIX_ID

IDS = {
    "postfix id": (POSTFIX_ID, POSTFIX_ID, IdKind.POSTFIX),
    "alert id": (ALERT_ID, POSTFIX_ID, IdKind.ALERT),
    "investigate id": (INVESTIGATE_ID, POSTFIX_ID, IdKind.INVESTIGATE),
    "short upper-case postfix id": ("C3CD21F3E90", "C3CD21F3E90", IdKind.POSTFIX),
    "investigate id with one digit": (f"{ALERT_ID}-1", POSTFIX_ID, IdKind.INVESTIGATE),
}


@pytest.mark.parametrize(("value", "postfix_id", "kind"), IDS.values(), ids=IDS)
def test_id_gives_its_kind_and_postfix_id(value: str, postfix_id: str, kind: IdKind) -> None:
    """All three kinds contain the same postfix_id."""
    email_id = EmailId(value)
    assert (postfix_id, kind, value) == (email_id.postfix_id, email_id.kind, str(email_id))


TIMES = {
    "long Postfix id": ("4jTHXX1BkfzpM0K", "2026-11-17T08:12:44+00:00"),
    "alert id with another time": ("4WtWkr6nlBz9sNH-2024-08-28T15:32:35", "2024-08-28T15:32:35+00:00"),
    "investigate id": ("C3CD21F3E90-2024-08-28T15:32:35-1", "2024-08-28T15:32:35+00:00"),
    "short Postfix id": ("C3CD21F3E90", None),
    "time that does not exist": ("4WtWkr6nlBz9sNH-2024-02-31T25:32:35", None),
    "letters that no long Postfix id has": ("4jTHXX1BkfzpM0A", None),
}


@pytest.mark.parametrize(("value", "time"), TIMES.values(), ids=TIMES)
def test_id_gives_its_time(value: str, time: str | None) -> None:
    """That of the alert id is Cloudflare's own, so it comes first."""
    at = EmailId(value).time
    assert time == (at and at.isoformat())


ID_SCHEMA = load_schema("request")["$defs"]["id"]


@given(
    st.from_regex(ID_SCHEMA["pattern"])
    | st.text(st.characters())
    | st.sampled_from([f"{value}\n" for value, _, _ in IDS.values()])
)
def test_text_is_an_id_if_the_published_schema_accepts_it(text: str) -> None:
    """The pattern in the code equals the pattern in schemas/request.schema.json."""
    assert Draft202012Validator(ID_SCHEMA).is_valid(text) == (EmailId.read(text) is not None)
