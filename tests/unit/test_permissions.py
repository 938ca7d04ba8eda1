"""The IAM policies of template.yaml: what the code uses, and nothing else, in every partition of AWS."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "template.yaml").read_text("utf-8")
TEMPLATE: dict[str, Any] = yaml_parse(TEXT)
TREES = [ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "functions").rglob("*.py"))]
SERVICES = ("dynamodb", "sns", "sqs", "secretsmanager")
ACTIONS = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
"""Operations that another action allows. A transaction needs the action of each of its writes."""
TRANSACTION = "dynamodb:TransactWriteItems"
WRITES = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
OF_THE_PLATFORM = {
    "sqs:ReceiveMessage": "Lambda polls the queue",
    "sqs:DeleteMessage": "Lambda polls the queue",
    "sqs:GetQueueAttributes": "Lambda polls the queue",
    "logs:CreateLogStream": "Lambda writes the log",
    "logs:PutLogEvents": "Lambda writes the log",
    "xray:PutTraceSegments": "Lambda traces invocations",
    "xray:PutTelemetryRecords": "Lambda traces invocations",
    "kms:Decrypt": "each service decrypts with the key of its resource, in the name of the role",
    "kms:GenerateDataKey": "SQS and SNS encrypt a message with the key of the queue or topic",
    "events:PutEvents": "the pipe puts findings on a bus",
}
"""Actions that the code does not call, but what calls it."""
FORBIDDEN = re.compile(r"\*|Delete(?!Message$)|Scan|Execute|Create(?!LogStream$)|Tag|Policy|Pass")


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all policy statements of roles and resources, also those within conditions."""
    match value:
        case {"Effect": _}:
            yield value
        case dict():
            for it in value.values():
                yield from statements(it)
        case list():
            for it in value:
                yield from statements(it)


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else action


_ALL = [
    (name, resource["Type"], statement)
    for name, resource in TEMPLATE["Resources"].items()
    for part, value in resource.get("Properties", {}).items()
    if part != "AssumeRolePolicyDocument"
    for statement in statements(value)
]
POLICIES = [statement for _, _, statement in _ALL if statement["Effect"] == "Allow"]
DENIED = {name: statement for name, _, statement in _ALL if statement["Effect"] == "Deny"}
GRANTED = {action for statement in POLICIES for action in actions(statement)}


def used_operations() -> set[str]:
    """The operations of AWS clients that the code calls, as service:Operation."""
    session = botocore.session.get_session()
    operations = {
        xform_name(operation): f"{service}:{operation}"
        for service in SERVICES
        for operation in session.get_service_model(service).operation_names
    }
    return {
        operations[node.func.attr]
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in operations
    }


def transaction_writes() -> set[str]:
    """The kinds of writes in the transactions of the code."""
    keys = {
        key.value
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    return keys & WRITES.keys()


def test_role_has_exactly_the_actions_that_the_code_and_lambda_use() -> None:
    operations = used_operations()
    assert TRANSACTION in operations
    used = {ACTIONS.get(operation, operation) for operation in operations - {TRANSACTION}}
    assert used | {WRITES[kind] for kind in transaction_writes()} | OF_THE_PLATFORM.keys() == GRANTED


@pytest.mark.parametrize("action", sorted(GRANTED))
def test_no_action_deletes_records_or_has_a_wildcard(action: str) -> None:
    """Messages are the only thing that the role may delete."""
    assert not FORBIDDEN.search(action.split(":")[1])


def test_query_of_the_function_returns_counts_and_campaigns_only() -> None:
    role = statements(TEMPLATE["Resources"]["EscalateRole"]["Properties"]["Policies"])
    found = [it for it in role if "dynamodb:Query" in actions(it)]
    assert [["dynamodb:Query"]] * 2 == [actions(it) for it in found]
    assert [
        {"StringEquals": {"dynamodb:Select": "COUNT"}},
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["campaign=*", "campaigns=*"]}},
    ] == [it["Condition"] for it in found]


@pytest.mark.parametrize("statement", POLICIES, ids=lambda it: ",".join(actions(it)))
def test_statement_names_resources_of_the_stack(statement: dict[str, Any]) -> None:
    """X-Ray has no resource-level permissions."""
    resource = statement["Resource"]
    tracing = all(action.startswith("xray:") for action in actions(statement))
    assert tracing == (resource == "*")
    resources = resource if isinstance(resource, list) else [resource]
    assert tracing or all(isinstance(it, dict) for it in resources)


OF_TYPE = {
    kind: [name for name, it in TEMPLATE["Resources"].items() if it["Type"] == kind]
    for kind in ("AWS::SQS::Queue", "AWS::SNS::Topic")
}
LISTED = {"AWS::SQS::Queue": "Queues", "AWS::SNS::Topic": "Topics"}


@pytest.mark.parametrize("kind", OF_TYPE)
def test_every_queue_and_topic_refuses_calls_without_tls(kind: str) -> None:
    """One policy for each, with the condition of its queue or topic."""
    action = {"AWS::SQS::Queue": "sqs:*", "AWS::SNS::Topic": "sns:Publish"}[kind]
    refused = []
    for name, statement in DENIED.items():
        policy = TEMPLATE["Resources"][name]
        if policy["Type"] != f"{kind}Policy":
            continue
        [target] = [it["Ref"] for it in policy["Properties"][LISTED[kind]]]
        assert policy.get("Condition") == TEMPLATE["Resources"][target].get("Condition")
        assert {
            "Effect": "Deny",
            "Principal": "*",
            "Action": action,
            "Resource": statement["Resource"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        } == statement
        assert target in repr(statement["Resource"])
        refused.append(target)
    assert sorted(OF_TYPE[kind]) == sorted(refused)


def test_every_service_that_may_send_or_publish_is_limited_to_sources() -> None:
    """Without a condition, a topic or rule of any account could send."""
    services = [it for it in POLICIES if "Service" in str(it.get("Principal"))]
    conditions = [name for it in services for test in it["Condition"].values() for name in test]
    assert len(services) == len(conditions)
    assert {"aws:SourceArn", "aws:SourceAccount"} == {*conditions}


def test_alarms_may_publish_although_a_policy_replaces_that_of_sns() -> None:
    [statement] = [
        it for it in statements(TEMPLATE["Resources"]["OperationsTopicPolicy"]["Properties"]) if it["Effect"] == "Allow"
    ]
    assert ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish") == (statement["Principal"], statement["Action"])


@pytest.mark.parametrize(
    ("role", "services"),
    [
        ("EscalateRole", {"sqs", "sns", "dynamodb", "secretsmanager"}),
        ("FeedRole", {"sqs", "dynamodb", "secretsmanager"}),
        ("EventRole", {"sqs"}),
    ],
)
def test_role_uses_the_key_through_its_services_only(role: str, services: set[str]) -> None:
    its = statements(TEMPLATE["Resources"][role]["Properties"]["Policies"])
    [statement] = [it for it in its if it["Resource"] == {"Ref": "KmsKeyArn"}]
    via = re.findall(r"'Fn::Sub': '(\w+)\.\$\{AWS::Region\}\.\*'", repr(statement["Condition"]["StringLike"]))
    assert services == {*via}


def test_template_names_no_partition_and_no_domain_of_one() -> None:
    """China has arn:aws-cn: and amazonaws.com.cn, GovCloud has arn:aws-us-gov:."""
    assert re.findall(r"arn:aws[a-z-]*:", TEXT) == []
    hosts = re.findall(r"[\w.${}:-]+\.amazonaws\.com\S*", TEXT)
    assert {
        *(f"{it}.amazonaws.com" for it in ("lambda", "sns", "events", "pipes", "cloudwatch")),
        "secretsmanager.${AWS::Region}.amazonaws.com",
    } == {it.rstrip(",}]") for it in hosts}
    assert "secretsmanager.${AWS::Region}.${AWS::URLSuffix}" in TEXT
