"""template.yaml as it deploys: translated by AWS's own translator, so that the local run cannot drift from it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REGION = "us-east-1"
EMULATED = frozenset({"SQS", "SNS", "DynamoDB"})
"""Services whose resources the emulated CloudFormation creates; they are all that a message touches but the secret."""


@dataclass(frozen=True, slots=True)
class Template:
    """What the local stack takes from the template.

    handler:         module and name of what Lambda calls.
    timeout:         seconds that one invocation may take.
    batch_size:      messages that one invocation gets at most.
    variables:       the names of the function's environment variables.
    cloudformation:  the emulated resources, with an output for each variable: `output_of` names it.
    """

    handler: str
    timeout: int
    batch_size: int
    variables: tuple[str, ...]
    cloudformation: dict[str, Any]


@cache
def read_template(path: Path = TEMPLATE) -> Template:
    """The template, translated; its parameters are still open."""
    source = yaml_parse(path.read_text("utf-8"))
    # The code is a folder here; the translator only wants to see that it could have been uploaded.
    source["Resources"]["EscalateFunction"]["Properties"]["CodeUri"] = "s3://not/uploaded"
    translated = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION)).translate(source, {})
    resources = translated["Resources"]
    function, trigger = (resources[name]["Properties"] for name in ("EscalateFunction", "EscalateFunctionRequests"))
    variables = function["Environment"]["Variables"]
    return Template(
        handler=function["Handler"],
        timeout=function["Timeout"],
        batch_size=trigger["BatchSize"],
        variables=tuple(variables),
        cloudformation={
            "AWSTemplateFormatVersion": translated["AWSTemplateFormatVersion"],
            "Parameters": translated["Parameters"],
            "Conditions": translated["Conditions"],
            "Resources": {name: it for name, it in resources.items() if it["Type"].split("::")[1] in EMULATED},
            "Outputs": {output_of(name): {"Value": value} for name, value in variables.items()},
        },
    )


def output_of(variable: str) -> str:
    """The output that holds a variable's value; outputs have letters and digits only."""
    return variable.replace("_", "")
