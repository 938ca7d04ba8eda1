"""template.yaml, translated by AWS's own translator, so that the local run cannot drift from it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from ops.local.more_resources import KEPT

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REGION = "us-east-1"
FEED_ROLE_ID = "AROALOCALFEEDEXAMPLE0"
"""The id of the feed's role, which the emulated AWS does not have; see poller.py."""
LOCAL_FUNCTIONS = {"EscalateFunction": "escalate", "FeedFunction": "feed"}
"""How the name of a local function ends, which begins with the name of its stack."""
EMULATED = frozenset({"SQS", "SNS", "DynamoDB", "Logs"})
"""Services whose resources the emulated CloudFormation creates; more_resources.py adds types of others.

These are the resources that a message passes, except the secret, and those that the template's outputs name.
"""
NOT_EMULATED = frozenset({"AWS::SNS::TopicPolicy"})
"""Resources of these services that the emulated CloudFormation cannot create."""


@dataclass(frozen=True, slots=True)
class Template:
    """The parts of the template that the local stack needs.

    handler:         module and name of the handler. feed_handler: of the feed.
    timeout:         maximum seconds of one invocation, of either function.
    batch_size:      maximum messages of one invocation.
    variables:       names of the environment variables of both functions.
    cloudformation:  the emulated resources, with the template's outputs and one more for each variable (`output_of`).
    """

    handler: str
    feed_handler: str
    timeout: int
    batch_size: int
    variables: tuple[str, ...]
    cloudformation: dict[str, Any]


@cache
def read_template(path: Path = TEMPLATE) -> Template:
    """Read and translate the template, without values for its parameters."""
    source = yaml_parse(path.read_text("utf-8"))
    # The translator accepts an S3 URI only, not the local folder. Nothing is uploaded.
    for name in ("EscalateFunction", "FeedFunction"):
        source["Resources"][name]["Properties"]["CodeUri"] = "s3://not/uploaded"
    translated = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION)).translate(source, {})
    resources = translated["Resources"]
    function, trigger = (resources[name]["Properties"] for name in ("EscalateFunction", "EscalateFunctionRequests"))
    feed = resources["FeedFunction"]["Properties"]
    variables = feed["Environment"]["Variables"] | function["Environment"]["Variables"]
    outputs = translated["Outputs"] | {output_of(name): {"Value": value} for name, value in variables.items()}
    queues = {name for name, it in resources.items() if it["Type"] == "AWS::SQS::Queue"}
    return Template(
        handler=function["Handler"],
        feed_handler=feed["Handler"],
        timeout=max(function["Timeout"], feed["Timeout"]),
        batch_size=trigger["BatchSize"],
        variables=tuple(variables),
        cloudformation={
            "AWSTemplateFormatVersion": translated["AWSTemplateFormatVersion"],
            "Parameters": translated["Parameters"],
            "Conditions": translated["Conditions"],
            "Resources": {name: _emulated(it) for name, it in resources.items() if _is_emulated(it["Type"])},
            "Outputs": {name: it | {"Value": _local(it["Value"], queues)} for name, it in outputs.items()},
        },
    )


def _is_emulated(type_: str) -> bool:
    return type_ in KEPT or (type_.split("::")[1] in EMULATED and type_ not in NOT_EMULATED)


def _emulated(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource without the properties that name resources which are not emulated."""
    kept = KEPT.get(resource["Type"])
    properties = {name: it for name, it in resource["Properties"].items() if kept is None or name in kept}
    # The emulated CloudFormation knows Retain only. The two differ in a first deployment that fails.
    retained = {"DeletionPolicy": "Retain"} if resource.get("DeletionPolicy") == "RetainExceptOnCreate" else {}
    return resource | {"Properties": properties} | retained


def output_of(variable: str) -> str:
    """Return the output that has a variable's value. Names of outputs have letters and digits only."""
    return variable.replace("_", "")


def _local(value: Any, queues: set[str]) -> Any:
    """Replace what differs locally: a queue's URL, because the emulated CloudFormation returns AWS's host, the role and the function."""
    match value:
        case {"Ref": str(name)} if name in queues:
            return {"Fn::Sub": f"${{AwsEndpointUrl}}/${{AWS::AccountId}}/${{{name}.QueueName}}"}
        case {"Ref": "EscalateFunction" | "FeedFunction" as name}:
            return {"Fn::Sub": f"${{AWS::StackName}}-{LOCAL_FUNCTIONS[name]}"}
        case {"Fn::GetAtt": ["EscalateRole", "RoleId"]}:
            return ""  # the local stack has no role
        case {"Fn::If": [condition, {"Fn::GetAtt": ["FeedRole", "RoleId"]}, without]}:
            return {"Fn::If": [condition, FEED_ROLE_ID, without]}
    return value
