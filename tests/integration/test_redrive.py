"""The dead-letter queue in the operator's hands: seen whole, sent back, deleted, and nothing lost on the way."""

import json
import os
import subprocess
import sys
from collections import Counter

import boto3
import pytest
from botocore.stub import Stubber

from functions.escalate.queue import MESSAGE_LIMIT
from ops.escalator.dead_letter import RETRIES_EXHAUSTED
from ops.escalator.dead_letters import DeadLetters
from ops.escalator.fate import Fate
from ops.escalator.redrive import BODY_START
from tests.integration.operator_hands import (
    NOT_AN_ID,
    NOT_JSON,
    NOT_OURS,
    ROOT,
    give_up,
    ids,
    listed,
    reasons,
    reject,
    run,
)
from tests.integration.test_escalation import MALICIOUS, SPAM
from tests.integration.world import World, outcomes, raw_record


def test_list(world: World) -> None:
    """Everything that lies there, with its reason: the function's, or that SQS gave it up."""
    reject(world, NOT_JSON, NOT_AN_ID, NOT_OURS)
    lost = give_up(world, MALICIOUS.postfix_id)

    found = {it["reason"]: it for it in listed(world)}

    assert {
        "malformed-body": NOT_JSON,
        "invalid-id": NOT_AN_ID,
        "account-not-configured": NOT_OURS,
        RETRIES_EXHAUSTED: MALICIOUS.postfix_id,
    } == {reason: it["body"] for reason, it in found.items()}
    assert (lost, "") == (found[RETRIES_EXHAUSTED]["id"], found[RETRIES_EXHAUSTED]["detail"])
    assert "$.postfix_id is not an id" in found["invalid-id"]["detail"]


def test_list_of_one_reason(world: World) -> None:
    """Only those that have it."""
    reject(world, NOT_JSON, NOT_AN_ID)

    shown = run(world, "list", "--reason", "invalid-id").stdout

    assert [NOT_AN_ID] == [line.split("\t")[-1] for line in shown.splitlines()]


def test_where_aws_is(world: World) -> None:
    """It may be said behind the command, too, and there goes before what the environment says."""
    reject(world, NOT_JSON)

    here = ("--region", "us-east-1", "--endpoint-url", world.stack.aws["AWS_ENDPOINT_URL"])
    elsewhere = ("--endpoint-url", "http://127.0.0.1:9")

    assert 1 == len(run(world, "list", *here).stdout.splitlines())
    assert 1 == run(world, "list", *elsewhere).exit_code


def test_list_twice(world: World) -> None:
    """Looking hides nothing from who looks next, also not with more messages than one receive gives."""
    reject(world, *(f"not an id {number}" for number in range(25)))

    first, second = listed(world), listed(world)

    assert first == second
    assert 25 == len(first) == len({it["id"] for it in first})


def test_list_with_a_limit(world: World) -> None:
    """No more than that, a word about it, and nothing is hidden."""
    reject(world, *(f"not an id {number}" for number in range(12)))

    shown = run(world, "list", "--limit", "5")

    assert (5, "--limit 5 is reached; there may be more\n") == (len(shown.stdout.splitlines()), shown.stderr)
    assert 12 == len(listed(world))


def test_list_whose_reader_goes_away(world: World) -> None:
    """What it had read is brought back all the same."""
    reject(world, *(f"not an id {number}" for number in range(25)))

    program = f"{sys.executable} -m ops.escalator redrive list --wait 0 | head -n 1"
    done = subprocess.run(
        program,
        shell=True,
        cwd=ROOT,
        env=os.environ | world.stack.environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (1, "") == (len(done.stdout.splitlines()), done.stderr)
    assert 25 == len(listed(world))


def test_first_queued(world: World) -> None:
    """A message that was deferred before says itself when it first came."""
    give_up(world, MALICIOUS.postfix_id, first_seen="1795000000123")

    assert ["2026-11-18T11:06:40Z"] == [it["queued"] for it in listed(world)]


def test_empty_queue(world: World) -> None:
    """Nothing, in each form; and there is nothing to do, which is not an error."""
    assert ["", "[]\n", "id,reason,detail,queued,receives,body\n"] == [
        run(world, "list", *form).stdout for form in ([], ["--json"], ["--csv"])
    ]
    done = run(world, "send-back", "--all", "--yes")
    assert (0, "", "nothing to do: the dead-letter queue has nothing\n") == (
        done.exit_code,
        done.stdout,
        done.stderr,
    )


def test_show(world: World) -> None:
    """One message whole, as it is: both kinds of attributes, and a body that a list would cut."""
    body = '{"postfix_id": "' + "x" * 500 + '", "name": "\u202eetis\u200b"}'
    world.invoke(raw_record(body, "m-original"))
    [found] = listed(world)

    shown = run(world, "show", found["id"], "--json")

    whole = json.loads(shown.stdout)
    assert (body, body[:BODY_START]) == (whole["body"], found["body"])
    assert {
        "reason": whole["reason"],
        "detail": whole["detail"],
        "sqs_message_id": "m-original",
        "first_seen": "1795000000000",
    } == whole["attributes"]
    assert "2026-11-18T11:06:40Z" == whole["queued"]
    assert shown.stdout.isascii()
    assert [found] == listed(world)


def test_show_of_a_message_that_is_not_there(world: World) -> None:
    """One line that says so, and where to look."""
    shown = run(world, "show", "m-1")

    assert (1, "escalator: m-1 is not on the dead-letter queue; `escalator redrive list` shows what is\n") == (
        shown.exit_code,
        shown.stderr,
    )


def test_message_sent_back(world: World) -> None:
    """It is escalated like any other, and is gone from where it lay."""
    lost = give_up(world, MALICIOUS.postfix_id)

    done = run(world, "send-back", lost, "--yes")

    assert (0, f"{lost}\t{RETRIES_EXHAUSTED}\tsent-back\t\n", f"1 sent back (1 {RETRIES_EXHAUSTED})\n") == (
        done.exit_code,
        done.stdout,
        done.stderr,
    )
    assert [("ESCALATED", "disposition-listed")] == outcomes(world.poll())
    assert 1 == len(world.alerts())
    assert [] == listed(world)


def test_message_sent_back_begins_anew(world: World) -> None:
    """The function's attributes stay behind, the time of its first arrival among them; its sender's come along."""
    give_up(world, SPAM.postfix_id, first_seen="1795000000123", reason="deferred-too-long", detail="?", team="mail")

    assert 0 == run(world, "send-back", "--reason", "deferred-too-long", "--yes").exit_code

    [message] = world.receive()
    assert (SPAM.postfix_id, {"team": {"DataType": "String", "StringValue": "mail"}}) == (
        message["Body"],
        message["MessageAttributes"],
    )


def test_send_back_of_one_reason(world: World) -> None:
    """Those that have it, and no other."""
    give_up(world, MALICIOUS.postfix_id)
    give_up(world, SPAM.postfix_id)
    give_up(world, MALICIOUS.postfix_id, reason="invalid-answer")
    reject(world, NOT_JSON)

    done = run(world, "send-back", "--reason", RETRIES_EXHAUSTED, "--reason", "unknown-disposition", "--yes")

    assert (0, f"2 sent back (2 {RETRIES_EXHAUSTED})\n") == (done.exit_code, done.stderr)
    assert {"malformed-body": 1, "invalid-answer": 1} == reasons(world)
    assert 2 == world.waiting()


def test_send_back_of_everything(world: World) -> None:
    """More than one call takes, by number and by size."""
    bodies = [f"{number:04}" + "x" * 90_000 for number in range(25)]
    for body in bodies:
        world.stack.sqs.send_message(QueueUrl=world.stack.dead_letter_url, MessageBody=body)
    assert sum(map(len, bodies)) > MESSAGE_LIMIT

    done = run(world, "send-back", "--all", "--yes", "--json")

    assert (0, {"sent-back": 25}) == (done.exit_code, Counter(it["result"] for it in json.loads(done.stdout)))
    assert [] == listed(world)
    received = [it["Body"] for _ in range(3) for it in world.receive()]
    assert bodies == sorted(received)


def test_send_back_of_what_would_only_come_back(world: World) -> None:
    """It stays, and the command ends with 1; unless one insists."""
    reject(world, NOT_JSON, NOT_AN_ID, NOT_OURS)
    world.invoke(raw_record(""))
    give_up(world, MALICIOUS.postfix_id)

    first = run(world, "send-back", "--all", "--yes")
    assert (1, 1) == (first.exit_code, world.waiting())
    assert (
        "4 kept (2 malformed-body, 1 account-not-configured, 1 invalid-id): it would only come back, --even-so sends it too"
    ) in first.stderr
    assert {"malformed-body": 2, "invalid-id": 1, "account-not-configured": 1} == reasons(world)

    assert 0 == run(world, "send-back", "--all", "--even-so", "--yes").exit_code
    assert ([], 5) == (listed(world), world.waiting())


def test_id_that_is_not_there(world: World) -> None:
    """The others are sent back; the command ends with 1."""
    lost = give_up(world, MALICIOUS.postfix_id)

    done = run(world, "send-back", lost, "m-1", "--yes")

    assert (1, {f"{lost}\t{RETRIES_EXHAUSTED}\tsent-back\t", "m-1\t\tnot-there\t"}) == (
        done.exit_code,
        set(done.stdout.splitlines()),
    )


@pytest.mark.parametrize("command", ["send-back", "delete"])
def test_nobody_to_ask(world: World, command: str) -> None:
    """Without a terminal and without --yes nothing is done."""
    give_up(world, MALICIOUS.postfix_id)

    done = run(world, command, "--all")

    assert (2, "") == (done.exit_code, done.stdout)
    assert "escalator: nobody is here to be asked, so nothing was done; --yes does it without asking." in done.stderr
    assert ({RETRIES_EXHAUSTED: 1}, 0) == (reasons(world), world.waiting())


def test_requests_queue_that_is_not_there(world: World) -> None:
    """Each message fails, with the cause, and is on the dead-letter queue as before."""
    lost = give_up(world, MALICIOUS.postfix_id)
    world.stack.sqs.delete_queue(QueueUrl=world.stack.requests_url)

    done = run(world, "send-back", "--all", "--yes", "--json")

    [row] = json.loads(done.stdout)
    assert (1, lost, "failed") == (done.exit_code, row["id"], row["result"])
    assert "cannot send back to the requests queue: AWS.SimpleQueueService.NonExistentQueue" in row["why"]
    assert f"1 failed (1 {RETRIES_EXHAUSTED}): on the dead-letter queue as before, try again\n" == done.stderr
    assert {RETRIES_EXHAUSTED: 1} == reasons(world)


def test_some_entries_of_a_batch_fail() -> None:
    """Only what has arrived is deleted, and what could not be deleted is not called done."""
    sqs = boto3.client("sqs", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    received = [
        {
            "MessageId": name,
            "ReceiptHandle": f"handle-{name}",
            "Body": name,
            "Attributes": {"SentTimestamp": "1795000000000", "ApproximateReceiveCount": "1"},
        }
        for name in ("sent", "refused", "stuck")
    ]
    failure = {"SenderFault": False, "Code": "InternalError", "Message": "no"}
    queue, requests = {"QueueUrl": "https://q/dead"}, {"QueueUrl": "https://q/requests"}
    with Stubber(sqs) as aws:
        aws.add_response("receive_message", {"Messages": received})
        aws.add_response(
            "send_message_batch",
            {
                "Successful": [{"Id": it, "MessageId": "m", "MD5OfMessageBody": "5"} for it in ("0", "2")],
                "Failed": [{"Id": "1", **failure}],
            },
            requests
            | {
                "Entries": [
                    {"Id": str(i), "MessageBody": it["Body"], "MessageAttributes": {}} for i, it in enumerate(received)
                ]
            },
        )
        aws.add_response(
            "delete_message_batch",
            {"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", **failure}]},
            queue
            | {"Entries": [{"Id": "0", "ReceiptHandle": "handle-sent"}, {"Id": "1", "ReceiptHandle": "handle-stuck"}]},
        )
        aws.add_response(
            "change_message_visibility_batch",
            {"Successful": [], "Failed": []},
            queue
            | {
                "Entries": [
                    {"Id": "0", "ReceiptHandle": "handle-refused", "VisibilityTimeout": 0},
                    {"Id": "1", "ReceiptHandle": "handle-stuck", "VisibilityTimeout": 0},
                ]
            },
        )
        with DeadLetters(sqs, queue["QueueUrl"], requests["QueueUrl"]) as letters:
            done = letters.send_back(next(letters.batches()))
        aws.assert_no_pending_responses()

    assert {"sent": Fate.SENT_BACK, "refused": Fate.FAILED, "stuck": Fate.SENT_BACK_NOT_DELETED} == {
        it.id: it.fate for it in done
    }


def test_delete(world: World) -> None:
    """By id, by reason, and all; it is gone for good, and only it."""
    reject(world, *(f"not an id {number}" for number in range(21)), NOT_AN_ID)
    give_up(world, MALICIOUS.postfix_id)
    [one, *_] = ids(world, "malformed-body")

    assert 0 == run(world, "delete", one, "--yes").exit_code
    assert {"malformed-body": 20, "invalid-id": 1, RETRIES_EXHAUSTED: 1} == reasons(world)
    assert "20 deleted (20 malformed-body)\n" == run(world, "delete", "--reason", "malformed-body", "--yes").stderr
    assert {"invalid-id": 1, RETRIES_EXHAUSTED: 1} == reasons(world)
    assert 0 == run(world, "delete", "--all", "--yes").exit_code
    assert ([], 0) == (listed(world), world.waiting())
