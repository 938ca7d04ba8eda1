"""`escalator redrive` lists, shows, sends back and deletes without losing a message."""

import json
import os
import subprocess
import sys
from collections import Counter

import boto3
import pytest
from botocore.stub import Stubber

from functions.escalate.queues import MESSAGE_LIMIT
from ops.escalator.commands.redrive import BODY_PREVIEW
from ops.escalator.dead_letters.message import RETRIES_EXHAUSTED
from ops.escalator.dead_letters.queue import DeadLetters
from ops.escalator.dead_letters.result import ResultKind
from tests.integration.cli_runner import (
    NOT_AN_ID,
    NOT_JSON,
    NOT_OURS,
    OF_S3,
    ROOT,
    give_up,
    ids,
    listed,
    reasons,
    reject,
    run,
)
from tests.integration.deployment import Deployment, outcomes, raw_record
from tests.integration.test_escalation import MALICIOUS, SPAM


def test_list_shows_every_message_with_its_reason(deployment: Deployment) -> None:
    """The reason comes from the function, or is `retries-exhausted` if SQS moved the message."""
    reject(deployment, NOT_JSON, NOT_AN_ID, NOT_OURS)
    exhausted_id = give_up(deployment, MALICIOUS.postfix_id)

    found = {it["reason"]: it for it in listed(deployment)}

    assert {
        "malformed-body": NOT_JSON,
        "invalid-id": NOT_AN_ID,
        "account-not-configured": NOT_OURS,
        RETRIES_EXHAUSTED: MALICIOUS.postfix_id,
    } == {reason: it["body"] for reason, it in found.items()}
    assert (exhausted_id, "") == (found[RETRIES_EXHAUSTED]["id"], found[RETRIES_EXHAUSTED]["detail"])
    assert "$.postfix_id is not an id" in found["invalid-id"]["detail"]


def test_list_with_a_reason_shows_only_its_messages(deployment: Deployment) -> None:
    """--reason filters the list."""
    reject(deployment, NOT_JSON, NOT_AN_ID)

    shown = run(deployment, "list", "--reason", "invalid-id").stdout

    assert [NOT_AN_ID] == [line.split("\t")[-1] for line in shown.splitlines()]


def test_connection_options_override_the_environment(deployment: Deployment) -> None:
    """Region and endpoint can be passed after the command name, too."""
    reject(deployment, NOT_JSON)

    reachable = ("--region", "us-east-1", "--endpoint-url", deployment.stack.aws["AWS_ENDPOINT_URL"])
    unreachable = ("--endpoint-url", "http://127.0.0.1:9")

    assert 1 == len(run(deployment, "list", *reachable).stdout.splitlines())
    assert 1 == run(deployment, "list", *unreachable).exit_code


def test_second_list_shows_the_same_messages(deployment: Deployment) -> None:
    """A list makes its messages visible again, also when they took several receives."""
    reject(deployment, *(f"not an id {number}" for number in range(25)))

    first, second = listed(deployment), listed(deployment)

    assert first == second
    assert 25 == len(first) == len({it["id"] for it in first})


def test_list_stops_at_its_limit_and_says_so(deployment: Deployment) -> None:
    """All messages are visible afterwards."""
    reject(deployment, *(f"not an id {number}" for number in range(12)))

    shown = run(deployment, "list", "--limit", "5")

    assert (5, "--limit 5 reached; the queue may have more messages\n") == (
        len(shown.stdout.splitlines()),
        shown.stderr,
    )
    assert 12 == len(listed(deployment))


def test_list_into_a_closed_pipe_makes_messages_visible_again(deployment: Deployment) -> None:
    """`head` closes the pipe after one line."""
    reject(deployment, *(f"not an id {number}" for number in range(25)))

    program = f"{sys.executable} -m ops.escalator redrive list --wait 0 | head -n 1"
    done = subprocess.run(
        program,
        shell=True,
        cwd=ROOT,
        env=os.environ | deployment.stack.environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (1, "") == (len(done.stdout.splitlines()), done.stderr)
    assert 25 == len(listed(deployment))


def test_list_shows_when_a_requeued_message_first_arrived(deployment: Deployment) -> None:
    """The time comes from its attribute `first_seen`."""
    give_up(deployment, MALICIOUS.postfix_id, first_seen="1795000000123")

    assert ["2026-11-18T11:06:40Z"] == [it["queued"] for it in listed(deployment)]


def test_empty_queue_is_an_empty_list_and_no_error(deployment: Deployment) -> None:
    """Each output format shows no rows, and an action succeeds."""
    assert ["", "[]\n", "id,reason,detail,queued,receive_count,body\n"] == [
        run(deployment, "list", *form).stdout for form in ([], ["--json"], ["--csv"])
    ]
    done = run(deployment, "send-back", "--all", "--yes")
    assert (0, "", "no messages selected: the dead-letter queue is empty\n") == (
        done.exit_code,
        done.stdout,
        done.stderr,
    )


def test_show_has_the_full_body_and_all_attributes(deployment: Deployment) -> None:
    """A list has only the start of the body."""
    body = '{"postfix_id": "' + "x" * 500 + '", "name": "\u202eetis\u200b"}'
    deployment.invoke(raw_record(body, "m-original"))
    [found] = listed(deployment)

    shown = run(deployment, "show", found["id"], "--json")

    message = json.loads(shown.stdout)
    assert (body, body[:BODY_PREVIEW]) == (message["body"], found["body"])
    assert {
        "reason": message["reason"],
        "detail": message["detail"],
        "sqs_message_id": "m-original",
        "first_seen": "1795000000000",
    } == message["attributes"]
    assert "2026-11-18T11:06:40Z" == message["queued"]
    assert shown.stdout.isascii()
    assert [found] == listed(deployment)


def test_show_of_an_unknown_id_fails_with_advice(deployment: Deployment) -> None:
    """The error is one line that names the id and the next command."""
    shown = run(deployment, "show", "m-1")

    error = "escalator: m-1 is not on the dead-letter queue; run `escalator redrive list` to see its messages\n"
    assert (1, error) == (shown.exit_code, shown.stderr)


def test_message_sent_back_is_escalated_and_off_the_dead_letter_queue(deployment: Deployment) -> None:
    """The function processes it like any other message."""
    exhausted_id = give_up(deployment, MALICIOUS.postfix_id)

    done = run(deployment, "send-back", exhausted_id, "--yes")

    assert (0, f"{exhausted_id}\t{RETRIES_EXHAUSTED}\tsent-back\t\n", f"1 sent back (1 {RETRIES_EXHAUSTED})\n") == (
        done.exit_code,
        done.stdout,
        done.stderr,
    )
    assert [("ESCALATED", "disposition-listed")] == outcomes(deployment.poll())
    assert 1 == len(deployment.alerts())
    assert [] == listed(deployment)


def test_message_sent_back_keeps_only_attributes_of_its_producer(deployment: Deployment) -> None:
    """Without `first_seen` the three-day limit starts again."""
    give_up(
        deployment, SPAM.postfix_id, first_seen="1795000000123", reason="deferred-too-long", detail="?", team="mail"
    )

    assert 0 == run(deployment, "send-back", "--reason", "deferred-too-long", "--yes").exit_code

    [message] = deployment.receive()
    assert (SPAM.postfix_id, {"team": {"DataType": "String", "StringValue": "mail"}}) == (
        message["Body"],
        message["MessageAttributes"],
    )


def test_send_back_with_reasons_leaves_other_messages(deployment: Deployment) -> None:
    """--reason is repeatable."""
    give_up(deployment, MALICIOUS.postfix_id)
    give_up(deployment, SPAM.postfix_id)
    give_up(deployment, MALICIOUS.postfix_id, reason="invalid-answer")
    reject(deployment, NOT_JSON)

    done = run(deployment, "send-back", "--reason", RETRIES_EXHAUSTED, "--reason", "unknown-disposition", "--yes")

    assert (0, f"2 sent back (2 {RETRIES_EXHAUSTED})\n") == (done.exit_code, done.stderr)
    assert {"malformed-body": 1, "invalid-answer": 1} == reasons(deployment)
    assert 2 == deployment.waiting()


def test_send_back_of_all_takes_several_calls(deployment: Deployment) -> None:
    """There are more messages than one call can carry, by number and by size."""
    bodies = [f"{number:04}" + "x" * 90_000 for number in range(25)]
    for body in bodies:
        deployment.stack.sqs.send_message(QueueUrl=deployment.stack.dead_letter_url, MessageBody=body)
    assert sum(map(len, bodies)) > MESSAGE_LIMIT

    done = run(deployment, "send-back", "--all", "--yes", "--json")

    assert (0, {"sent-back": 25}) == (done.exit_code, Counter(it["result"] for it in json.loads(done.stdout)))
    assert [] == listed(deployment)
    received = [it["Body"] for _ in range(3) for it in deployment.receive()]
    assert bodies == sorted(received)


def test_unretryable_messages_are_kept_without_force(deployment: Deployment) -> None:
    """The command exits with status 1. With --force it sends them, too."""
    reject(deployment, NOT_JSON, NOT_AN_ID, NOT_OURS, OF_S3)
    deployment.invoke(raw_record(""))
    give_up(deployment, MALICIOUS.postfix_id)

    first = run(deployment, "send-back", "--all", "--yes")
    assert (1, 1) == (first.exit_code, deployment.waiting())
    assert (
        "5 kept (2 malformed-body, 1 account-not-configured, 1 invalid-id, 1 not-a-request): unretryable,"
        " --force sends these too"
    ) in first.stderr
    assert {"malformed-body": 2, "invalid-id": 1, "account-not-configured": 1, "not-a-request": 1} == reasons(
        deployment
    )

    assert 0 == run(deployment, "send-back", "--all", "--force", "--yes").exit_code
    assert ([], 6) == (listed(deployment), deployment.waiting())


def test_send_back_with_an_unknown_id_sends_the_other_messages(deployment: Deployment) -> None:
    """The command exits with status 1."""
    exhausted_id = give_up(deployment, MALICIOUS.postfix_id)

    done = run(deployment, "send-back", exhausted_id, "m-1", "--yes")

    assert (1, {f"{exhausted_id}\t{RETRIES_EXHAUSTED}\tsent-back\t", "m-1\t\tmissing\t"}) == (
        done.exit_code,
        set(done.stdout.splitlines()),
    )


@pytest.mark.parametrize("command", ["send-back", "delete"])
def test_action_without_terminal_and_yes_does_nothing(deployment: Deployment, command: str) -> None:
    """There is no terminal to confirm on."""
    give_up(deployment, MALICIOUS.postfix_id)

    done = run(deployment, command, "--all")

    assert (2, "") == (done.exit_code, done.stdout)
    assert "escalator: No terminal to confirm on. Nothing was done. Pass --yes to skip the question." in done.stderr
    assert ({RETRIES_EXHAUSTED: 1}, 0) == (reasons(deployment), deployment.waiting())


def test_send_back_without_requests_queue_keeps_the_messages(deployment: Deployment) -> None:
    """Each message fails with the cause, and stays on the dead-letter queue."""
    exhausted_id = give_up(deployment, MALICIOUS.postfix_id)
    deployment.stack.sqs.delete_queue(QueueUrl=deployment.stack.requests_url)

    done = run(deployment, "send-back", "--all", "--yes", "--json")

    [row] = json.loads(done.stdout)
    assert (1, exhausted_id, "failed") == (done.exit_code, row["id"], row["result"])
    assert "cannot send back to the requests queue: AWS.SimpleQueueService.NonExistentQueue" in row["detail"]
    assert f"1 failed (1 {RETRIES_EXHAUSTED}): still on the dead-letter queue, try again\n" == done.stderr
    assert {RETRIES_EXHAUSTED: 1} == reasons(deployment)


def test_failed_entries_of_a_batch_are_reported_one_by_one() -> None:
    """Only accepted messages are deleted. A failed deletion is not a success."""
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
            results = letters.send_back(next(letters.batches()))
        aws.assert_no_pending_responses()

    assert {"sent": ResultKind.SENT_BACK, "refused": ResultKind.FAILED, "stuck": ResultKind.SENT_BACK_NOT_DELETED} == {
        result.id: result.kind for result in results
    }


def test_delete_by_id_by_reason_and_all_removes_only_the_selection(deployment: Deployment) -> None:
    """A deleted message is on neither queue."""
    reject(deployment, *(f"not an id {number}" for number in range(21)), NOT_AN_ID)
    give_up(deployment, MALICIOUS.postfix_id)
    [one, *_] = ids(deployment, "malformed-body")

    assert 0 == run(deployment, "delete", one, "--yes").exit_code
    assert {"malformed-body": 20, "invalid-id": 1, RETRIES_EXHAUSTED: 1} == reasons(deployment)
    assert "20 deleted (20 malformed-body)\n" == run(deployment, "delete", "--reason", "malformed-body", "--yes").stderr
    assert {"invalid-id": 1, RETRIES_EXHAUSTED: 1} == reasons(deployment)
    assert 0 == run(deployment, "delete", "--all", "--yes").exit_code
    assert ([], 0) == (listed(deployment), deployment.waiting())
