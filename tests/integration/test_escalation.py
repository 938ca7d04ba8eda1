"""End to end: queue, Cloudflare, ledger and topic. Each test has its own deployment."""

import time
from dataclasses import replace

import pytest

from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.mailbox import Fault, Mail
from ops.local.lambda_runtime import Environment
from tests.clock import eventually
from tests.integration.deployment import Deployment, MakeDeployment, outcomes, raw_record
from tests.integration.fake_cloudflare_client import WITHOUT_FAULTS, only

MALICIOUS, SPAM = (
    next(mail for mail in WITHOUT_FAULTS if mail.result and mail.result.get("final_disposition") == disposition)
    for disposition in ("MALICIOUS", "SPAM")
)
UNDETECTED = next(mail for mail in WITHOUT_FAULTS if not mail.detected)


def test_malicious_email_has_one_alert_and_one_record(deployment: Deployment) -> None:
    """Alert, record and log line have the same ids and values."""
    deployment.send(MALICIOUS.postfix_id)

    [logged] = deployment.poll()
    [alert], [record] = deployment.alerts(), deployment.records()

    assert (logged["outcome"], logged["reason"]) == ("ESCALATED", "disposition-listed")
    assert (
        record["alert_id"] == logged["alert_id"] == alert.attributes["alert_id"] == alert.facts["unmapped"]["alert_id"]
    )
    assert record["sns_message_id"] == logged["sns_message_id"] == alert.sns_message_id
    assert ("SENT", "MALICIOUS", MALICIOUS.postfix_id) == (record["state"], record["disposition"], record["id"])
    assert "lease_until" not in record
    assert record["queued_at"] <= record["fetched_at"] <= record["decided_at"] <= record["claimed_at"]
    assert record["claimed_at"] <= record["published_at"]
    result = MALICIOUS.result or {}
    assert [link["href"] for link in result["links"]] == [
        url["url_string"] for url in alert.facts["evidences"][0]["email"]["urls"]
    ]
    assert record["detection"] == {"findings": []} | dict(result)
    assert deployment.waiting() == 0


def test_redelivery_after_the_alert_publishes_nothing(deployment: Deployment) -> None:
    """The record is SENT, so the outcome is ALREADY_ESCALATED."""
    deployment.send(MALICIOUS.postfix_id)
    [record] = deployment.received_records()

    first, second = (deployment.invoke(record).outcomes for _ in range(2))

    assert outcomes(first + second) == [("ESCALATED", "disposition-listed"), ("ALREADY_ESCALATED", "alert-sent-before")]
    assert len(deployment.alerts()) == 1


def test_same_email_twice_in_one_batch_has_one_alert(deployment: Deployment) -> None:
    """Both messages end in the first batch, so that no receive is used for a retry."""
    deployment.send(MALICIOUS.postfix_id, MALICIOUS.postfix_id)

    logged = deployment.poll()

    assert {("ESCALATED", "disposition-listed"), ("ALREADY_ESCALATED", "duplicate-in-batch")} == set(outcomes(logged))
    assert len({line["alert_id"] for line in logged}) == 1
    assert deployment.waiting() == 0
    assert len(deployment.alerts()) == 1


def test_expired_lease_is_taken_over_and_a_live_lease_is_not(deployment: Deployment) -> None:
    """While the lease is live, another worker retries. After it expires, that worker publishes the alert once."""
    deployment.send(MALICIOUS.postfix_id)
    [record] = deployment.received_records()
    deployment.invoke(record)
    deployment.alerts()
    _set_pending(deployment, lease_until="2999-01-01T00:00:00.000Z")
    held = deployment.invoke(record)
    alerts_while_held = deployment.alerts()

    _set_pending(deployment, lease_until="2020-01-01T00:00:00.000Z")
    taken_over = deployment.invoke(record)

    assert outcomes(held.outcomes) == [("RETRY", "claimed-by-another")]
    assert {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]} == held.response
    assert alerts_while_held == []
    assert outcomes(taken_over.outcomes) == [("ESCALATED", "disposition-listed")]
    assert (len(deployment.alerts()), [2]) == (1, [it["claim_count"] for it in deployment.records()])


def _set_pending(deployment: Deployment, lease_until: str) -> None:
    """Set the only email and its record to their state after a crash before the mark."""
    [record] = deployment.records()
    [email] = [item for item in deployment.items() if "deliveries" in item]
    deployment.stack.dynamodb.update_item(
        TableName=deployment.stack.table,
        Key={name: {"S": email[name]} for name in ("pk", "sk")},
        UpdateExpression="REMOVE complete_alert",
    )
    deployment.stack.dynamodb.update_item(
        TableName=deployment.stack.table,
        Key={name: {"S": record[name]} for name in ("pk", "sk")},
        UpdateExpression="SET #state = :pending, #owner = :other, lease_until = :lease REMOVE receipts",
        ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
        ExpressionAttributeValues={
            ":pending": {"S": "PENDING"},
            ":other": {"S": "another"},
            ":lease": {"S": lease_until},
        },
    )


def test_missing_topic_leaves_the_record_pending_and_retries(deployment: Deployment) -> None:
    """A PENDING record is visible to the operator."""
    deployment.stack.sns.delete_topic(TopicArn=deployment.stack.topic_arn)
    deployment.send(MALICIOUS.postfix_id)

    logged = deployment.poll()

    assert outcomes(logged) == [("RETRY", "publish-failed")]
    assert [(it["state"], it["claim_count"]) for it in deployment.records()] == [("PENDING", 1)]
    assert deployment.waiting() == 1


def test_missing_table_publishes_nothing_and_retries(deployment: Deployment) -> None:
    """An alert needs a claim first."""
    deployment.stack.dynamodb.update_table(TableName=deployment.stack.table, DeletionProtectionEnabled=False)
    deployment.stack.dynamodb.delete_table(TableName=deployment.stack.table)
    deployment.send(MALICIOUS.postfix_id)

    logged = deployment.poll()

    assert (outcomes(logged), deployment.alerts()) == ([("RETRY", "ledger-unavailable")], [])
    assert deployment.waiting() == 1


def test_missing_dead_letter_queue_retries_the_rejection(deployment: Deployment) -> None:
    """The message stays on the requests queue."""
    deployment.stack.sqs.delete_queue(QueueUrl=deployment.stack.dead_letter_url)
    deployment.send("no id")

    assert outcomes(deployment.poll()) == [("RETRY", "queue-unavailable")]
    assert deployment.waiting() == 1


@pytest.mark.parametrize(
    ("sinks", "alerts", "states"),
    [("table-and-topic", 1, ["SENT"]), ("table", 0, ["RECORDED"]), ("topic", 1, None)],
)
def test_table_and_topic_are_both_optional(
    make_deployment: MakeDeployment, sinks: str, alerts: int, states: list[str] | None
) -> None:
    """Without a topic there are only records, without a table only alerts."""
    deployment = make_deployment(Sinks=sinks)
    deployment.send(MALICIOUS.postfix_id)

    logged = deployment.poll()

    assert outcomes(logged) == [("ESCALATED", "disposition-listed")]
    assert alerts == (len(deployment.alerts()) if deployment.stack.topic_arn else 0)
    assert states == ([it["state"] for it in deployment.records()] if deployment.stack.table else None)


def test_second_request_without_topic_adds_no_record(make_deployment: MakeDeployment) -> None:
    """One escalation has one record, with or without a topic."""
    deployment = make_deployment(Sinks="table")
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()
    deployment.send(MALICIOUS.postfix_id)

    assert outcomes(deployment.poll()) == [("ALREADY_ESCALATED", "alert-sent-before")]
    assert len(deployment.records()) == 1


@pytest.mark.parametrize(("record_all", "recorded"), [("false", []), ("true", [("NOT_ESCALATED", "SPAM", "RECORDED")])])
def test_spam_is_not_escalated_and_recorded_only_on_request(
    make_deployment: MakeDeployment, record_all: str, recorded: list[tuple[str, str, str]]
) -> None:
    """RECORD_ALL decides whether a record is written."""
    deployment = make_deployment(RecordAll=record_all)
    deployment.send(SPAM.postfix_id)

    assert outcomes(deployment.poll()) == [("NOT_ESCALATED", "disposition-not-escalated")]
    assert recorded == [(it["outcome"], it["disposition"], it["state"]) for it in deployment.records()]
    assert deployment.alerts() == []


def test_spam_is_escalated_when_it_is_in_escalate_on(make_deployment: MakeDeployment) -> None:
    """The record keeps the value of ESCALATE_ON."""
    deployment = make_deployment(EscalateOn="MALICIOUS,SPAM")
    deployment.send(SPAM.postfix_id)

    assert outcomes(deployment.poll()) == [("ESCALATED", "disposition-listed")]
    assert [it["escalate_on"] for it in deployment.records()] == [["MALICIOUS", "SPAM"]]


def test_missing_detection_is_not_found_at_the_third_receive(deployment: Deployment) -> None:
    """The first two receives are retried. NOT_FOUND is recorded."""
    deployment.send(UNDETECTED.postfix_id)

    attempts = [outcomes(deployment.poll()) for _ in range(3)]

    assert attempts == [[("RETRY", "no-detection")]] * 2 + [[("NOT_FOUND", "no-detection")]]
    assert [(it["outcome"], it["state"]) for it in deployment.records()] == [("NOT_FOUND", "RECORDED")]
    assert deployment.waiting() == 0


@pytest.mark.parametrize("kind", [0, 1, 2], ids=["postfix_id", "alert_id", "investigate_id"])
@pytest.mark.parametrize("bare_ids", [True, False], ids=["all id kinds accepted", "only investigate ids accepted"])
def test_each_id_kind_finds_the_detection(make_deployment: MakeDeployment, kind: int, bare_ids: bool) -> None:
    """The detection is found even if Cloudflare accepts only the longest id in the path."""
    deployment = make_deployment(bare_ids=bare_ids)
    deployment.send(MALICIOUS.ids[kind])

    assert outcomes(deployment.poll()) == [("ESCALATED", "disposition-listed")]
    assert [MALICIOUS.ids[kind]] == [it["id"] for it in deployment.records()]


def test_api_email_and_key_are_accepted(make_deployment: MakeDeployment) -> None:
    """The older kind of credentials works, too."""
    pair = {"api_email": "soc@example.com", "api_key": "0123456789abcdef"}
    deployment = make_deployment(accepted=Credentials(**pair), secret=pair)
    deployment.send(MALICIOUS.postfix_id)

    assert outcomes(deployment.poll()) == [("ESCALATED", "disposition-listed")]


def test_rotated_credentials_are_fetched_within_the_same_invocation(deployment: Deployment) -> None:
    """A 401 fetches the secret again, and repeats the call once."""
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()
    deployment.cloudflare.accept(Credentials(api_token="the-new-one"))
    deployment.stack.secrets.put_secret_value(
        SecretId=deployment.stack.variables["CLOUDFLARE_SECRET_ID"], SecretString='{"api_token": "the-new-one"}'
    )
    deployment.send(SPAM.postfix_id)

    assert outcomes(deployment.poll()) == [("NOT_ESCALATED", "disposition-not-escalated")]
    assert [call.status for call in deployment.cloudflare.calls] == [200, 200, 401, 200]


@pytest.mark.parametrize(
    ("secret", "calls"),
    [({"api_token": "not the right one"}, 0), ({"api_token": "wrong"}, 1), ({}, 0)],
    ids=["malformed token", "wrong token", "no credentials"],
)
def test_unusable_credentials_defer_the_message(
    make_deployment: MakeDeployment, secret: dict[str, str], calls: int
) -> None:
    """The message is requeued with a delay, so it uses up no receives."""
    deployment = make_deployment(secret=secret)
    deployment.send(MALICIOUS.postfix_id)

    invocation = deployment.invoke(*deployment.received_records())

    assert outcomes(invocation.outcomes) == [("DEFERRED", "credentials-refused")]
    assert invocation.response == {"batchItemFailures": []}
    assert calls == len(deployment.cloudflare.calls)
    assert deployment.waiting() == 2  # the received message, which Lambda deletes next, and its delayed copy


def test_throttled_message_is_requeued_with_its_first_arrival(make_deployment: MakeDeployment) -> None:
    """The delay is the one that Cloudflare requests. The receive count starts again."""
    deployment = make_deployment(only(MALICIOUS, Fault.THROTTLED))
    deployment.send(MALICIOUS.postfix_id)
    [record] = deployment.received_records()
    assert outcomes(deployment.invoke(record).outcomes) == [("DEFERRED", "throttled")]

    [requeued] = eventually(deployment.received_records, "the message is visible again after its delay")

    assert record["attributes"]["SentTimestamp"] == requeued["messageAttributes"]["first_seen"]["stringValue"]
    assert requeued["attributes"]["ApproximateReceiveCount"] == "1"
    assert outcomes(deployment.invoke(requeued).outcomes) == [("ESCALATED", "disposition-listed")]
    assert [record["attributes"]["SentTimestamp"]] != [requeued["attributes"]["SentTimestamp"]]


def test_message_deferred_for_more_than_three_days_is_rejected(make_deployment: MakeDeployment) -> None:
    """The detail has the last reason of the deferral."""
    deployment = make_deployment(secret={"api_token": "wrong"})
    four_days_ago = int((time.time() - 4 * 86_400) * 1000)

    logged = deployment.invoke(raw_record(MALICIOUS.postfix_id, sent_at_ms=four_days_ago)).outcomes

    assert outcomes(logged) == [("REJECTED", "deferred-too-long")]
    [(reason, detail, body)] = deployment.rejections()
    assert ("deferred-too-long", MALICIOUS.postfix_id) == (reason, body)
    assert "credentials-refused" in detail


@pytest.mark.parametrize(
    "fault",
    [Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.HTML, Fault.HALF, Fault.RESET, Fault.UNSUCCESSFUL, Fault.REDIRECT],
)
def test_one_failure_of_cloudflare_delays_the_alert_by_one_retry(make_deployment: MakeDeployment, fault: Fault) -> None:
    """Every kind of failure is retried, and then the alert is published."""
    deployment = make_deployment(only(MALICIOUS, fault))
    deployment.send(MALICIOUS.postfix_id)

    assert outcomes(deployment.poll()) == [("RETRY", "cloudflare-unavailable")]
    assert outcomes(deployment.poll()) == [("ESCALATED", "disposition-listed")]
    assert len(deployment.alerts()) == 1


def test_huge_detection_has_a_truncated_alert_and_record(make_deployment: MakeDeployment) -> None:
    """Alert and record name the lists that were cut, and have the original counts."""
    huge = dict(MALICIOUS.result or {}) | {
        "links": [{"href": f"https://example.test/{i}", "text": "x" * 50} for i in range(10_000)],
        "headers": [{"name": f"X-{i}", "value": 'é"\\' * 300} for i in range(2_000)],
    }
    deployment = make_deployment(only(_with_result(MALICIOUS, huge)))
    deployment.send(MALICIOUS.postfix_id)

    assert outcomes(deployment.poll()) == [("ESCALATED", "disposition-listed")]
    [alert], [record] = deployment.alerts(), deployment.records()
    unmapped = alert.facts["unmapped"]
    assert ["headers", "links"] == unmapped["dropped"] == record["detection_dropped"]
    assert (unmapped["counts"]["links"], record["detection_counts"]["headers"]) == (10_000, 2_000)


def _with_result(mail: Mail, result: dict[str, object]) -> Mail:
    return replace(mail, result=result)


def test_retry_at_the_last_receive_requeues_the_message(make_deployment: MakeDeployment) -> None:
    """SQS never dead-letters it, so a long outage loses no message."""
    deployment = make_deployment(only(MALICIOUS, Fault.SERVER_ERROR))
    now = int(time.time() * 1000)

    invocation = deployment.invoke(raw_record(MALICIOUS.postfix_id, receive_count=12, sent_at_ms=now))

    assert [("DEFERRED", "cloudflare-unavailable")] == outcomes(invocation.outcomes)
    assert {"batchItemFailures": []} == invocation.response
    assert 1 == deployment.waiting()
    assert [] == deployment.rejections()


def test_rejection_that_names_an_email_is_recorded(make_deployment: MakeDeployment) -> None:
    """The record has the detail of the rejection, with the JSON path of the error."""
    harmless = replace(MALICIOUS, mail=dict(MALICIOUS.mail or {}) | {"final_disposition": "NONE"})
    deployment = make_deployment(only(_with_result(harmless, {"action": "NONE", "verdict": "MALICIOUS"})))
    deployment.send(MALICIOUS.postfix_id)

    assert [("REJECTED", "invalid-answer")] == outcomes(deployment.poll())
    [record], [(_, detail, _)] = deployment.records(), deployment.rejections()
    assert ("REJECTED", "invalid-answer", detail) == (record["outcome"], record["reason"], record["detail"])
    assert "$.verdict" in detail


def test_new_request_after_a_topic_is_added_sends_the_alert(make_deployment: MakeDeployment) -> None:
    """Without the topic, the email was only recorded."""
    recorded_only = make_deployment(Sinks="table")
    recorded_only.send(MALICIOUS.postfix_id)
    recorded_only.poll()
    topic = recorded_only.stack.sns.create_topic(Name="later")["TopicArn"]
    variables = recorded_only.stack.environment | {"FINDINGS_TOPIC_ARN": topic}
    recorded_only.send(MALICIOUS.postfix_id)

    with Environment(recorded_only.stack.template.handler, variables, recorded_only.stack.template.timeout) as function:
        logged = Deployment(recorded_only.stack, recorded_only.cloudflare, function).poll()

    assert [("ESCALATED", "disposition-listed")] == outcomes(logged)
    assert ["SENT"] == [it["state"] for it in recorded_only.records()]


def test_invalid_settings_fail_the_init_of_the_function(make_deployment: MakeDeployment) -> None:
    """One error names every invalid setting."""
    deployment = make_deployment(
        variables={"CLOUDFLARE_ACCOUNT_ID": "", "ESCALATE_ON": "MALICOUS", "FINDINGS_TOPIC_ARN": "x"}
    )

    with pytest.raises(Exception, match="the function's process ended") as failure:
        deployment.invoke(raw_record(MALICIOUS.postfix_id))

    for problem in (
        "CLOUDFLARE_ACCOUNT_ID: missing",
        "ESCALATE_ON: unknown disposition MALICOUS",
        "FINDINGS_TOPIC_ARN: malformed",
    ):
        assert problem in str(failure.value)
