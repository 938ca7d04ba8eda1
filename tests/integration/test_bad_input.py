"""What cannot be processed ends on the dead-letter queue with its reason, and harms nobody else in its batch."""

import json

import pytest

from tests.integration.test_escalation import MALICIOUS
from tests.integration.world import World, outcomes, raw_record

BAD = {
    "malformed-json": ('{"postfix_id": ', "malformed-body"),
    "path-in-id": (json.dumps({"postfix_id": "../../x?y#z"}), "invalid-id"),
    "bare-path": ("../../x?y#z", "malformed-body"),
    "id-of-10000-characters": (json.dumps({"postfix_id": "A" * 10_000}), "invalid-id"),
    "bare-10000-characters": ("A" * 10_000, "malformed-body"),
    "empty-account": (json.dumps({"postfix_id": MALICIOUS.postfix_id, "account_id": ""}), "malformed-body"),
    "account-not-configured": (
        json.dumps({"postfix_id": MALICIOUS.postfix_id, "account_id": "f" * 32}),
        "account-not-configured",
    ),
    "empty-body": ("", "malformed-body"),
    "blank-body": (" \n", "malformed-body"),
    "500-ids": (json.dumps([f"4Njp3P0STMz{number:04d}Q" for number in range(500)]), "malformed-body"),
    "nothing-named": ("{}", "malformed-body"),
    "two-ids": (json.dumps({"postfix_id": MALICIOUS.postfix_id, "alert_id": MALICIOUS.alert_id}), "malformed-body"),
    "deeply-nested": ("[" * 100_000, "malformed-body"),
    "half-a-surrogate-pair": ('{"postfix_id": "4Njp3P0STMz\\ud800"}', "invalid-id"),
}


@pytest.mark.parametrize(("body", "reason"), BAD.values(), ids=BAD.keys())
def test_bad_message_beside_a_good_one(world: World, body: str, reason: str) -> None:
    """REJECTED with reason and detail, its body kept; the good message's alert comes."""
    invocation = world.invoke(raw_record(body, "bad"), raw_record(MALICIOUS.postfix_id, "good"))

    assert [("REJECTED", reason), ("ESCALATED", "disposition-listed")] == outcomes(invocation.outcomes)
    assert invocation.response == {"batchItemFailures": []}
    [(told, detail, kept)] = world.rejections()
    assert (reason, body or "(empty)") == (told, kept)
    assert detail
    assert len(world.alerts()) == 1


def test_batch_of_nothing_but_bad_messages(world: World) -> None:
    """Ten bad messages in one batch: ten rejections, and Cloudflare is not asked."""
    bodies = list(BAD.values())[:10]

    invocation = world.invoke(*(raw_record(body, f"m-{number}") for number, (body, _) in enumerate(bodies)))

    assert [("REJECTED", reason) for _, reason in bodies] == outcomes(invocation.outcomes)
    assert sorted(reason for _, reason in bodies) == sorted(reason for reason, *_ in world.rejections())
    assert world.cloudflare.calls == ()


def test_bodies_that_are_too_large_for_one_call(world: World) -> None:
    """Messages that SQS takes one by one, but not together, are all rejected with their reasons."""
    bodies = [character * 400_000 for character in "abcde"]

    invocation = world.invoke(*(raw_record(body, f"m-{number}") for number, body in enumerate(bodies)))

    assert outcomes(invocation.outcomes) == [("REJECTED", "malformed-body")] * 5
    assert bodies == sorted(body for _, _, body in world.rejections())
