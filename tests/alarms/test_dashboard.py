"""The dashboard of the template: each widget shows metrics that exist, and each metric that the functions emit is shown."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics

from functions.domain.outcome import Outcome, Reason
from functions.domain.severity import Severity
from functions.escalate import telemetry
from functions.escalate.app import SERVICE as ESCALATE
from functions.escalate.sqs_message import Message
from functions.escalate.stages import MessageResult
from functions.feed import telemetry as feed_telemetry
from functions.feed.app import SERVICE as FEED
from functions.feed.runner import Result, RunReport
from functions.metrics import NAMESPACE, build_metrics
from tests.alarms.template_alarms import PARSED, STACK

NOW = datetime(2026, 11, 26, 9, 35, tzinfo=UTC)
DASHBOARD = PARSED["Resources"]["OperationsDashboard"]
CONDITIONS = ("HasFeed", "HasTopic", "HasSilenceAlarm", "HasEventBus")
OF_FUNCTIONS = {
    *((ESCALATE, name) for name in telemetry.METRICS),
    *((FEED, name) for name in feed_telemetry.METRICS),
}
"""Service and name of each metric of the functions."""
OF_AWS = {
    "AWS/SQS": ("QueueName", {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}),
    "AWS/Lambda": ("FunctionName", {"Errors", "Throttles", "Duration"}),
}
"""By namespace of AWS: the dimension, and the metrics of its documentation that are used."""
PHYSICAL = {
    **{f"{name}.QueueName": f"{STACK}-{name}" for name in ("RequestQueue", "DeadLetterQueue", "UndeliveredQueue")},
    "EscalateFunction": f"{STACK}-EscalateFunction",
    "AWS::StackName": STACK,
    "AWS::Region": "eu-west-1",
}
_ARN = re.compile(r"arn:of:(\w+)")


@dataclass(frozen=True)
class Shown:
    """A metric in a widget."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]


def body(*conditions: str) -> dict[str, Any]:
    """The dashboard as CloudFormation creates it with these conditions."""
    text, variables = DASHBOARD["Properties"]["DashboardBody"]["Fn::Sub"]
    values = {name: resolve(value, conditions) for name, value in variables.items()}
    found: dict[str, Any] = json.loads(fill(text, values))
    return found


def resolve(value: Any, conditions: tuple[str, ...]) -> str:
    match value:
        case {"Fn::If": [condition, yes, no]}:
            return resolve(yes if condition in conditions else no, conditions)
        case {"Fn::Sub": str(text)}:
            return fill(text, {})
        case {"Ref": str(name)}:
            return f"{STACK}-{name}"
    assert isinstance(value, str)
    return value


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace `${...}`. The ARN of an alarm becomes its logical id."""

    def replacement(found: re.Match[str]) -> str:
        name = found[1]
        if name.endswith(".Arn"):
            return f"arn:of:{name.removesuffix('.Arn')}"
        return values[name] if name in values else PHYSICAL[name]

    return re.sub(r"\$\{([^}]+)\}", replacement, text)


def metrics_of(dashboard: dict[str, Any]) -> Iterator[Shown]:
    for widget in dashboard["widgets"]:
        for row in widget["properties"].get("metrics", ()):
            words = [it for it in row if isinstance(it, str)]
            yield Shown(words[0], words[1], dict(zip(words[2::2], words[3::2], strict=True)))


def emitted(capsys: pytest.CaptureFixture[str]) -> set[tuple[str, str]]:
    """Service and name of the metrics that both functions log, in the embedded metric format."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return {
        (line["service"], metric["Name"])
        for line in lines
        for sent in line["_aws"]["CloudWatchMetrics"]
        for metric in sent["Metrics"]
    }


def flush(metrics: Metrics) -> None:
    """Log the metrics. Their default dimensions are shared by all objects of a process, which is one function on AWS."""
    metrics.flush_metrics()
    metrics.clear_default_dimensions()
    metrics.clear_metrics()


def test_functions_emit_exactly_the_metrics_that_their_constants_name(capsys: pytest.CaptureFixture[str]) -> None:
    """All outcomes, reasons and severities in one batch, and a run of the feed."""
    message = Message("m-1", "", "r-1", 1, NOW, NOW - timedelta(minutes=1))
    pairs = [*product(Outcome, [Reason.CREDENTIALS_REFUSED]), *product([Outcome.DEFERRED], Reason)]
    results = [MessageResult(message, outcome, reason) for outcome, reason in pairs]
    results += [
        MessageResult(message, Outcome.ESCALATED, Reason.DISPOSITION_LISTED, severity=it, drift=("$.a: type",))
        for it in Severity
    ]
    metrics, logger = build_metrics(ESCALATE, STACK), Logger(service="quiet", level="CRITICAL")
    telemetry.report(results, telemetry.RateLimitUse(1.5, 900), NOW, logger, metrics)
    flush(metrics)
    metrics = build_metrics(FEED, STACK)
    run = RunReport(Result.DONE, lag_seconds=12.0)
    feed_telemetry.report(run, 900, STACK, logger, metrics)
    flush(metrics)
    assert OF_FUNCTIONS == emitted(capsys)


def test_every_metric_of_the_functions_is_in_the_dashboard_and_no_other() -> None:
    """So no list of exceptions is needed. Each has the dimensions of the functions."""
    shown = [it for it in metrics_of(body(*CONDITIONS)) if it.namespace == NAMESPACE]
    assert OF_FUNCTIONS == {(it.dimensions["service"], it.name) for it in shown}
    assert {STACK} == {it.dimensions["stack"] for it in shown}
    assert {frozenset(("service", "stack"))} == {frozenset(it.dimensions) for it in shown}


def test_every_other_metric_is_one_of_aws_with_its_dimension() -> None:
    """The dimension's value is the name of a resource of the right type."""
    types = {"QueueName": "AWS::SQS::Queue", "FunctionName": "AWS::Serverless::Function"}
    for it in metrics_of(body(*CONDITIONS)):
        if it.namespace == NAMESPACE:
            continue
        dimension, names = OF_AWS[it.namespace]
        assert (it.name in names, [dimension]) == (True, [*it.dimensions])
        resource = it.dimensions[dimension].removeprefix(f"{STACK}-")
        assert types[dimension] == PARSED["Resources"][resource]["Type"]


@pytest.mark.parametrize(
    "conditions",
    [
        CONDITIONS[:2],
        ("HasTopic", "HasSilenceAlarm"),
        ("HasTopic", "HasEventBus"),
        ("HasFeed",),
        ("HasSilenceAlarm",),
        (),
    ],
)
def test_alarms_widget_has_the_alarms_that_exist(conditions: tuple[str, ...]) -> None:
    alarms = {
        name
        for name, it in PARSED["Resources"].items()
        if it["Type"] == "AWS::CloudWatch::Alarm" and it.get("Condition", conditions) in (*conditions, conditions)
    }
    assert alarms == {*_ARN.findall(json.dumps(body(*conditions)))}


def test_widgets_name_the_region_and_do_not_overlap() -> None:
    widgets = body(*CONDITIONS)["widgets"]
    cells = [
        (x, y)
        for it in widgets
        for x, y in product(range(it["x"], it["x"] + it["width"]), range(it["y"], it["y"] + it["height"]))
    ]
    assert len(cells) == len({*cells})
    assert max(x for x, _ in cells) < 24
    assert {"eu-west-1"} == {it["properties"]["region"] for it in widgets if it["type"] == "metric"}


def test_cloudwatch_takes_the_dashboard(endpoint: str) -> None:
    """The emulated one refuses what is no JSON."""
    client = boto3.Session("local", "local", region_name="us-east-1").client("cloudwatch", endpoint_url=endpoint)
    text = json.dumps(body())
    assert not client.put_dashboard(DashboardName=STACK, DashboardBody=text).get("DashboardValidationMessages")
    assert text == client.get_dashboard(DashboardName=STACK)["DashboardBody"]


def test_name_of_the_dashboard_has_stack_and_region() -> None:
    """Dashboards of an account share their names over all regions."""
    assert {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"} == DASHBOARD["Properties"]["DashboardName"]
    assert "HasDashboard" == DASHBOARD["Condition"]
