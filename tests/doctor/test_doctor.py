"""`escalator doctor` on the local stack: a healthy deployment, and broken ones with one fault each."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto.cloudformation.models import cloudformation_backends
from moto.sns.models import sns_backends

from ops.escalator.cli import escalator
from ops.escalator.doctor.check import Status
from ops.local.fake_cloudflare import responses
from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.lambda_api import LambdaApi
from ops.local.lambda_runtime import Environment
from ops.local.stack import TOKEN, deploy
from tests.doctor.deployed import Healthy, InProcess
from tests.doctor.operator import NO_ACCOUNT
from tests.integration.cli_runner import at_a_terminal
from tests.integration.fake_cloudflare_client import ACCOUNT, WITHOUT_FAULTS

SERVICES = ("cloudformation", "cloudwatch", "scheduler", "logs")
MOTO = ("123456789012", "us-east-1")
Fault = Callable[[Healthy], None]
FAULTS: dict[str, tuple[Fault, str]] = {}
"""By what is broken: what breaks it, and the one line that fails."""


def fails(line: str) -> Callable[[Fault], Fault]:
    """Register a fault with the line that must fail."""

    def register(fault: Fault) -> Fault:
        FAULTS[fault.__name__.replace("_", " ")] = fault, line
        return fault

    return register


@pytest.fixture(scope="module")
def clients(endpoint: str) -> dict[str, Any]:
    """Clients of the emulated AWS, by service."""
    session = boto3.Session("local", "local", region_name=MOTO[1])
    return {it: session.client(it, endpoint_url=endpoint) for it in SERVICES}  # type: ignore[call-overload]


@pytest.fixture
def make(endpoint: str, clients: dict[str, Any]) -> Iterator[Callable[..., Healthy]]:
    """Return a function that makes a healthy deployment."""
    with ExitStack() as servers:

        def make_(limit: tuple[int, float, float] | None = None, **parameters: str) -> Healthy:
            accepted = Credentials(api_token=TOKEN)
            cloudflare = servers.enter_context(FakeCloudflare(WITHOUT_FAULTS, credentials=accepted, limit=limit))
            addresses = {"AlertEmail": "soc@corp.example", "OperationsEmail": "ops@corp.example"}
            known = {"CloudflareAccountId": ACCOUNT, "CloudflareBaseUrl": cloudflare.base_url}
            stack = deploy(endpoint, {"api_token": TOKEN}, **{**addresses, **known, **parameters})
            function = InProcess(stack, stack.variables["CLOUDFLARE_SECRET_ID"])
            names = {it: f"{stack.name}-{it}" for it in ("escalate", "feed")}
            attributes = stack.sqs.get_queue_attributes(QueueUrl=stack.requests_url, AttributeNames=["QueueArn"])
            arn = attributes["Attributes"]["QueueArn"]
            api = LambdaApi(dict.fromkeys(names.values(), function), {names["escalate"]: arn})
            url = servers.enter_context(api)
            healthy = Healthy(stack, cloudflare, api, url, clients)
            if stack.table:
                healthy.run_feed()
            return healthy

        yield make_


@pytest.fixture
def healthy(make: Callable[..., Healthy]) -> Healthy:
    """Make the deployment of a test."""
    return make()


def examine(it: Healthy) -> Result:
    """Run `escalator doctor --json`."""
    environment = {**it.stack.aws, "AWS_ENDPOINT_URL_LAMBDA": it.url, **NO_ACCOUNT}
    arguments = ["doctor", "--json", "--stack", it.stack.name]
    return CliRunner().invoke(escalator, arguments, env=environment, prog_name="escalator")


def lines(done: Result) -> list[dict[str, str]]:
    """The lines of a run."""
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def by_status(done: Result, status: Status) -> list[str]:
    """The names of the lines with a status."""
    return [it["check"] for it in lines(done) if it["status"] == status]


def test_healthy_deployment_has_nothing_but_ok(healthy: Healthy) -> None:
    """No line says what to do, and no name comes twice."""
    done = examine(healthy)
    assert (0, []) == (done.exit_code, [it for it in lines(done) if it["status"] != "ok" or it["advice"]])
    names = [it["check"] for it in lines(done)]
    assert len(names) == len({*names})
    assert f"{len(names)} ok" in done.stderr


def test_token_is_in_no_output(healthy: Healthy) -> None:
    done = examine(healthy)
    assert TOKEN not in done.stdout + done.stderr


def test_doctor_changes_nothing_and_sends_no_alert(healthy: Healthy) -> None:
    """It reads the secret through the function only, and sends two requests to Cloudflare."""
    pages = healthy.stack.dynamodb.get_paginator("scan").paginate(TableName=healthy.stack.table)
    before = [item for page in pages for item in page["Items"]]
    examine(healthy)
    pages = healthy.stack.dynamodb.get_paginator("scan").paginate(TableName=healthy.stack.table)
    assert before == [item for page in pages for item in page["Items"]]
    assert 2 == len(healthy.cloudflare.calls)
    received = healthy.stack.sqs.receive_message(QueueUrl=healthy.stack.subscriber_url)
    assert [] == received.get("Messages", [])


# --- stack and functions ----------------------------------------------------------------------------------------------


@fails("stack")
def a_first_deployment_that_was_rolled_back(it: Healthy) -> None:
    """Set in the emulator, which never rolls back."""
    cloudformation_backends[MOTO[0]][MOTO[1]].get_stack(it.stack.name).status = "ROLLBACK_COMPLETE"


@fails("outputs")
def a_stack_of_an_earlier_template(it: Healthy) -> None:
    """Set in the emulator: it lacks an output that no other line needs."""
    found = cloudformation_backends[MOTO[0]][MOTO[1]].get_stack(it.stack.name)
    del found.output_map._output_json_map["LogGroupName"]  # the parsed template of this stack


@fails("function")
def no_function(it: Healthy) -> None:
    """It was deleted by hand."""
    del it.api.functions[it.escalate]


@fails("function")
def a_function_that_failed_to_start(it: Healthy) -> None:
    """A recorded answer."""
    it.api.states[it.escalate] |= {"State": "Failed", "StateReason": "KMS key is disabled"}


@fails("function")
def a_function_whose_update_failed(it: Healthy) -> None:
    """A recorded answer."""
    it.api.states[it.escalate]["LastUpdateStatus"] = "Failed"


@fails("queue trigger")
def a_disabled_trigger(it: Healthy) -> None:
    """A recorded answer."""
    it.api.triggers[it.escalate][0]["State"] = "Disabled"


@fails("queue trigger")
def no_trigger(it: Healthy) -> None:
    """A recorded answer."""
    it.api.triggers[it.escalate].clear()


@fails("feed function")
def no_feed_function(it: Healthy) -> None:
    """Its schedule is then not checked."""
    del it.api.functions[it.feed]


@fails("feed schedule")
def a_stopped_schedule(it: Healthy) -> None:
    """The emulated scheduler stores the state."""
    name = it.schedule("FeedFunctionSchedule")
    known = it.clients["scheduler"].get_schedule(Name=name)
    kept = {key: known[key] for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
    it.clients["scheduler"].update_schedule(Name=name, State="DISABLED", **kept)


@fails("feed schedule")
def no_schedule(it: Healthy) -> None:
    """The feed does not run."""
    name = it.schedule("FeedFunctionSchedule")
    it.clients["scheduler"].delete_schedule(Name=name)


@fails("summary schedule")
def no_summary_schedule(it: Healthy) -> None:
    """People get no summaries."""
    it.clients["scheduler"].delete_schedule(Name=it.schedule("EscalateFunctionSummaries"))


@fails("probe")
def a_function_with_a_malformed_setting(it: Healthy) -> None:
    """The real function, in a process of its own, which ends during init."""
    variables = it.stack.environment | {"NOTIFY_SEVERITY": "urgent"}
    it.api.functions[it.escalate] = Environment(it.stack.template.handler, variables, 60)


# --- credentials ------------------------------------------------------------------------------------------------------


@fails("secret")
def an_empty_secret(it: Healthy) -> None:
    """As after the first deployment."""
    it.stack.secrets.put_secret_value(SecretId=it.secret_id, SecretString="{}")


@fails("secret")
def a_secret_without_a_token(it: Healthy) -> None:
    """The member has another name."""
    it.stack.secrets.put_secret_value(SecretId=it.secret_id, SecretString='{"token": "x"}')


@fails("secret")
def a_deleted_secret(it: Healthy) -> None:
    """Secrets Manager refuses it until it is restored."""
    it.stack.secrets.delete_secret(SecretId=it.secret_id)


@fails("token")
def a_token_that_cloudflare_refuses(it: Healthy) -> None:
    """It was rotated in Cloudflare only."""
    it.cloudflare.accept(Credentials(api_token="another"))


@fails("token")
def a_disabled_token(it: Healthy) -> None:
    """Cloudflare still knows it."""
    it.cloudflare.set_token(status="disabled")
    it.cloudflare.refuse(responses.BAD_CREDENTIALS)


@fails("permission")
def a_token_without_the_permission(it: Healthy) -> None:
    """The token is active."""
    it.cloudflare.refuse(responses.NO_PERMISSION)


@fails("account and plan")
def an_account_without_email_security(it: Healthy) -> None:
    """The plan has ended."""
    it.cloudflare.refuse(responses.NOT_IN_PLAN)


@fails("account and plan")
def an_account_that_cloudflare_does_not_know(it: Healthy) -> None:
    """The path has no route."""
    it.cloudflare.refuse(responses.no_route("/client/v4/accounts/x"))


@fails("rate limit")
def a_blocked_token(it: Healthy) -> None:
    """Something else has used its limit."""
    it.cloudflare.refuse(responses.throttled(300, code=971))


@fails("Cloudflare")
def a_cloudflare_that_fails(it: Healthy) -> None:
    """An outage."""
    it.cloudflare.refuse(responses.error(500, 10001, "Internal server error"))


@fails("Cloudflare")
def a_base_url_without_a_server(it: Healthy) -> None:
    """Nothing listens there."""
    it.stack.variables["CLOUDFLARE_BASE_URL"] = "http://127.0.0.1:9/client/v4"


# --- queues and table -------------------------------------------------------------------------------------------------


@fails("requests queue")
def no_requests_queue(it: Healthy) -> None:
    """Its trigger is then not checked."""
    it.stack.sqs.delete_queue(QueueUrl=it.stack.requests_url)


@fails("requests queue")
def a_queue_without_a_redrive_policy(it: Healthy) -> None:
    """SQS would retry a poison message until it expires."""
    it.stack.sqs.set_queue_attributes(QueueUrl=it.stack.requests_url, Attributes={"RedrivePolicy": ""})


@fails("requests queue")
def a_queue_whose_dead_letters_go_elsewhere(it: Healthy) -> None:
    """No alarm counts them there."""
    attributes = it.stack.sqs.get_queue_attributes(QueueUrl=it.stack.subscriber_url, AttributeNames=["QueueArn"])
    policy = json.dumps({"deadLetterTargetArn": attributes["Attributes"]["QueueArn"], "maxReceiveCount": 13})
    it.stack.sqs.set_queue_attributes(QueueUrl=it.stack.requests_url, Attributes={"RedrivePolicy": policy})


@fails("dead-letter queue")
def no_dead_letter_queue(it: Healthy) -> None:
    """Its messages are then not counted."""
    it.stack.sqs.delete_queue(QueueUrl=it.stack.dead_letter_url)


@fails("table")
def no_table(it: Healthy) -> None:
    """The protection was switched off before."""
    it.stack.dynamodb.update_table(TableName=it.stack.table, DeletionProtectionEnabled=False)
    it.stack.dynamodb.delete_table(TableName=it.stack.table)


@fails("indexes")
def a_table_without_an_index(it: Healthy) -> None:
    """A restore can leave indexes out."""
    it.stack.dynamodb.update_table(
        TableName=it.stack.table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_severity"}}]
    )


@fails("expiry")
def a_table_without_expiry(it: Healthy) -> None:
    """As after a restore."""
    it.stack.dynamodb.update_time_to_live(
        TableName=it.stack.table, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
    )


@fails("backups")
def a_table_without_backups(it: Healthy) -> None:
    """As after a restore."""
    it.stack.dynamodb.update_continuous_backups(
        TableName=it.stack.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


@fails("table protection")
def a_table_that_can_be_deleted(it: Healthy) -> None:
    """As after a restore."""
    it.stack.dynamodb.update_table(TableName=it.stack.table, DeletionProtectionEnabled=False)


@fails("table tags")
def a_table_without_the_tags_of_the_stack(it: Healthy) -> None:
    """As after a restore. Set in the emulator, which gives the tags of a stack to no table."""
    cloudformation_backends[MOTO[0]][MOTO[1]].get_stack(it.stack.name).tags = {"team": "security"}


@fails("feed")
def a_feed_that_has_never_run(it: Healthy) -> None:
    """Its state is not there."""
    for item in it.stack.dynamodb.scan(TableName=it.stack.table)["Items"]:
        it.stack.dynamodb.delete_item(TableName=it.stack.table, Key={name: item[name] for name in ("pk", "sk")})


@fails("feed lag")
def a_feed_that_is_late(it: Healthy) -> None:
    """By sixteen minutes."""
    a_feed_that_has_never_run(it)
    it.run_feed(datetime.now(UTC) - timedelta(minutes=16))


# --- topics and alarms ------------------------------------------------------------------------------------------------


@fails("findings topic")
def no_findings_topic(it: Healthy) -> None:
    """Its subscriptions are gone with it."""
    it.stack.sns.delete_topic(TopicArn=it.topic("Findings"))


@fails("people topic")
def no_people_topic(it: Healthy) -> None:
    """Its subscriptions are gone with it."""
    it.stack.sns.delete_topic(TopicArn=it.topic("People"))


@fails("operations topic")
def no_operations_topic(it: Healthy) -> None:
    """CloudWatch does not say that its actions go nowhere."""
    it.stack.sns.delete_topic(TopicArn=it.topic("Operations"))


@fails("alert subscribers")
def topics_without_a_subscriber(it: Healthy) -> None:
    """Alerts are published, and reach no one."""
    for arn in (*it.subscriptions("Findings"), *it.subscriptions("People")):
        it.stack.sns.unsubscribe(SubscriptionArn=arn)


@fails("alarm subscribers")
def alarms_without_a_subscriber(it: Healthy) -> None:
    """Alarms fire, and reach no one."""
    for arn in it.subscriptions("Operations"):
        it.stack.sns.unsubscribe(SubscriptionArn=arn)


@fails("pending subscriptions")
def a_subscription_that_waits_for_its_confirmation(it: Healthy) -> None:
    """Set in the emulator, which confirms each at once. Another subscriber of people is confirmed."""
    arn = it.stack.sns.subscribe(
        TopicArn=it.topic("People"), Protocol="email", Endpoint="new@corp.example", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    sns_backends[MOTO[0]][MOTO[1]].subscriptions[arn].attributes["PendingConfirmation"] = "true"


@fails("filters")
def a_filter_that_no_alert_passes(it: Healthy) -> None:
    """The severity is misspelled."""
    it.set_subscription("Findings", "FilterPolicy", '{"severity": ["critical"]}')


@fails("filters")
def a_filter_by_two_values_that_never_come_together(it: Healthy) -> None:
    """A Close is never Critical."""
    it.set_subscription("Findings", "FilterPolicy", '{"severity": ["Critical"], "activity": ["Close"]}')


@fails("filters")
def a_filter_on_a_body_that_no_alert_has(it: Healthy) -> None:
    """The number of OCSF's severity is none of its values."""
    it.set_subscription("Findings", "FilterPolicyScope", "MessageBody")
    it.set_subscription("Findings", "FilterPolicy", '{"severity_id": [6]}')


@fails("filters")
def a_filter_on_the_people_topic(it: Healthy) -> None:
    """Its messages have no attributes."""
    it.set_subscription("People", "FilterPolicy", '{"severity": ["Critical"]}')


@fails("subscribed queues")
def a_subscribed_queue_without_a_policy(it: Healthy) -> None:
    """SNS may not send."""
    it.stack.sqs.set_queue_attributes(QueueUrl=it.stack.subscriber_url, Attributes={"Policy": ""})


@fails("subscribed queues")
def a_subscribed_queue_that_allows_another_topic(it: Healthy) -> None:
    """It was made for another stack."""
    attributes = it.stack.sqs.get_queue_attributes(QueueUrl=it.stack.subscriber_url, AttributeNames=["Policy"])
    policy = attributes["Attributes"]["Policy"].replace("FindingsTopic", "AnotherTopic")
    it.stack.sqs.set_queue_attributes(QueueUrl=it.stack.subscriber_url, Attributes={"Policy": policy})


@fails("subscribed queues")
def a_subscribed_queue_that_is_deleted(it: Healthy) -> None:
    """The subscription stays."""
    it.stack.sqs.delete_queue(QueueUrl=it.stack.subscriber_url)


@fails("undelivered alerts")
def a_subscription_whose_dead_letter_queue_is_deleted(it: Healthy) -> None:
    """What cannot be delivered is lost."""
    arn = f"arn:aws:sqs:{MOTO[1]}:{MOTO[0]}:deleted"
    it.set_subscription("Findings", "RedrivePolicy", json.dumps({"deadLetterTargetArn": arn}))


@fails("alarms")
def an_alarm_with_disabled_actions(it: Healthy) -> None:
    """It fires, and notifies no one."""
    alarm = it.names("AWS::CloudWatch::Alarm")[0]
    it.clients["cloudwatch"].disable_alarm_actions(AlarmNames=[alarm])


@fails("alarms")
def an_alarm_without_an_action(it: Healthy) -> None:
    """It was edited by hand."""
    alarm = it.names("AWS::CloudWatch::Alarm")[0]
    settings: dict[str, Any] = {
        "Namespace": "x",
        "MetricName": "x",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0,
    }
    it.clients["cloudwatch"].put_metric_alarm(
        AlarmName=alarm, ComparisonOperator="GreaterThanThreshold", Statistic="Sum", **settings
    )


@fails("alarms")
def a_deleted_alarm(it: Healthy) -> None:
    """CloudFormation still lists it."""
    it.clients["cloudwatch"].delete_alarms(AlarmNames=it.names("AWS::CloudWatch::Alarm")[:1])


@fails("alarm states")
def an_alarm_that_fires(it: Healthy) -> None:
    """Set by hand: the emulated CloudWatch evaluates none."""
    alarm = it.names("AWS::CloudWatch::Alarm")[0]
    it.clients["cloudwatch"].set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")


@fails("log groups")
def no_log_group(it: Healthy) -> None:
    """The role may not create one."""
    it.clients["logs"].delete_log_group(logGroupName=it.names("AWS::Logs::LogGroup")[0])


def test_fault_list_is_long_enough() -> None:
    assert len(FAULTS) >= 25


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_fails_exactly_one_line(healthy: Healthy, name: str) -> None:
    """The line says what to do, the exit status is 1, and other lines are ok, or say why they were not checked."""
    fault, line = FAULTS[name]
    fault(healthy)
    done = examine(healthy)
    failed = [it for it in lines(done) if it["status"] == Status.FAILURE]
    assert [line] == [it["check"] for it in failed], done.output
    assert (1, True) == (done.exit_code, bool(failed[0]["advice"]))
    assert [] == by_status(done, Status.WARNING)
    skipped = [it for it in lines(done) if it["status"] == Status.SKIPPED]
    assert all(it["found"].startswith("not checked: ") for it in skipped)


# --- warnings ---------------------------------------------------------------------------------------------------------


def mail_of_findings(it: Healthy) -> None:
    it.stack.sns.subscribe(TopicArn=it.topic("Findings"), Protocol="email", Endpoint="soc@corp.example")


def machines_only(it: Healthy) -> None:
    for arn in it.subscriptions("People"):
        it.stack.sns.unsubscribe(SubscriptionArn=arn)


def open_unsubscribe_link(it: Healthy) -> None:
    """Set in the emulator, in which each confirmation is authenticated."""
    for arn in it.subscriptions("People"):
        sns_backends[MOTO[0]][MOTO[1]].subscriptions[arn].attributes["ConfirmationWasAuthenticated"] = "false"


def unprotected_stack(it: Healthy) -> None:
    """Set in the emulator, which has no UpdateTerminationProtection."""
    cloudformation_backends[MOTO[0]][MOTO[1]].get_stack(it.stack.name).enable_termination_protection = False


def dead_letter(it: Healthy) -> None:
    it.stack.sqs.send_message(QueueUrl=it.stack.dead_letter_url, MessageBody="x")


def log_for_ever(it: Healthy) -> None:
    it.clients["logs"].delete_retention_policy(logGroupName=it.names("AWS::Logs::LogGroup")[0])


def token_that_expires(it: Healthy) -> None:
    it.cloudflare.set_token(expires_on=(datetime.now(UTC) + timedelta(days=3)).isoformat())


def unknown_filter(it: Healthy) -> None:
    """Set in the emulator, which refuses an operator that it does not know."""
    for arn in it.subscriptions("Findings"):
        found = sns_backends[MOTO[0]][MOTO[1]].subscriptions[arn]
        found.attributes["FilterPolicy"] = '{"severity": [{"regex": "C.*"}]}'


WARNINGS: list[tuple[Fault, str]] = [
    (mail_of_findings, "e-mail of findings"),
    (machines_only, "alert subscribers"),
    (open_unsubscribe_link, "unsubscribe links"),
    (unprotected_stack, "stack protection"),
    (dead_letter, "dead letters"),
    (log_for_ever, "log retention"),
    (token_that_expires, "token"),
    (unknown_filter, "filters"),
]


@pytest.mark.parametrize(("change", "line"), WARNINGS, ids=[it.__name__ for it, _ in WARNINGS])
def test_warning_names_what_to_do_and_is_no_failure(healthy: Healthy, change: Fault, line: str) -> None:
    change(healthy)
    done = examine(healthy)
    assert (0, [line], []) == (
        done.exit_code,
        by_status(done, Status.WARNING),
        by_status(done, Status.FAILURE),
    ), done.output
    assert all(it["advice"] for it in lines(done) if it["status"] == Status.WARNING)


# --- other deployments, other outputs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [{"Feed": "off"}, {"Sinks": "topic", "Feed": "off"}, {"Sinks": "table", "AlertEmail": ""}],
    ids=["without a feed", "without a table", "without topics"],
)
def test_smaller_deployment_is_healthy_too(make: Callable[..., Healthy], parameters: dict[str, str]) -> None:
    done = examine(make(**parameters))
    assert (0, 0) == (done.exit_code, len([it for it in lines(done) if it["status"] != "ok"])), done.output


def test_low_rate_limit_is_a_warning(make: Callable[..., Healthy]) -> None:
    """The fake Cloudflare allows 1,200 requests, of which 100 are left."""
    it = make(limit=(100, 300.0, 300.0), CloudflareLimit="1200")
    assert ["rate limit"] == by_status(examine(it), Status.WARNING)


def test_unknown_stack_is_one_line_on_stderr(healthy: Healthy) -> None:
    environment = {**healthy.stack.aws, **NO_ACCOUNT}
    done = CliRunner().invoke(escalator, ["doctor", "--stack", "unknown"], env=environment, prog_name="escalator")
    assert (1, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert "check the --stack" in done.stderr


def test_lines_fit_a_terminal_of_80_columns(healthy: Healthy) -> None:
    """Names are aligned. Only what was found wraps."""
    variables = healthy.stack.aws | {"AWS_ENDPOINT_URL_LAMBDA": healthy.url}
    status, screen = at_a_terminal(variables, "doctor", "--stack", healthy.stack.name, columns=80)
    assert 0 == status
    assert max(len(it.rstrip()) for it in screen.splitlines()) <= 80
    assert all(it.startswith(("ok  ", "    ")) or it.endswith(" ok") for it in screen.splitlines() if it.strip())
