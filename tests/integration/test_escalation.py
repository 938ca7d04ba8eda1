"""The whole path: queue, Cloudflare, ledger, topic; one world for each situation."""

import time
from dataclasses import replace

import pytest

from ops.local.admission import Credentials
from ops.local.mailbox import Fault, Mail
from ops.local.runtime import Environment
from tests.clock import eventually
from tests.integration.standin import AT_ONCE, only
from tests.integration.world import MakeWorld, World, outcomes, raw_record

MALICIOUS, SPAM = (
    next(mail for mail in AT_ONCE if mail.result and mail.result.get("final_disposition") == disposition)
    for disposition in ("MALICIOUS", "SPAM")
)
UNDETECTED = next(mail for mail in AT_ONCE if not mail.detected)


def test_malicious_mail(world: World) -> None:
    """One alert, one record; they and the log agree about everything."""
    world.send(MALICIOUS.postfix_id)

    [logged] = world.poll()
    [alert], [record] = world.alerts(), world.records()

    assert (logged["outcome"], logged["reason"]) == ("ESCALATED", "disposition-listed")
    assert (
        record["alert_id"] == logged["alert_id"] == alert.attributes["alert_id"] == alert.facts["unmapped"]["alert_id"]
    )
    assert record["sns_message_id"] == logged["sns_message_id"] == alert.sns_message_id
    assert ("SENT", "MALICIOUS", MALICIOUS.postfix_id) == (record["state"], record["disposition"], record["id"])
    assert "lease_until" not in record
    assert record["queued_at"] <= record["fetched_at"] <= record["decided_at"] <= record["claimed_at"]
    assert record["claimed_at"] <= record["published_at"]
    found = MALICIOUS.result or {}
    assert [it["href"] for it in found["links"]] == [
        it["url_string"] for it in alert.facts["evidences"][0]["email"]["urls"]
    ]
    assert record["detection"] == {"findings": []} | dict(found)
    assert world.waiting() == 0


def test_message_delivered_again_after_its_alert(world: World) -> None:
    """A redelivery finds the alert sent, and publishes nothing."""
    world.send(MALICIOUS.postfix_id)
    [record] = world.received_records()

    first, second = (world.invoke(record).outcomes for _ in range(2))

    assert outcomes(first + second) == [("ESCALATED", "disposition-listed"), ("ALREADY_ESCALATED", "alert-sent-before")]
    assert len(world.alerts()) == 1


def test_same_mail_twice_in_one_batch(world: World) -> None:
    """The second message waits for the first one's outcome, and then finds it done: one alert, two questions."""
    world.send(MALICIOUS.postfix_id, MALICIOUS.postfix_id)

    first, second = world.poll(), world.poll()

    assert {("ESCALATED", "disposition-listed"), ("RETRY", "twice-in-one-batch")} == set(outcomes(first))
    assert outcomes(second) == [("ALREADY_ESCALATED", "alert-sent-before")]
    assert len(world.alerts()) == 1


def test_claim_held_by_a_living_worker(world: World) -> None:
    """Nobody else publishes while the lease runs; once it has run out, the alert comes, once."""
    world.send(MALICIOUS.postfix_id)
    [record] = world.received_records()
    world.invoke(record)
    world.alerts()
    _rewind(world, lease="2999-01-01T00:00:00.000Z")
    held = world.invoke(record)
    alerts_while_held = world.alerts()

    _rewind(world, lease="2020-01-01T00:00:00.000Z")
    taken_over = world.invoke(record)

    assert outcomes(held.outcomes) == [("RETRY", "claimed-by-another")]
    assert {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]} == held.response
    assert alerts_while_held == []
    assert outcomes(taken_over.outcomes) == [("ESCALATED", "disposition-listed")]
    assert (len(world.alerts()), [2]) == (1, [it["claims"] for it in world.records()])


def _rewind(world: World, lease: str) -> None:
    """Put the only record back to what a worker leaves that died between publish and mark."""
    [record] = world.records()
    world.stack.dynamodb.update_item(
        TableName=world.stack.table,
        Key={name: {"S": record[name]} for name in ("about", "entry")},
        UpdateExpression="SET #state = :pending, #owner = :other, lease_until = :lease",
        ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
        ExpressionAttributeValues={":pending": {"S": "PENDING"}, ":other": {"S": "another"}, ":lease": {"S": lease}},
    )


def test_topic_gone(world: World) -> None:
    """An alert that SNS does not take is tried again; its record stays PENDING, for a human to see."""
    world.stack.sns.delete_topic(TopicArn=world.stack.topic_arn)
    world.send(MALICIOUS.postfix_id)

    logged = world.poll()

    assert outcomes(logged) == [("RETRY", "publish-failed")]
    assert [(it["state"], it["claims"]) for it in world.records()] == [("PENDING", 1)]
    assert world.waiting() == 1


def test_table_gone(world: World) -> None:
    """Without a claim nothing is published: the message is tried again."""
    world.stack.dynamodb.update_table(TableName=world.stack.table, DeletionProtectionEnabled=False)
    world.stack.dynamodb.delete_table(TableName=world.stack.table)
    world.send(MALICIOUS.postfix_id)

    logged = world.poll()

    assert (outcomes(logged), world.alerts()) == ([("RETRY", "ledger-unavailable")], [])
    assert world.waiting() == 1


def test_dead_letter_queue_gone(world: World) -> None:
    """A rejection that cannot be told stays on the requests queue."""
    world.stack.sqs.delete_queue(QueueUrl=world.stack.dead_letter_url)
    world.send("no id")

    assert outcomes(world.poll()) == [("RETRY", "queue-unavailable")]
    assert world.waiting() == 1


@pytest.mark.parametrize(
    ("sinks", "alerts", "states"),
    [("table-and-topic", 1, ["SENT"]), ("table", 0, ["RECORDED"]), ("topic", 1, None)],
)
def test_sinks(make_world: MakeWorld, sinks: str, alerts: int, states: list[str] | None) -> None:
    """Each sink can be left out: records only, or alerts only."""
    world = make_world(Sinks=sinks)
    world.send(MALICIOUS.postfix_id)

    logged = world.poll()

    assert outcomes(logged) == [("ESCALATED", "disposition-listed")]
    assert alerts == (len(world.alerts()) if world.stack.topic_arn else 0)
    assert states == ([it["state"] for it in world.records()] if world.stack.table else None)


def test_records_only_asked_again(make_world: MakeWorld) -> None:
    """Also without a topic, one escalation is recorded once."""
    world = make_world(Sinks="table")
    world.send(MALICIOUS.postfix_id)
    world.poll()
    world.send(MALICIOUS.postfix_id)

    assert outcomes(world.poll()) == [("ALREADY_ESCALATED", "alert-sent-before")]
    assert len(world.records()) == 1


@pytest.mark.parametrize(("record_all", "recorded"), [("false", []), ("true", [("NOT_ESCALATED", "SPAM", "RECORDED")])])
def test_clean_mail(make_world: MakeWorld, record_all: str, recorded: list[tuple[str, str, str]]) -> None:
    """Spam raises no alert; whether it is recorded is a setting."""
    world = make_world(RecordAll=record_all)
    world.send(SPAM.postfix_id)

    assert outcomes(world.poll()) == [("NOT_ESCALATED", "disposition-below-the-line")]
    assert recorded == [(it["outcome"], it["disposition"], it["state"]) for it in world.records()]
    assert world.alerts() == []


def test_disposition_added_to_those_that_escalate(make_world: MakeWorld) -> None:
    """ESCALATE_ON decides, and the record says what it was at the time."""
    world = make_world(EscalateOn="MALICIOUS,SPAM")
    world.send(SPAM.postfix_id)

    assert outcomes(world.poll()) == [("ESCALATED", "disposition-listed")]
    assert [it["escalate_on"] for it in world.records()] == [["MALICIOUS", "SPAM"]]


def test_no_detection(world: World) -> None:
    """A 404 is looked at three times before it is believed, and then it is recorded."""
    world.send(UNDETECTED.postfix_id)

    looks = [outcomes(world.poll()) for _ in range(3)]

    assert looks == [[("RETRY", "no-detection")]] * 2 + [[("NOT_FOUND", "no-detection")]]
    assert [(it["outcome"], it["state"]) for it in world.records()] == [("NOT_FOUND", "RECORDED")]
    assert world.waiting() == 0


@pytest.mark.parametrize("form", [0, 1, 2], ids=["postfix_id", "alert_id", "investigate_id"])
@pytest.mark.parametrize("bare_ids", [True, False], ids=["taken-as-they-are", "only-investigate-ids-taken"])
def test_forms_of_id(make_world: MakeWorld, form: int, bare_ids: bool) -> None:
    """Each form finds the detection, whether or not Cloudflare still takes the shorter ones in the path."""
    world = make_world(bare_ids=bare_ids)
    world.send(MALICIOUS.ids[form])

    assert outcomes(world.poll()) == [("ESCALATED", "disposition-listed")]
    assert [MALICIOUS.ids[form]] == [it["id"] for it in world.records()]


def test_credentials_as_email_and_key(make_world: MakeWorld) -> None:
    """The API's older credentials work too."""
    pair = {"api_email": "soc@example.com", "api_key": "0123456789abcdef"}
    world = make_world(accepted=Credentials(**pair), secret=pair)
    world.send(MALICIOUS.postfix_id)

    assert outcomes(world.poll()) == [("ESCALATED", "disposition-listed")]


def test_credentials_rotated(world: World) -> None:
    """A credential that Cloudflare refuses is looked up again, once, and the message does not notice."""
    world.send(MALICIOUS.postfix_id)
    world.poll()
    world.cloudflare.accept(Credentials(api_token="the-new-one"))
    world.stack.secrets.put_secret_value(
        SecretId=world.stack.variables["CLOUDFLARE_SECRET_ID"], SecretString='{"api_token": "the-new-one"}'
    )
    world.send(SPAM.postfix_id)

    assert outcomes(world.poll()) == [("NOT_ESCALATED", "disposition-below-the-line")]
    assert [call.status for call in world.cloudflare.calls] == [200, 200, 401, 200]


@pytest.mark.parametrize(
    ("secret", "questions"),
    [({"api_token": "not the right one"}, 0), ({"api_token": "wrong"}, 1), ({}, 0)],
    ids=["malformed-token", "wrong-token", "no-credentials-yet"],
)
def test_credentials_unusable(make_world: MakeWorld, secret: dict[str, str], questions: int) -> None:
    """The message waits without using up receives: it is sent again with a delay, and its age travels along."""
    world = make_world(secret=secret)
    world.send(MALICIOUS.postfix_id)

    invocation = world.invoke(*world.received_records())

    assert outcomes(invocation.outcomes) == [("DEFERRED", "credentials-refused")]
    assert invocation.response == {"batchItemFailures": []}
    assert questions == len(world.cloudflare.calls)
    assert world.waiting() == 2  # the received one, which Lambda deletes now, and its delayed copy


def test_throttled(make_world: MakeWorld) -> None:
    """A 429 sends the message back for as long as Cloudflare says, with the time of its first arrival."""
    world = make_world(only(MALICIOUS, Fault.THROTTLED))
    world.send(MALICIOUS.postfix_id)
    [record] = world.received_records()
    assert outcomes(world.invoke(record).outcomes) == [("DEFERRED", "throttled")]

    [again] = eventually(world.received_records, "the message comes again after its delay")

    assert record["attributes"]["SentTimestamp"] == again["messageAttributes"]["first_seen"]["stringValue"]
    assert again["attributes"]["ApproximateReceiveCount"] == "1"
    assert outcomes(world.invoke(again).outcomes) == [("ESCALATED", "disposition-listed")]
    assert [record["attributes"]["SentTimestamp"]] != [again["attributes"]["SentTimestamp"]]


def test_deferred_for_more_than_three_days(make_world: MakeWorld) -> None:
    """What nobody mends in three days goes to the dead-letter queue, and says why."""
    world = make_world(secret={"api_token": "wrong"})
    four_days_ago = int((time.time() - 4 * 86_400) * 1000)

    logged = world.invoke(raw_record(MALICIOUS.postfix_id, sent_at_ms=four_days_ago)).outcomes

    assert outcomes(logged) == [("REJECTED", "deferred-too-long")]
    [(reason, detail, body)] = world.rejections()
    assert ("deferred-too-long", MALICIOUS.postfix_id) == (reason, body)
    assert "credentials-refused" in detail


@pytest.mark.parametrize(
    "fault",
    [Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.HTML, Fault.HALF, Fault.RESET, Fault.UNSUCCESSFUL, Fault.REDIRECT],
)
def test_cloudflare_fails_once(make_world: MakeWorld, fault: Fault) -> None:
    """Whatever Cloudflare answers in its place, the detection is asked for again, and the alert comes."""
    world = make_world(only(MALICIOUS, fault))
    world.send(MALICIOUS.postfix_id)

    assert outcomes(world.poll()) == [("RETRY", "cloudflare-unavailable")]
    assert outcomes(world.poll()) == [("ESCALATED", "disposition-listed")]
    assert len(world.alerts()) == 1


def test_alert_of_a_mail_with_a_huge_detection(make_world: MakeWorld) -> None:
    """Ten thousand links and megabytes of headers: the alert and the record come, cut, and say so."""
    huge = dict(MALICIOUS.result or {}) | {
        "links": [{"href": f"https://example.test/{i}", "text": "x" * 50} for i in range(10_000)],
        "headers": [{"name": f"X-{i}", "value": 'é"\\' * 300} for i in range(2_000)],
    }
    world = make_world(only(_with_result(MALICIOUS, huge)))
    world.send(MALICIOUS.postfix_id)

    assert outcomes(world.poll()) == [("ESCALATED", "disposition-listed")]
    [alert], [record] = world.alerts(), world.records()
    told = alert.facts["unmapped"]
    assert ["headers", "links"] == told["dropped"] == record["detection_dropped"]
    assert (told["counts"]["links"], record["detection_counts"]["headers"]) == (10_000, 2_000)


def _with_result(mail: Mail, result: dict[str, object]) -> Mail:
    return replace(mail, result=result)


def test_last_receive(make_world: MakeWorld) -> None:
    """Before SQS gives a message up, it is sent again as a fresh one: a long outage loses nothing, and burns nothing."""
    world = make_world(only(MALICIOUS, Fault.SERVER_ERROR))
    now = int(time.time() * 1000)

    invocation = world.invoke(raw_record(MALICIOUS.postfix_id, receives=12, sent_at_ms=now))

    assert [("DEFERRED", "cloudflare-unavailable")] == outcomes(invocation.outcomes)
    assert {"batchItemFailures": []} == invocation.response
    assert 1 == world.waiting()
    assert [] == world.rejections()


def test_rejected_mail_is_on_record(make_world: MakeWorld) -> None:
    """What names a mail and cannot be decided is explained in the table, too, with the path that was wrong."""
    world = make_world(only(_with_result(MALICIOUS, {"action": "NONE", "verdict": "MALICIOUS"})))
    world.send(MALICIOUS.postfix_id)

    assert [("REJECTED", "invalid-answer")] == outcomes(world.poll())
    [record], [(_, detail, _)] = world.records(), world.rejections()
    assert ("REJECTED", "invalid-answer", detail) == (record["outcome"], record["reason"], record["detail"])
    assert "$.verdict" in detail


def test_topic_added_later(make_world: MakeWorld) -> None:
    """What was only recorded while there was no topic is alerted on when it is asked about again."""
    without = make_world(Sinks="table")
    without.send(MALICIOUS.postfix_id)
    without.poll()
    topic = without.stack.sns.create_topic(Name="later")["TopicArn"]
    variables = without.stack.environment | {"ALERT_TOPIC_ARN": topic}
    without.send(MALICIOUS.postfix_id)

    with Environment(without.stack.template.handler, variables, without.stack.template.timeout) as function:
        logged = World(without.stack, without.cloudflare, function).poll()

    assert [("ESCALATED", "disposition-listed")] == outcomes(logged)
    assert ["SENT"] == [it["state"] for it in without.records()]


def test_function_without_settings(make_world: MakeWorld) -> None:
    """It fails during init, with one error that names every setting that is wrong."""
    world = make_world(variables={"CLOUDFLARE_ACCOUNT_ID": "", "ESCALATE_ON": "MALICOUS", "ALERT_TOPIC_ARN": "x"})

    with pytest.raises(Exception, match="the function's process ended") as failure:
        world.invoke(raw_record(MALICIOUS.postfix_id))

    for named in ("CLOUDFLARE_ACCOUNT_ID: missing", "ESCALATE_ON: MALICOUS", "ALERT_TOPIC_ARN: malformed"):
        assert named in str(failure.value)
