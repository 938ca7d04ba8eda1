"""Findings on an event bus: the subscribed queue, and the event that the pipe makes of a message.

EventBridge Pipes is not emulated. `event_of` does with a message what the pipe's parameters say.
"""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from samtranslator.yaml_helper import yaml_parse

from ops.local.template import REGION, TEMPLATE
from tests.integration.deployment import MakeDeployment
from tests.integration.test_escalation import MALICIOUS

ROOT = Path(__file__).parents[2]
RECORDED = json.loads((ROOT / "tests" / "cases" / "event_on_a_bus.json").read_text("utf-8"))
RESOURCES = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]
PAGE = (ROOT / "docs" / "integrations.md").read_text("utf-8")
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/default"


def event_of(body: str, topic_arn: str) -> dict[str, Any]:
    """The entry of PutEvents for a message of the queue. `<$.body>` is the body, as JSON if it is JSON."""
    parameters = RESOURCES["EventPipe"]["Properties"]["TargetParameters"]
    assert "<$.body>" == parameters["InputTemplate"]
    bus = parameters["EventBridgeEventBusParameters"]
    assert [{"Fn::If": ["OwnFindingsTopic", {"Ref": "FindingsTopic"}, {"Ref": "FindingsTopicArn"}]}] == bus["Resources"]
    return {
        "EventBusName": "default",
        "Source": bus["Source"],
        "DetailType": bus["DetailType"],
        "Resources": [topic_arn],
        "Detail": json.dumps(json.loads(body)),
    }


def client(service: str, endpoint: str) -> Any:
    """A client of the emulated AWS."""
    return boto3.Session("local", "local", region_name=REGION).client(service, endpoint_url=endpoint)  # type: ignore[call-overload]


def queue_of(stack: str, resource: str, endpoint: str) -> str:
    """The URL of a queue of the stack."""
    found = client("cloudformation", endpoint).list_stack_resources(StackName=stack)["StackResourceSummaries"]
    [physical] = [it["PhysicalResourceId"] for it in found if it["LogicalResourceId"] == resource]
    name = str(physical).rpartition("/")[2]
    return str(client("sqs", endpoint).get_queue_url(QueueName=name)["QueueUrl"])


def test_message_of_the_queue_becomes_the_recorded_event(make_deployment: MakeDeployment, endpoint: str) -> None:
    """The queue gets the finding itself. The event has the source, type and fields of the recorded one."""
    deployment = make_deployment(EventBusArn=BUS)
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()
    [alert] = deployment.alerts()

    queue = queue_of(deployment.stack.name, "EventQueue", endpoint)
    [message] = deployment.stack.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    entry = event_of(message["Body"], deployment.stack.topic_arn)

    assert alert.facts == json.loads(entry["Detail"])
    assert (RECORDED["source"], RECORDED["detail-type"]) == (entry["Source"], entry["DetailType"])
    assert [len(it.split(":")) for it in RECORDED["resources"]] == [len(it.split(":")) for it in entry["Resources"]]
    assert RECORDED["detail"].keys() == alert.facts.keys()


def test_pattern_of_the_page_names_fields_of_the_event() -> None:
    [pattern] = [json.loads(it) for it in re.findall(r"```json\n(\{\n  \"source\".*?)```", PAGE, re.DOTALL)]
    assert RECORDED["source"] in pattern["source"]
    assert RECORDED["detail-type"] in pattern["detail-type"]
    assert RECORDED["detail"]["severity"] in pattern["detail"]["severity"]


def test_recorded_event_has_the_finding_of_the_golden_file() -> None:
    [alert] = json.loads((ROOT / "tests" / "golden" / "malicious.json").read_text("utf-8"))
    assert alert["default"] == RECORDED["detail"]


def test_without_a_bus_there_is_no_queue_and_no_subscription(make_deployment: MakeDeployment, endpoint: str) -> None:
    deployment = make_deployment()
    found = client("cloudformation", endpoint).list_stack_resources(StackName=deployment.stack.name)
    names = {it["LogicalResourceId"] for it in found["StackResourceSummaries"]}
    assert [] == [it for it in names if it.startswith("Event")]


@pytest.mark.parametrize("name", [name for name in RESOURCES if name.startswith("Event")])
def test_every_resource_of_the_bus_is_off_by_default(name: str) -> None:
    assert "HasEventBus" == RESOURCES[name]["Condition"]


def test_queue_of_the_bus_has_redrive_and_two_alarms() -> None:
    """An age alarm for a stopped pipe, and one for what the bus refuses."""
    queue = RESOURCES["EventQueue"]["Properties"]
    assert {"Fn::GetAtt": ["EventDeadLetterQueue", "Arn"]} == queue["RedrivePolicy"]["deadLetterTargetArn"]
    subscription = RESOURCES["EventSubscription"]["Properties"]
    assert (True, {"deadLetterTargetArn": {"Fn::GetAtt": ["UndeliveredQueue", "Arn"]}}) == (
        subscription["RawMessageDelivery"],
        subscription["RedrivePolicy"],
    )
    watched = {
        name: str(it["Properties"]["Dimensions"])
        for name, it in RESOURCES.items()
        if name.startswith("Event") and name.endswith("Alarm")
    }
    assert ["EventBacklogAlarm", "EventDeadLetterAlarm"] == sorted(watched)
    assert "'EventQueue" in watched["EventBacklogAlarm"]
    assert "'EventDeadLetterQueue" in watched["EventDeadLetterAlarm"]
