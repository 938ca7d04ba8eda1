"""The alarms of template.yaml, with the values that CloudFormation fills in for a stack."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from ops.local.template import TEMPLATE

PARSED: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))
STACK = "email-alerts"
_STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that an alarm reads. CloudWatch matches namespace, name and exactly these dimensions."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str

    def values(self, logged: Iterable[Mapping[str, Any]]) -> list[float]:
        """The values of this metric in metrics that functions have logged, in the embedded metric format."""
        found: list[float] = []
        for line in logged:
            for sent in line["_aws"]["CloudWatchMetrics"]:
                names = [it["Name"] for it in sent["Metrics"]]
                sets = [{it: line[it] for it in names_of_set} for names_of_set in sent["Dimensions"]]
                if sent["Namespace"] == self.namespace and self.name in names and self.dimensions in sets:
                    found += line[self.name]
        return found

    def point(self, logged: Iterable[Mapping[str, Any]]) -> float | None:
        """The point of a period in which these metrics were logged."""
        values = self.values(logged)
        return _STATISTICS[self.statistic](values) if values else None


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of a stack. expression: of metric math over the ids of its metrics. period: in seconds."""

    name: str
    metrics: Mapping[str, Metric]
    expression: str
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    threshold: float
    comparison: str
    treat_missing_data: str
    properties: Mapping[str, Any]

    @property
    def metric(self) -> Metric:
        """The only metric."""
        [metric] = self.metrics.values()
        return metric


def read_alarms(stack: str = STACK, **parameters: Any) -> dict[str, Alarm]:
    """Read all alarms as those of a stack. parameters: values that differ from the template's defaults."""
    values = {name: it.get("Default") for name, it in PARSED["Parameters"].items()} | parameters
    return {
        name: _alarm(name, it["Properties"], stack, values)
        for name, it in PARSED["Resources"].items()
        if it["Type"] == "AWS::CloudWatch::Alarm"
    }


def _alarm(name: str, properties: dict[str, Any], stack: str, values: Mapping[str, Any]) -> Alarm:
    expression, period = "m", properties.get("Period")
    if period:
        metrics = {"m": _metric(properties, properties["Statistic"], stack)}
    else:
        queries = {it["Id"]: it for it in properties["Metrics"]}
        [expression] = [it["Expression"] for it in queries.values() if it.get("ReturnData", True)]
        stats = {key: it["MetricStat"] for key, it in queries.items() if "MetricStat" in it}
        [period] = {it["Period"] for it in stats.values()}
        metrics = {key: _metric(it["Metric"], it["Stat"], stack) for key, it in stats.items()}
    periods = properties["EvaluationPeriods"]
    count = int(values[periods["Ref"]] if isinstance(periods, dict) else periods)
    return Alarm(
        name=name,
        metrics=metrics,
        expression=expression,
        period=period,
        evaluation_periods=count,
        datapoints_to_alarm=properties.get("DatapointsToAlarm", count),
        threshold=properties["Threshold"],
        comparison=properties["ComparisonOperator"],
        treat_missing_data=properties["TreatMissingData"],
        properties=properties,
    )


def _metric(properties: dict[str, Any], statistic: str, stack: str) -> Metric:
    dimensions = {it["Name"]: _physical(it["Value"], stack) for it in properties["Dimensions"]}
    return Metric(properties["Namespace"], properties["MetricName"], dimensions, statistic)


def _physical(value: Any, stack: str) -> str:
    """The value of a dimension: a text, the stack's name, or a name that CloudFormation gives to a resource."""
    match value:
        case str():
            return value
        case {"Ref": "AWS::StackName"}:
            return stack
        case {"Fn::If": ["OwnFindingsTopic" | "OwnPeopleTopic", own, _]}:
            return _physical(own, stack)
        case {"Ref": str(resource)} | {"Fn::GetAtt": [str(resource), *_]}:
            return f"{stack}-{resource}"
        case {"Fn::GetAtt": str(attribute)}:
            return f"{stack}-{attribute.split('.')[0]}"
    raise AssertionError(f"unknown value of a dimension: {value}")
