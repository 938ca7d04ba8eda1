"""Invalid messages go to the dead-letter queue and affect no other message."""

import json

import pytest

from tests.integration.deployment import Deployment, outcomes, raw_record
from tests.integration.test_escalation import MALICIOUS, SPAM

INVALID = {
    "malformed json": ('{"postfix_id": ', "malformed-body"),
    "path in an id": (json.dumps({"postfix_id": "../../x?y#z"}), "invalid-id"),
    "bare path": ("../../x?y#z", "malformed-body"),
    "id of 10,000 characters": (json.dumps({"postfix_id": "A" * 10_000}), "invalid-id"),
    "bare 10,000 characters": ("A" * 10_000, "malformed-body"),
    "empty account": (json.dumps({"postfix_id": MALICIOUS.postfix_id, "account_id": ""}), "malformed-body"),
    "another account": (
        json.dumps({"postfix_id": MALICIOUS.postfix_id, "account_id": "f" * 32}),
        "account-not-configured",
    ),
    "empty body": ("", "malformed-body"),
    "blank body": (" \n", "malformed-body"),
    "500 ids": (json.dumps([f"4Njp3P0STMz{number:04d}Q" for number in range(500)]), "malformed-body"),
    "no id": ("{}", "malformed-body"),
    "ids of two emails": (
        json.dumps({"postfix_id": MALICIOUS.postfix_id, "alert_id": SPAM.alert_id}),
        "malformed-body",
    ),
    "deeply nested": ("[" * 100_000, "malformed-body"),
    "lone surrogate": ('{"postfix_id": "4Njp3P0STMz\\ud800"}', "invalid-id"),
}


@pytest.mark.parametrize(("body", "reason"), INVALID.values(), ids=INVALID.keys())
def test_invalid_message_is_rejected_and_valid_one_is_escalated(deployment: Deployment, body: str, reason: str) -> None:
    """The rejection keeps the body, and has a reason and a detail."""
    invocation = deployment.invoke(raw_record(body, "bad"), raw_record(MALICIOUS.postfix_id, "good"))

    assert [("REJECTED", reason), ("ESCALATED", "disposition-listed")] == outcomes(invocation.outcomes)
    assert invocation.response == {"batchItemFailures": []}
    [(rejection_reason, detail, rejected_body)] = deployment.rejections()
    assert (reason, body or "(empty)") == (rejection_reason, rejected_body)
    assert detail
    assert len(deployment.alerts()) == 1


def test_batch_of_invalid_messages_is_rejected_without_cloudflare(deployment: Deployment) -> None:
    """Ten invalid messages are ten rejections and no call to Cloudflare."""
    bodies = list(INVALID.values())[:10]

    invocation = deployment.invoke(*(raw_record(body, f"m-{number}") for number, (body, _) in enumerate(bodies)))

    assert [("REJECTED", reason) for _, reason in bodies] == outcomes(invocation.outcomes)
    assert sorted(reason for _, reason in bodies) == sorted(reason for reason, *_ in deployment.rejections())
    assert deployment.cloudflare.calls == ()


def test_bodies_too_large_for_one_call_are_all_rejected(deployment: Deployment) -> None:
    """SQS accepts each of these messages, but not all in one call."""
    bodies = [character * 400_000 for character in "abcde"]

    invocation = deployment.invoke(*(raw_record(body, f"m-{number}") for number, body in enumerate(bodies)))

    assert outcomes(invocation.outcomes) == [("REJECTED", "malformed-body")] * 5
    assert bodies == sorted(body for _, _, body in deployment.rejections())


NAMED: dict[str, tuple[str, str, str]] = {
    "another account": (
        json.dumps({"postfix_id": MALICIOUS.postfix_id, "account_id": "f" * 32}),
        "account-not-configured",
        MALICIOUS.postfix_id,
    ),
    "account that is a number": (
        json.dumps({"alert_id": MALICIOUS.alert_id, "account_id": 7}),
        "malformed-body",
        MALICIOUS.alert_id,
    ),
    "one id of two": (json.dumps({"AlertID": MALICIOUS.alert_id, "postfix_id": "?"}), "invalid-id", MALICIOUS.alert_id),
    "ids of two emails": (
        json.dumps({"postfix_id": "4Another0Mail9sNH", "alert_id": MALICIOUS.alert_id}),
        "malformed-body",
        MALICIOUS.alert_id,
    ),
    "investigate id under another name": (
        json.dumps({"id": MALICIOUS.investigate_id}),
        "malformed-body",
        MALICIOUS.investigate_id,
    ),
    "in a notification of SNS": (
        json.dumps({"Type": "Notification", "Message": json.dumps({"AlertID": MALICIOUS.alert_id, "account_id": "x"})}),
        "malformed-body",
        MALICIOUS.alert_id,
    ),
}


def test_rejection_with_a_readable_id_is_recorded_under_it(deployment: Deployment) -> None:
    """A search for the email finds why its request was refused, after the dead letter has expired."""
    invocation = deployment.invoke(*(raw_record(body, name.replace(" ", "-")) for name, (body, _, _) in NAMED.items()))

    expected = sorted((reason, named) for _, reason, named in NAMED.values())
    assert [("REJECTED", reason) for _, reason, _ in NAMED.values()] == outcomes(invocation.outcomes)
    records = deployment.records()
    assert expected == sorted((it["reason"], it["id"]) for it in records)
    assert expected == sorted((it["reason"], it["id"]) for it in invocation.outcomes)
    assert {MALICIOUS.postfix_id} == {it["pk"] for it in records}
    assert {"REJECTED"} == {it["outcome"] for it in records}
    assert sorted(it["detail"] for it in records) == sorted(detail for _, detail, _ in deployment.rejections())
