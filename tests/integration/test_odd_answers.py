"""A malicious email whose answers are odd has an alert: by its detection, or by its message details."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.fake_cloudflare.server import Endpoint
from tests.integration.deployment import MakeDeployment
from tests.integration.fake_cloudflare_client import ACCOUNT, only
from tests.integration.test_escalation import MALICIOUS

LARGE = "x" * 10_000_000
DETECTION: dict[str, Any] = dict(MALICIOUS.result or {})
DETAILS: dict[str, Any] = dict(MALICIOUS.mail or {}) | {"final_disposition": "MALICIOUS"}
DEEP: Any = json.loads("[" * 500 + "]" * 500)

ODD: dict[str, Mail] = {
    "detection of 10 MB": replace(MALICIOUS, result=DETECTION | {"action": LARGE}, mail=DETAILS),
    "details of 10 MB": replace(MALICIOUS, mail=DETAILS | {"subject": LARGE}),
    "score of NaN": replace(MALICIOUS, result=DETECTION | {"findings": [{"score": math.nan}]}),
    "infinite size": replace(MALICIOUS, result=DETECTION | {"attachments": [{"size": math.inf}]}),
    "control characters": replace(MALICIOUS, result=DETECTION | {"action": "\x00\x1b[2J"}),
    "deep nesting": replace(MALICIOUS, result=DETECTION | {"new": DEEP}),
    "details that are a list": replace(MALICIOUS, mail=[DETAILS]),  # type: ignore[arg-type]
    "disposition of a wrong type": replace(MALICIOUS, result=DETECTION | {"final_disposition": 7}, mail=DETAILS),
    "disposition that is unknown": replace(MALICIOUS, result=DETECTION | {"final_disposition": "NEW"}, mail=DETAILS),
} | {
    f"{name} of a wrong type": replace(MALICIOUS, result=DETECTION | {name: value})
    for name in DETECTION
    if name != "final_disposition"
    for value in (7,)
}


@pytest.mark.parametrize("mail", ODD.values(), ids=ODD)
def test_malicious_email_with_an_odd_answer_has_one_alert(make_deployment: MakeDeployment, mail: Mail) -> None:
    deployment = make_deployment(only(mail))
    deployment.send(mail.postfix_id)
    assert ["ESCALATED"] == [it["outcome"] for it in deployment.poll()]
    assert len(deployment.alerts()) == 1


# --- bodies that are odd as bytes -------------------------------------------------------------------------------------

ENVELOPE = '{"success": true, "errors": [], "messages": [], "result": '
DETECTION_TEXT, DETAILS_TEXT = json.dumps(DETECTION), json.dumps(DETAILS)


def answer(result: str) -> bytes:
    """A successful answer with this text as its result."""
    return f"{ENVELOPE}{result}}}".encode()


def with_member(text: str, member: bytes) -> bytes:
    """A successful answer whose result has this member first."""
    return answer('{"CANARY": 0, ' + text[1:]).replace(b'"CANARY": 0', member)


BODIES: dict[str, tuple[Endpoint, bytes]] = {
    "invalid UTF-8 in a detection": (Endpoint.DETECTION, with_member(DETECTION_TEXT, b'"new": "\xff\xfe\x80"')),
    "half a character in a detection": (Endpoint.DETECTION, with_member(DETECTION_TEXT, b'"new": "\xe2\x82"')),
    "surrogate as UTF-8 in a detection": (Endpoint.DETECTION, with_member(DETECTION_TEXT, b'"new": "\xed\xa0\x80"')),
    "invalid UTF-8 in a name": (Endpoint.DETECTION, with_member(DETECTION_TEXT, b'"\xff": 1')),
    "invalid UTF-8 in details": (Endpoint.DETAILS, with_member(DETAILS_TEXT, b'"new": "\xff\xfe\x80"')),
    "control characters that are not escaped": (
        Endpoint.DETECTION,
        with_member(DETECTION_TEXT, b'"new": "\x00\x01\x1b\x7f"'),
    ),
    "byte-order mark": (Endpoint.DETECTION, b"\xef\xbb\xbf" + answer(DETECTION_TEXT)),
    "white space around": (Endpoint.DETECTION, b"\r\n\t " + answer(DETECTION_TEXT) + b"\n\n"),
    "duplicate name, the last is malicious": (
        Endpoint.DETECTION,
        with_member(DETECTION_TEXT, b'"final_disposition": "NONE"'),
    ),
    "duplicate links": (Endpoint.DETECTION, with_member(DETECTION_TEXT, b'"links": 7')),
    "duplicate result": (
        Endpoint.DETECTION,
        answer(DETECTION_TEXT).replace(b'"errors"', b'"result": null, "errors"', 1),
    ),
    "truncated details": (Endpoint.DETAILS, answer(DETAILS_TEXT)[:-40]),
    "details that are HTML": (Endpoint.DETAILS, b"<html>"),
    "empty details": (Endpoint.DETAILS, b""),
    "details nested too deeply": (Endpoint.DETAILS, answer("[" * 100_000)),
    "search of 10 MB": (Endpoint.SEARCH, answer(f'[{{"id": "{LARGE}"}}]')),
}


@pytest.mark.parametrize(("asked", "body"), BODIES.values(), ids=BODIES)
def test_malicious_email_with_an_odd_body_has_one_alert(
    make_deployment: MakeDeployment, asked: Endpoint, body: bytes
) -> None:
    deployment = make_deployment(only(replace(MALICIOUS, mail=DETAILS)))
    deployment.cloudflare.serve(asked, body)
    deployment.send(MALICIOUS.postfix_id)
    assert ["ESCALATED"] == [it["outcome"] for it in deployment.poll()]
    [alert] = deployment.alerts()
    assert "MALICIOUS" == alert.facts["unmapped"]["disposition"]


UNREADABLE: dict[str, bytes] = {
    "10 MB": answer(f'{{"action": "{LARGE}"}}'),
    "nested too deeply": answer("[" * 100_000),
    "a list": answer("[1]"),
    "a text": answer('"MALICIOUS"'),
    "disposition that is NaN": with_member(
        DETECTION_TEXT.replace("final_disposition", "old"), b'"final_disposition": NaN'
    ),
    "disposition of invalid UTF-8": answer(DETECTION_TEXT.replace("MALICIOUS", "CANARY")).replace(
        b"CANARY", b"\xff\xfe"
    ),
    "duplicate name, the last is unknown": answer(DETECTION_TEXT[:-1] + ', "final_disposition": "NEW"}'),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_detection_has_one_alert_by_its_details(make_deployment: MakeDeployment, body: bytes) -> None:
    deployment = make_deployment(only(replace(MALICIOUS, mail=DETAILS)))
    deployment.cloudflare.serve(Endpoint.DETECTION, body)
    deployment.send(MALICIOUS.postfix_id)
    [logged] = deployment.poll()
    assert "ESCALATED" == logged["outcome"]
    assert "the disposition is that of the message details" in logged["detail"]
    assert len(deployment.alerts()) == 1


TEMPORARY = {
    "truncated": answer(DETECTION_TEXT)[:-40],
    "HTML": b"<html>Just a moment</html>",
    "nothing": b"",
    "no envelope": DETECTION_TEXT.encode(),
}


@pytest.mark.parametrize("body", TEMPORARY.values(), ids=TEMPORARY)
def test_detection_that_is_no_json_is_asked_for_again(make_deployment: MakeDeployment, body: bytes) -> None:
    """A proxy or a broken connection gives such a body, and the next answer is whole."""
    deployment = make_deployment(only(MALICIOUS))
    deployment.cloudflare.serve(Endpoint.DETECTION, body)
    deployment.send(MALICIOUS.postfix_id)
    assert [("RETRY", "cloudflare-unavailable")] == [(it["outcome"], it["reason"]) for it in deployment.poll()]
    deployment.cloudflare.serve(Endpoint.DETECTION, answer(DETECTION_TEXT))
    assert ["ESCALATED"] == [it["outcome"] for it in deployment.poll()]
    assert len(deployment.alerts()) == 1


def test_search_that_cannot_be_read_rejects_a_short_id_with_the_cause(make_deployment: MakeDeployment) -> None:
    """Without the search, the email's detection is unknown. The dead letter and the record say why."""
    deployment = make_deployment(only(MALICIOUS), bare_ids=False)
    deployment.cloudflare.serve(Endpoint.SEARCH, answer(f'[{{"id": "{LARGE}"}}]'))
    deployment.send(MALICIOUS.postfix_id)
    [logged] = deployment.poll()
    assert ("REJECTED", "invalid-answer") == (logged["outcome"], logged["reason"])
    [record] = deployment.records()
    assert (MALICIOUS.postfix_id, True) == (record["id"], "larger than" in record["detail"])
    assert [] == deployment.alerts()


# --- a batch of large answers -----------------------------------------------------------------------------------------

ESCALATED, OUT_OF_TIME = ("ESCALATED", "disposition-listed"), ("DEFERRED", "out-of-time")


def test_ten_answers_of_8_mb_end_within_the_time_of_the_function(make_deployment: MakeDeployment) -> None:
    """A sender must not stop a batch by what Cloudflare says of ten emails.

    On a machine with other work, some are DEFERRED within the time of the function. None is lost, and none times out.
    """
    mails = [
        replace(
            MALICIOUS, postfix_id=f"4Large{n}Batch9sNH", investigate_id=f"4Large{n}Batch9sNH-2026-11-20T08:15:00-{n}"
        )
        for n in range(10)
    ]
    names = ", ".join(f'"k{n}": 1' for n in range(580_000))
    body = answer(f"{{{names}, {DETECTION_TEXT[1:]}")
    assert 7_900_000 < len(body) < 8_388_608
    deployment = make_deployment(Mailbox(ACCOUNT, tuple(mails)))
    deployment.cloudflare.serve(Endpoint.DETECTION, body)
    deployment.send(*(mail.postfix_id for mail in mails))
    logged = deployment.poll()
    ends = [(it["outcome"], it["reason"]) for it in logged]
    assert 10 == len(ends)
    assert {*ends} <= {ESCALATED, OUT_OF_TIME, ("RETRY", "cloudflare-unavailable")}
    assert 1 <= ends.count(ESCALATED) == len(deployment.alerts())
    assert 10 == ends.count(ESCALATED) + deployment.waiting()
