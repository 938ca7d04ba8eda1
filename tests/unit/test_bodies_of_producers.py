"""Bodies that log pipelines and AWS services send: requests, refusals and noise."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.domain.outcome import Outcome, Reason
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy
from functions.escalate.request import InvalidRequest, read_request
from tests.unit.examples import ACCOUNT, ALERT_ID, INVESTIGATE_ID, POSTFIX_ID, message

BODIES: dict[str, str] = json.loads((Path(__file__).parents[1] / "cases/request_bodies.json").read_text("utf-8"))
POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)
Found = str | tuple[Outcome, Reason, str | None]


def read(body: str) -> Found:
    """The id that a body asks for; or its outcome, reason and id."""
    try:
        return read_request(message(body), ACCOUNT, POLICY.known_to_escalate).id.value
    except InvalidRequest as exc:
        return exc.outcome, exc.reason, exc.id.value if exc.id else None


def ignored_line(id: str) -> Found:
    return Outcome.IGNORED, Reason.DISPOSITION_NOT_ESCALATED, id


MALFORMED: Found = (Outcome.REJECTED, Reason.MALFORMED_BODY, None)
S3: Found = (Outcome.REJECTED, Reason.NOT_A_REQUEST, None)
NOTICE: Found = (Outcome.IGNORED, Reason.NOTICE, None)
FIRST = "5bKq7Zt2WnzXc4R-2026-11-24T08:15:09"
EXPECTED: dict[str, Found] = {
    "line 1": FIRST,
    "line 2": "5bKq9Pd0CxzHm7T-2026-11-24T08:16:40",
    "line 3": ignored_line("5bKqBGv4LszJ2kQ-2026-11-24T08:20:00"),
    "line 4": ignored_line("5bKqFhW1RtzB9nM-2026-11-24T08:25:31"),
    "line 5": ignored_line("5bKqHyD8SnzVw3C-2026-11-24T08:29:59"),
    "line 6": "5bKqLrN6TdzF5pG-2026-11-24T08:33:12",
    "line 7": ignored_line("5Zs3KcW9HmzQx1L-2026-11-11T10:02:44"),
    "line 8": FIRST,
    "line 9": "5bKqLrN6TdzF5pG-2026-11-24T08:33:12",
    "line 10": ignored_line("5bKqFhW1RtzB9nM-2026-11-24T08:25:31"),
    "line 11 quarantineRelease": "5bKqHyD8SnzVw3C-2026-11-24T08:29:59",
    "all ten lines as one body": MALFORMED,
    "two lines": MALFORMED,
    "csv line": MALFORMED,
    "renamed by record_template": FIRST,
    "nested by record_prefix": MALFORMED,
    "array of lines": MALFORMED,
    "base64 of gzip": MALFORMED,
    "JWT of ownership challenge.txt": MALFORMED,
    "SNS raw delivery of an id": FIRST,
    "AlertID with Z": FIRST,
    "AlertID quoted JSON": FIRST,
    "postfix_id and alert_id both": FIRST,
    "s3 object created": S3,
    "s3 object created key encoded": S3,
    "s3 two records": S3,
    "s3 ownership challenge": S3,
    "s3 object removed": S3,
    "s3 test event": NOTICE,
    "eventbridge object created": S3,
    "sns s3 object created": S3,
    "sns s3 test event": NOTICE,
    "sns logpush line": FIRST,
    "sns subscription confirmation": NOTICE,
    "eventbridge logpush line": FIRST,
    "eventbridge scheduled": NOTICE,
    "search row": f"{FIRST}-10203040",
}


def test_every_body_has_an_expectation() -> None:
    assert list(BODIES) == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_body_of_a_producer_is_read_refused_or_ignored(name: str) -> None:
    assert EXPECTED[name] == read(BODIES[name])


MORE: dict[str, tuple[Any, Found]] = {
    "schedule of EventBridge Scheduler": (
        {"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}"},
        NOTICE,
    ),
    "end of a subscription": ({"Type": "UnsubscribeConfirmation", "Message": "x", "Token": "y"}, NOTICE),
    "test event in a list": ([{"Service": "Amazon S3", "Event": "s3:TestEvent"}], NOTICE),
    "tags of an object": ({"detail-type": "Object Tags Added", "source": "aws.s3", "detail": {}}, S3),
    "notification of a compatible store": ({"Records": [{"eventSource": "other:s3", "s3": {"object": {}}}]}, S3),
    "line in another case": ({"AlertID": ALERT_ID, "FinalDisposition": " Spam "}, ignored_line(ALERT_ID)),
    "line with a family": ({"AlertID": ALERT_ID, "FinalDisposition": "malicious-qr"}, ALERT_ID),
    "line with an unknown disposition": ({"AlertID": ALERT_ID, "FinalDisposition": "dangerous"}, ALERT_ID),
    "line with a disposition that is null": ({"AlertID": ALERT_ID, "FinalDisposition": None}, ALERT_ID),
    "line without an id": ({"FinalDisposition": "spam"}, MALFORMED),
    "another account": (
        {"alert_id": ALERT_ID, "account_id": "f" * 32},
        (Outcome.REJECTED, Reason.ACCOUNT_NOT_CONFIGURED, ALERT_ID),
    ),
    "an account that is a number": (
        {"alert_id": ALERT_ID, "account_id": 7},
        (Outcome.REJECTED, Reason.MALFORMED_BODY, ALERT_ID),
    ),
    "one readable id of two": (
        {"postfix_id": POSTFIX_ID, "alert_id": "?"},
        (Outcome.REJECTED, Reason.INVALID_ID, POSTFIX_ID),
    ),
    "an investigate id under the wrong name": (
        {"id": INVESTIGATE_ID},
        (Outcome.REJECTED, Reason.MALFORMED_BODY, INVESTIGATE_ID),
    ),
}


@pytest.mark.parametrize(("body", "expected"), MORE.values(), ids=MORE)
def test_similar_body_is_read_refused_or_ignored(body: Any, expected: Found) -> None:
    assert expected == read(json.dumps(body))


def test_refusal_of_an_s3_notification_says_what_to_connect() -> None:
    with pytest.raises(InvalidRequest, match="Connect a program that reads the object and sends the AlertID"):
        read_request(message(BODIES["s3 object created"]), ACCOUNT)
