"""request.py: a body becomes a request, or a rejection with a reason."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from functions.cloudflare.client import _segment
from functions.domain.outcome import Reason
from functions.escalate.request import InvalidRequest, read_request
from functions.escalate.stages import Request
from functions.schema import load_schema
from tests.strategies import depths_at_the_edge, json_values
from tests.unit.examples import ACCOUNT, ALERT_ID, FORMS, INVESTIGATE_ID, POSTFIX_ID, message

ANOTHER_ACCOUNT = "f" * 32
NAMES = tuple(FORMS)
CANARY = "canary"
PUBLISHED_SCHEMA = Draft202012Validator(load_schema("request"))


def sns(body: str) -> str:
    """A body inside an SNS notification."""
    return json.dumps({"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:x", "Message": body})


def eventbridge(detail: object) -> str:
    """A detail inside an EventBridge event."""
    return json.dumps({"version": "0", "detail-type": "Mail", "source": "mail-log", "detail": detail})


def read(body: str) -> Request | InvalidRequest:
    """The request or the rejection of a body. Any other exception fails the test."""
    try:
        return read_request(message(body), ACCOUNT)
    except InvalidRequest as exc:
        return exc


ACCEPTED = {
    **{f"bare {name}": (value, value) for name, value in FORMS.items()},
    **{f"quoted {name}": (json.dumps(value), value) for name, value in FORMS.items()},
    **{f"{name} holds {form}": (json.dumps({name: value}), value) for name in NAMES for form, value in FORMS.items()},
    **{f"sns, bare {name}": (sns(value), value) for name, value in FORMS.items()},
    **{f"sns, {name}": (sns(json.dumps({name: value})), value) for name, value in FORMS.items()},
    **{f"eventbridge, {name}": (eventbridge({name: value}), value) for name, value in FORMS.items()},
    **{f"eventbridge by sns, {name}": (sns(eventbridge({name: value})), value) for name, value in FORMS.items()},
    **{f"eventbridge, bare {name}": (eventbridge(value), value) for name, value in FORMS.items()},
    "newline after a bare id": (f"{POSTFIX_ID}\n", POSTFIX_ID),
    "whitespace around a bare id": (f" \t\r\n{INVESTIGATE_ID} \n", INVESTIGATE_ID),
    "whitespace around a quoted id": (f'\n "{ALERT_ID}" ', ALERT_ID),
    "whitespace around an object": (f'\n {{ "postfix_id" : "{POSTFIX_ID}" }} ', POSTFIX_ID),
    "quoted, in sns": (sns(json.dumps(POSTFIX_ID)), POSTFIX_ID),
    "with the configured account": (json.dumps({"postfix_id": POSTFIX_ID, "account_id": ACCOUNT}), POSTFIX_ID),
    "with further members": (json.dumps({"postfix_id": POSTFIX_ID, "note": ["x"], "priority": 1}), POSTFIX_ID),
    "three sns wrappers": (sns(sns(sns(POSTFIX_ID))), POSTFIX_ID),
    "byte-order mark": (f"\ufeff{POSTFIX_ID}", POSTFIX_ID),
    "byte-order mark and white space": (f" \ufeff\r\n{ALERT_ID}\n", ALERT_ID),
    "byte-order mark before an object": (f'\ufeff{{"postfix_id": "{POSTFIX_ID}"}}', POSTFIX_ID),
    "byte-order mark in sns": (sns(f"\ufeff{POSTFIX_ID}"), POSTFIX_ID),
    "Z after the time": (f"{ALERT_ID}Z", ALERT_ID),
    "Z after the time, quoted": (json.dumps(f"{ALERT_ID}Z"), ALERT_ID),
    "Z after the time in AlertID": (json.dumps({"AlertID": f"{ALERT_ID}Z"}), ALERT_ID),
    "Z at the end of a postfix id": (f"{POSTFIX_ID}Z", f"{POSTFIX_ID}Z"),
    "AlertID": (json.dumps({"AlertID": ALERT_ID, "FinalDisposition": "malicious"}), ALERT_ID),
    "PostfixID": (json.dumps({"PostfixID": POSTFIX_ID}), POSTFIX_ID),
    "PostfixID and AlertID": (json.dumps({"PostfixID": POSTFIX_ID, "AlertID": ALERT_ID}), ALERT_ID),
    "two names": (json.dumps({"postfix_id": POSTFIX_ID, "alert_id": ALERT_ID}), ALERT_ID),
    "all names": (json.dumps(FORMS), INVESTIGATE_ID),
    "the same id twice": (json.dumps({"postfix_id": ALERT_ID, "alert_id": ALERT_ID}), ALERT_ID),
    "null beside an id": (json.dumps({"postfix_id": POSTFIX_ID, "alert_id": None, "AlertID": ""}), POSTFIX_ID),
    "null account": (json.dumps({"postfix_id": POSTFIX_ID, "account_id": None}), POSTFIX_ID),
    "account in upper case": (json.dumps({"postfix_id": POSTFIX_ID, "account_id": ACCOUNT.upper()}), POSTFIX_ID),
    "row of the search": (json.dumps({"id": INVESTIGATE_ID, "postfix_id": POSTFIX_ID}), INVESTIGATE_ID),
    "row number beside an id": (json.dumps({"id": 17, "postfix_id": POSTFIX_ID}), POSTFIX_ID),
    "id of something else": (json.dumps({"id": "ticket00042", "postfix_id": POSTFIX_ID}), POSTFIX_ID),
    "eventbridge, detail as JSON text": (eventbridge(json.dumps({"postfix_id": POSTFIX_ID})), POSTFIX_ID),
    "eventbridge, detail as quoted text": (eventbridge(json.dumps(ALERT_ID)), ALERT_ID),
    "list of one object": (json.dumps([{"postfix_id": POSTFIX_ID}]), POSTFIX_ID),
    "list of one event": (f"[{eventbridge({'AlertID': ALERT_ID})}]", ALERT_ID),
    "list of one notification": (f"[{sns(POSTFIX_ID)}]", POSTFIX_ID),
    "only digits": ("12345678", "12345678"),
    "shortest": ("C3CD21F3", "C3CD21F3"),
    "longest": ("a" * 64 + ALERT_ID[16:] + "-" + "9" * 20, "a" * 64 + ALERT_ID[16:] + "-" + "9" * 20),
}


@pytest.mark.parametrize(("body", "id"), ACCEPTED.values(), ids=ACCEPTED)
def test_valid_body_becomes_a_request(body: str, id: str) -> None:
    """The request has the id of the body, and the message."""
    request = read_request(message(body), ACCOUNT)
    assert (id, message(body)) == (request.id.value, request.message)


@pytest.mark.parametrize("body", [body for body, _ in ACCEPTED.values()], ids=ACCEPTED)
def test_valid_body_matches_the_published_schema(body: str) -> None:
    """Producers check their bodies against that schema."""
    bare = body.strip().removeprefix("\ufeff").strip()
    assert PUBLISHED_SCHEMA.is_valid(json.loads(bare) if bare[0] in '"{[' else bare)


MALFORMED, INVALID, FOREIGN = Reason.MALFORMED_BODY, Reason.INVALID_ID, Reason.ACCOUNT_NOT_CONFIGURED
REJECTED = {
    "empty": ("", MALFORMED, "empty"),
    "blank": (" \n\t", MALFORMED, "empty"),
    "prose": (f"please look at {CANARY}", MALFORMED, "neither an id nor JSON"),
    "an incomplete object": (f'{{"postfix_id": "{CANARY}', MALFORMED, "neither an id nor JSON"),
    "too short": ("C3CD21F", MALFORMED, "neither an id nor JSON"),
    "too long": ("a" * 65, MALFORMED, "neither an id nor JSON"),
    "10,000 characters": ("a" * 10_000, MALFORMED, "neither an id nor JSON"),
    "10,000 characters in an object": (json.dumps({"alert_id": "a" * 10_000}), INVALID, "$.alert_id"),
    "5,000 digits": ("9" * 5_000, MALFORMED, "neither an id nor JSON"),
    "5,000 digits in an object": (f'{{"postfix_id": {"9" * 5_000}}}', MALFORMED, "neither an id nor JSON"),
    "4,000 digits": ("9" * 4_000, MALFORMED, "neither an id nor an object"),
    "4,000 digits in an object": (f'{{"postfix_id": {"9" * 4_000}}}', INVALID, "$.postfix_id"),
    "100,000 brackets": ("[" * 100_000, MALFORMED, "neither an id nor JSON"),
    "100,000 pairs of brackets": ("[" * 100_000 + "]" * 100_000, MALFORMED, "neither an id nor JSON"),
    "100,000 objects": ('{"postfix_id":' * 100_000, MALFORMED, "neither an id nor JSON"),
    "path characters": ("../../x?y#z", MALFORMED, "neither an id nor JSON"),
    "path characters, quoted": ('"../../x?y#z"', INVALID, "$ "),
    "path characters in an object": ('{"investigate_id": "../../x?y#z"}', INVALID, "$.investigate_id"),
    "percent signs": ('"4Njp3P0STMz%2f%2e%2e"', INVALID, "$ "),
    "a host": ('"evil.example/4Njp3P0STMz2c02Q"', INVALID, "$ "),
    "trailing newline, quoted": (json.dumps(f"{POSTFIX_ID}\n"), INVALID, "$ "),
    **{
        f"trailing newline in {name}": (json.dumps({name: f"{value}\n"}), INVALID, f"$.{name}")
        for name, value in FORMS.items()
    },
    "whitespace within quotes": (f'" {POSTFIX_ID}"', INVALID, "$ "),
    "a lone surrogate": (r'"\ud800"', INVALID, "$ "),
    "a lone surrogate, bare": ("\ud800", MALFORMED, "neither an id nor JSON"),
    "a lone surrogate after an id": (f'{{"postfix_id": "{POSTFIX_ID}\\udfff"}}', INVALID, "$.postfix_id"),
    "digits of another script": (json.dumps("１２３４５６７８"), INVALID, "$ "),  # noqa: RUF001
    "a date without a time": (json.dumps(f"{POSTFIX_ID}-2024-01-05"), INVALID, "$ "),
    "a number without a time": (json.dumps(f"{POSTFIX_ID}-12345678"), INVALID, "$ "),
    "null": ("null", MALFORMED, "neither an id nor an object"),
    "true": ("true", MALFORMED, "neither an id nor an object"),
    "not a number": ("NaN", MALFORMED, "neither an id nor an object"),
    "a list of one text": (json.dumps([POSTFIX_ID]), MALFORMED, "a list of 1"),
    "500 ids in a list": (json.dumps([POSTFIX_ID] * 500), MALFORMED, "a list of 500"),
    "two objects in a list": (json.dumps([{"postfix_id": POSTFIX_ID}] * 2), MALFORMED, "a list of 2"),
    "two objects in lines": ('{"postfix_id": 1}\n' * 2, MALFORMED, "several JSON values"),
    "500 ids in lines": ("\n".join([POSTFIX_ID] * 500), MALFORMED, "neither an id nor JSON"),
    "500 ids in an object": (json.dumps({"postfix_id": [POSTFIX_ID] * 500}), INVALID, "$.postfix_id"),
    "500 ids in an event": (eventbridge([POSTFIX_ID] * 500), MALFORMED, "a list of 500"),
    "an empty object": (
        "{}",
        MALFORMED,
        "expected one of postfix_id, alert_id, investigate_id, PostfixID, AlertID; got 0",
    ),
    "an id without a postfix_id": (json.dumps({"id": INVESTIGATE_ID}), MALFORMED, "counts only beside postfix_id"),
    "an unknown name": (json.dumps({"mail": POSTFIX_ID}), MALFORMED, "got 0 among its 1 members"),
    "a name in another case": (
        json.dumps({"POSTFIX_ID": POSTFIX_ID}),
        MALFORMED,
        "A member like postfix_id is there, but in another spelling",
    ),
    "AlertID that is no id": (json.dumps({"AlertID": f"{CANARY} 1"}), INVALID, "AlertID is there, but $.AlertID"),
    "PostfixID that is null": (json.dumps({"PostfixID": None}), MALFORMED, "PostfixID is there, but is null or empty"),
    "ids of two emails": (
        json.dumps({"postfix_id": POSTFIX_ID, "AlertID": f"{POSTFIX_ID}1{ALERT_ID[16:]}"}),
        MALFORMED,
        "postfix_id and AlertID are there, but name different emails",
    ),
    "two deliveries": (
        json.dumps({"alert_id": INVESTIGATE_ID, "investigate_id": f"{INVESTIGATE_ID}9"}),
        MALFORMED,
        "name different emails",
    ),
    "an id that is a number": ('{"postfix_id": 12345678}', INVALID, "$.postfix_id"),
    "an id that is null": ('{"alert_id": null}', MALFORMED, "alert_id is there, but is null or empty"),
    "an id that is an object": (json.dumps({"alert_id": {"postfix_id": POSTFIX_ID}}), INVALID, "$.alert_id"),
    "another account": (json.dumps({"postfix_id": POSTFIX_ID, "account_id": ANOTHER_ACCOUNT}), FOREIGN, "$.account_id"),
    "an incomplete account": (
        json.dumps({"postfix_id": POSTFIX_ID, "account_id": ACCOUNT[:16]}),
        MALFORMED,
        "$.account_id",
    ),
    "an account with a newline": (
        json.dumps({"postfix_id": POSTFIX_ID, "account_id": f"{ACCOUNT}\n"}),
        MALFORMED,
        "$.account_id",
    ),
    "sns with an empty message": (sns(""), MALFORMED, "empty"),
    "sns with prose": (sns(f"hello {CANARY}"), MALFORMED, "neither an id nor JSON"),
    "sns with an invalid id": (sns('{"postfix_id": "?"}'), INVALID, "$.postfix_id"),
    "sns without a message": ('{"Type": "Notification"}', MALFORMED, "got 0"),
    "four sns wrappers": (sns(sns(sns(sns(POSTFIX_ID)))), MALFORMED, "got 0"),
    "eventbridge without an id": (eventbridge({}), MALFORMED, "got 0"),
    "eventbridge with another account": (
        eventbridge({"postfix_id": POSTFIX_ID, "account_id": ANOTHER_ACCOUNT}),
        FOREIGN,
        "$.account_id",
    ),
}


@pytest.mark.parametrize(("body", "reason", "detail"), REJECTED.values(), ids=REJECTED)
def test_invalid_body_is_rejected_with_reason_and_detail(body: str, reason: Reason, detail: str) -> None:
    """The detail has the JSON path or the rule."""
    actual = read(body)
    assert isinstance(actual, InvalidRequest)
    assert (reason, True) == (actual.reason, detail in str(actual)), str(actual)


@pytest.mark.parametrize("body", [body for body, _, _ in REJECTED.values()], ids=REJECTED)
def test_rejection_detail_never_quotes_the_body(body: str) -> None:
    """The detail is short and printable. Neither it nor its cause has text of the body."""
    actual = read(body)
    assert isinstance(actual, InvalidRequest)
    assert re.fullmatch(r"[ -~]{1,200}", str(actual))
    body_words = re.findall(r"[0-9A-Za-z]{8,}|canary|[^ -~]|\.\./", body)
    allowed = {"postfix", "investigate", "account", "Notification", "PostfixID"}
    assert [word for word in body_words if word not in allowed and word in f"{actual} {actual.__cause__}"] == []


def test_deepest_parsable_nesting_raises_no_recursion_error() -> None:
    """Whatever the JSON parser accepts, the schema check can handle."""
    failed_depths = []
    for depth in depths_at_the_edge():
        try:
            read(f'{{"postfix_id": {"[" * depth}{"]" * depth}}}')
        except RecursionError:
            failed_depths.append(depth)
    assert failed_depths == []


names = st.sampled_from([*NAMES, "account_id", "Type", "Message", "detail-type", "detail", f"{CANARY}-name"])
near_misses = st.recursive(
    st.sampled_from(
        [None, 7, "Notification", ACCOUNT, *FORMS.values(), f"{CANARY}\n", f"{CANARY}/..", f"{CANARY} " * 9]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner | inner.map(json.dumps), max_size=4),
    max_leaves=8,
)


@given(st.text(st.characters()) | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_request_or_a_rejection(body: str) -> None:
    """No text raises another exception."""
    assert isinstance(read(body), (Request, InvalidRequest))


@given(json_values() | json_values(names))
def test_any_json_is_a_request_or_a_rejection(body: Any) -> None:
    """No JSON raises another exception."""
    assert isinstance(read(json.dumps(body)), (Request, InvalidRequest))


@given(near_misses)
def test_json_like_a_request_is_read_or_rejected_without_quotes(body: Any) -> None:
    """A rejection quotes nothing. The id of a request is in the body."""
    actual = read(json.dumps(body))
    if isinstance(actual, InvalidRequest):
        assert CANARY not in str(actual)
    else:
        assert actual.id.value in json.dumps(body)


@given(st.from_regex(load_schema("request")["$defs"]["id"]["pattern"]) | st.text(st.characters(), min_size=8))
def test_accepted_id_stays_one_path_segment(text: str) -> None:
    """No accepted id changes the host, path or query of a URL."""
    for body in (text, json.dumps(text), json.dumps({"alert_id": text})):
        request = read(body)
        if isinstance(request, InvalidRequest):
            continue
        segment = _segment(request.id.value)
        assert not set(segment) & set("/?#%\\@")
        assert not segment.startswith(".")
        url = urlsplit(f"https://api.example/accounts/{segment}/detections")
        assert ("api.example", f"/accounts/{segment}/detections") == (url.netloc, url.path)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_quoted_text_stays_one_path_segment(text: str) -> None:
    """Ids from a search are quoted in the same way."""
    assert not set(_segment(text)) & set("/?#\\@")
