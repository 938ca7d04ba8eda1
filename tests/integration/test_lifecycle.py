"""Deploy, update, delete, and deploy again with what the first deployment has left."""

import json

import boto3
import pytest
from samtranslator.yaml_helper import yaml_parse

from ops.local.stack import Stack, deploy
from ops.local.template import REGION, read_template
from ops.local.template import TEMPLATE as SOURCE_FILE
from tests.doctor.operator import operator_of
from tests.integration.deployment import MakeDeployment, outcomes
from tests.integration.fake_cloudflare_client import ACCOUNT
from tests.integration.test_escalation import MALICIOUS

PARAMETERS = read_template().cloudformation["Parameters"]
SOURCE = yaml_parse(SOURCE_FILE.read_text("utf-8"))["Resources"]
GIVEN = {"LedgerTableName", "FindingsTopicArn", "PeopleTopicArn", "AwsEndpointUrl", "CloudflareSecretArn"}
"""Parameters that each of these deployments sets."""
KEY = "arn:aws:kms:us-east-1:123456789012:key/1a2b3c4d-0000-4000-8000-000000000000"
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/default"
OTHER_VALUES = {
    "CloudflareAccountId": "0123456789abcdef0123456789abcdef",
    "CloudflareSecretKeyArn": KEY,
    "CloudflareBaseUrl": "https://cloudflare.example/client/v4",
    "EscalateOn": "MALICIOUS",
    "DeploymentName": "blue",
    "AlertEmail": "soc@corp.example",
    "OperationsEmail": "ops@corp.example",
    "KmsKeyArn": KEY,
    "EventBusArn": BUS,
    "RequestSourceArns": "arn:aws:sns:us-east-1:123456789012:mine",
}
"""A second value of each parameter without a list of values or a range."""


def other_value(name: str) -> str:
    """A value of a parameter that is not its default."""
    declared = PARAMETERS[name]
    if name in OTHER_VALUES:
        return OTHER_VALUES[name]
    if name == "Sinks":
        return "table"
    if "AllowedValues" in declared:
        return next(str(it) for it in declared["AllowedValues"] if it != declared["Default"])
    return str(declared["Default"] + 1)


def delete(stack: Stack) -> None:
    """Delete the stack as `sam delete` does, with the secret that the local stack has made."""
    endpoint = stack.aws["AWS_ENDPOINT_URL"]
    session = boto3.Session("local", "local", region_name=REGION)
    session.client("cloudformation", endpoint_url=endpoint).delete_stack(StackName=stack.name)
    stack.secrets.delete_secret(SecretId=stack.name, ForceDeleteWithoutRecovery=True)


def test_deployment_with_the_old_table_and_topics_keeps_history_and_repeats_no_alert(
    make_deployment: MakeDeployment,
) -> None:
    """The stack's name is the same, and the subscribers of the old topics get the new alerts."""
    before = make_deployment()
    before.send(MALICIOUS.postfix_id, "not an id at all!")
    assert "ESCALATED" in [it for it, _ in outcomes(before.poll())]
    old, [record], [alert] = before.stack, before.records(), before.alerts()
    delete(old)

    after = make_deployment(
        name=old.name,
        LedgerTableName=old.table,
        FindingsTopicArn=old.topic_arn,
        PeopleTopicArn=old.people_topic_arn,
    )
    assert (old.table, old.topic_arn, old.people_topic_arn) == (
        after.stack.table,
        after.stack.topic_arn,
        after.stack.people_topic_arn,
    )
    assert (old.requests_url, old.dead_letter_url) != (after.stack.requests_url, after.stack.dead_letter_url)
    assert [record] == after.records()
    after.send(MALICIOUS.postfix_id)
    assert [("ALREADY_ESCALATED", "alert-sent-before")] == outcomes(after.poll())
    assert [] == after.alerts()
    assert ["malformed-body"] == [reason for reason, _, _ in before.rejections()]
    with operator_of(after) as operator:
        found = operator.run("find", alert.attributes["alert_id"], "--json")
        assert [record["alert_id"]] == [it["alert_id"] for it in json.loads(found.stdout)]


@pytest.fixture(scope="module")
def old(endpoint: str) -> Stack:
    """Leave a table and topics behind."""
    stack = deploy(endpoint, {"api_token": "x"}, CloudflareAccountId=ACCOUNT)
    delete(stack)
    return stack


@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - GIVEN))
def test_stack_with_another_value_of_one_parameter_uses_the_old_table_and_topics(
    endpoint: str, old: Stack, name: str
) -> None:
    """The emulated CloudFormation cannot update such a stack, so each value is a new deployment."""
    given = {
        "CloudflareAccountId": ACCOUNT,
        "LedgerTableName": old.table,
        "FindingsTopicArn": old.topic_arn,
        "PeopleTopicArn": old.people_topic_arn,
    }
    stack = deploy(endpoint, {"api_token": "x"}, **given | {name: other_value(name)})
    has_topic = name != "Sinks"
    assert old.table == stack.table
    assert (old.topic_arn if has_topic else "", old.people_topic_arn if has_topic else "") == (
        stack.topic_arn,
        stack.people_topic_arn,
    )
    delete(stack)
    assert "ACTIVE" == stack.dynamodb.describe_table(TableName=old.table)["Table"]["TableStatus"]


RETAINED = {
    "AWS::DynamoDB::Table": {"TableName", "KeySchema"},
    "AWS::SNS::Topic": {"TopicName", "FifoTopic"},
    "AWS::SQS::Queue": {"QueueName", "FifoQueue"},
    "AWS::Logs::LogGroup": {"LogGroupName"},
}
"""Types of resources that hold something. Their properties that give a fixed name, or whose change replaces them."""


@pytest.mark.parametrize("name", sorted(name for name, it in SOURCE.items() if it["Type"] in RETAINED))
def test_resource_that_holds_something_is_retained_without_a_fixed_name(name: str) -> None:
    """The operations topic holds nothing: its subscribers subscribe again, as no parameter takes an existing one."""
    resource = SOURCE[name]
    deletion = resource.get("DeletionPolicy", "Delete")
    if name == "OperationsTopic":
        assert deletion == "Delete"
        return
    protected = resource["Properties"].get("DeletionProtectionEnabled", False)
    assert (deletion, resource["UpdateReplacePolicy"]) == ("Retain" if protected else "RetainExceptOnCreate", "Retain")
    of_replacement = {it: resource["Properties"].get(it) for it in RETAINED[resource["Type"]]}
    assert "Fn::" not in repr(of_replacement), "an update of a parameter would replace the resource"
    assert {None} == {value for it, value in of_replacement.items() if it.endswith("Name")}


@pytest.mark.parametrize("name", sorted(name for name, it in SOURCE.items() if it["Type"] == "AWS::Logs::LogGroup"))
def test_function_writes_to_the_log_group_of_the_stack(name: str) -> None:
    function = SOURCE[name.replace("LogGroup", "Function")]["Properties"]
    assert {"Ref": name} == function["LoggingConfig"]["LogGroup"]
