"""request.py: which mail a body means, or why none."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from functions.cloudflare.client import _segment
from functions.escalate.cases import Request
from functions.escalate.outcome import Reason
from functions.escalate.request import InvalidRequest, read_request
from functions.schema import load_schema
from tests.strategies import depths_at_the_edge, json_values
from tests.unit.examples import ACCOUNT, ALERT_ID, FORMS, INVESTIGATE_ID, POSTFIX_ID, message

ANOTHER_ACCOUNT = "f" * 32
NAMES = tuple(FORMS)
CANARY = "canary"
DESCRIBED = Draft202012Validator(load_schema("request"))


def sns(body: str) -> str:
    """A body as SNS wraps it."""
    return json.dumps({"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:x", "Message": body})


def eventbridge(detail: object) -> str:
    """A detail as EventBridge wraps it."""
    return json.dumps({"version": "0", "detail-type": "Mail", "source": "mail-log", "detail": detail})


def read(body: str) -> Request | InvalidRequest:
    """What comes of a body; anything but these two fails the test."""
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
    "sns in sns in sns": (sns(sns(sns(POSTFIX_ID))), POSTFIX_ID),
    "only digits": ("12345678", "12345678"),
    "shortest": ("C3CD21F3", "C3CD21F3"),
    "longest": ("a" * 64 + ALERT_ID[16:] + "-" + "9" * 20, "a" * 64 + ALERT_ID[16:] + "-" + "9" * 20),
}


@pytest.mark.parametrize(("body", "id"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_body_that_names_a_mail(body: str, id: str) -> None:
    """Every documented form means the same mail, and the message comes along."""
    request = read_request(message(body), ACCOUNT)
    assert (id, message(body)) == (request.id.value, request.message)


@pytest.mark.parametrize("body", [body for body, _ in ACCEPTED.values()], ids=ACCEPTED)
def test_a_body_that_is_taken(body: str) -> None:
    """It is one that the published schema describes, too: producers check against that."""
    bare = body.strip()
    assert DESCRIBED.is_valid(json.loads(bare) if bare[0] in '"{' else bare)


MALFORMED, INVALID, FOREIGN = Reason.MALFORMED_BODY, Reason.INVALID_ID, Reason.ACCOUNT_NOT_CONFIGURED
REJECTED = {
    "empty": ("", MALFORMED, "empty"),
    "blank": (" \n\t", MALFORMED, "empty"),
    "prose": (f"please look at {CANARY}", MALFORMED, "neither an id nor JSON"),
    "half of an object": (f'{{"postfix_id": "{CANARY}', MALFORMED, "neither an id nor JSON"),
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
    "half a surrogate pair": (r'"\ud800"', INVALID, "$ "),
    "half a surrogate pair, bare": ("\ud800", MALFORMED, "neither an id nor JSON"),
    "half a surrogate pair after an id": (f'{{"postfix_id": "{POSTFIX_ID}\\udfff"}}', INVALID, "$.postfix_id"),
    "digits of another script": (json.dumps("１２３４５６７８"), INVALID, "$ "),  # noqa: RUF001
    "a byte order mark": (f"\ufeff{POSTFIX_ID}", MALFORMED, "neither an id nor JSON"),
    "a date without a time": (json.dumps(f"{POSTFIX_ID}-2024-01-05"), INVALID, "$ "),
    "a number without a time": (json.dumps(f"{POSTFIX_ID}-12345678"), INVALID, "$ "),
    "null": ("null", MALFORMED, "neither an id nor an object"),
    "true": ("true", MALFORMED, "neither an id nor an object"),
    "not a number": ("NaN", MALFORMED, "neither an id nor an object"),
    "a list of one": (json.dumps([POSTFIX_ID]), MALFORMED, "neither an id nor an object"),
    "500 ids in a list": (json.dumps([POSTFIX_ID] * 500), MALFORMED, "neither an id nor an object"),
    "500 ids in lines": ("\n".join([POSTFIX_ID] * 500), MALFORMED, "neither an id nor JSON"),
    "500 ids in an object": (json.dumps({"postfix_id": [POSTFIX_ID] * 500}), INVALID, "$.postfix_id"),
    "500 ids in an event": (eventbridge([POSTFIX_ID] * 500), MALFORMED, "neither an id nor an object"),
    "an empty object": ("{}", MALFORMED, "exactly one of postfix_id, alert_id, investigate_id; got 0"),
    "an unknown name": (json.dumps({"id": POSTFIX_ID}), MALFORMED, "got 0"),
    "a name in another case": (json.dumps({"POSTFIX_ID": POSTFIX_ID}), MALFORMED, "got 0"),
    "two names": (json.dumps({"postfix_id": POSTFIX_ID, "alert_id": ALERT_ID}), MALFORMED, "got 2"),
    "all names": (json.dumps(FORMS), MALFORMED, "got 3"),
    "an id that is a number": ('{"postfix_id": 12345678}', INVALID, "$.postfix_id"),
    "an id that is null": ('{"alert_id": null}', INVALID, "$.alert_id"),
    "an id that is an object": (json.dumps({"alert_id": {"postfix_id": POSTFIX_ID}}), INVALID, "$.alert_id"),
    "another account": (json.dumps({"postfix_id": POSTFIX_ID, "account_id": ANOTHER_ACCOUNT}), FOREIGN, "$.account_id"),
    "half an account": (json.dumps({"postfix_id": POSTFIX_ID, "account_id": ACCOUNT[:16]}), MALFORMED, "$.account_id"),
    "an account that is null": (json.dumps({"postfix_id": POSTFIX_ID, "account_id": None}), MALFORMED, "$.account_id"),
    "an account with a newline": (
        json.dumps({"postfix_id": POSTFIX_ID, "account_id": f"{ACCOUNT}\n"}),
        MALFORMED,
        "$.account_id",
    ),
    "sns with nothing in it": (sns(""), MALFORMED, "empty"),
    "sns with prose in it": (sns(f"hello {CANARY}"), MALFORMED, "neither an id nor JSON"),
    "sns with an invalid id in it": (sns('{"postfix_id": "?"}'), INVALID, "$.postfix_id"),
    "sns without a message": ('{"Type": "Notification"}', MALFORMED, "got 0"),
    "sns that asks to be confirmed": (
        json.dumps({"Type": "SubscriptionConfirmation", "Message": POSTFIX_ID}),
        MALFORMED,
        "got 0",
    ),
    "sns four times": (sns(sns(sns(sns(POSTFIX_ID)))), MALFORMED, "got 0"),
    "eventbridge without an id": (eventbridge({}), MALFORMED, "got 0"),
    "eventbridge with another account": (
        eventbridge({"postfix_id": POSTFIX_ID, "account_id": ANOTHER_ACCOUNT}),
        FOREIGN,
        "$.account_id",
    ),
}


@pytest.mark.parametrize(("body", "reason", "detail"), REJECTED.values(), ids=REJECTED)
def test_a_body_that_names_no_mail(body: str, reason: Reason, detail: str) -> None:
    """It is rejected with its reason, and the detail says where or by which rule."""
    actual = read(body)
    assert isinstance(actual, InvalidRequest)
    assert (reason, True) == (actual.reason, detail in str(actual)), str(actual)


@pytest.mark.parametrize("body", [body for body, _, _ in REJECTED.values()], ids=REJECTED)
def test_the_detail_of_a_rejection(body: str) -> None:
    """It is short, printable and in our words: nothing of the body is in it, nor in what it was raised from."""
    actual = read(body)
    assert isinstance(actual, InvalidRequest)
    assert re.fullmatch(r"[ -~]{1,200}", str(actual))
    foreign = re.findall(r"[0-9A-Za-z]{8,}|canary|[^ -~]|\.\./", body)
    known = {"postfix", "investigate", "account", "Notification"}
    assert [word for word in foreign if word not in known and word in f"{actual} {actual.__cause__}"] == []


def test_nesting_at_the_edge_of_what_can_be_parsed() -> None:
    """There is no depth at which JSON can still be parsed but a check of it breaks."""
    broken = []
    for depth in depths_at_the_edge():
        try:
            read(f'{{"postfix_id": {"[" * depth}{"]" * depth}}}')
        except RecursionError:
            broken.append(depth)
    assert broken == []


names = st.sampled_from([*NAMES, "account_id", "Type", "Message", "detail-type", "detail", f"{CANARY}-name"])
near_misses = st.recursive(
    st.sampled_from(
        [None, 7, "Notification", ACCOUNT, *FORMS.values(), f"{CANARY}\n", f"{CANARY}/..", f"{CANARY} " * 9]
    ),
    lambda it: st.lists(it, max_size=2) | st.dictionaries(names, it | it.map(json.dumps), max_size=4),
    max_leaves=8,
)


@given(st.text(st.characters()) | st.binary().map(lambda it: it.decode("latin-1")))
def test_any_text(body: str) -> None:
    """It gives a request or a rejection, and nothing else."""
    assert isinstance(read(body), (Request, InvalidRequest))


@given(json_values() | json_values(names))
def test_any_json(body: Any) -> None:
    """It gives a request or a rejection, and nothing else."""
    assert isinstance(read(json.dumps(body)), (Request, InvalidRequest))


@given(near_misses)
def test_json_that_looks_like_a_request(body: Any) -> None:
    """A rejection of it quotes nothing; a request of it names an id that stands in it."""
    actual = read(json.dumps(body))
    if isinstance(actual, InvalidRequest):
        assert CANARY not in str(actual)
    else:
        assert actual.id.value in json.dumps(body)


@given(st.from_regex(load_schema("request")["$defs"]["id"]["pattern"]) | st.text(st.characters(), min_size=8))
def test_an_id_in_a_path(text: str) -> None:
    """Whatever is taken for an id stays one segment of the path: it changes neither host nor path nor query."""
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
def test_any_text_in_a_path(text: str) -> None:
    """Quoting alone, too, leaves nothing that could end a segment: what a search gives is quoted in the same way."""
    assert not set(_segment(text)) & set("/?#\\@")
