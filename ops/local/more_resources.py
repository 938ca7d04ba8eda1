"""Resources that moto emulates, but its CloudFormation does not create: subscriptions, alarms, schedules, queue policies.

moto's CloudFormation finds the classes below by their base class. It leaves out parts of a table, too; `complete_table` sets
them. Alarms are stored and never evaluated, and schedules never run.
"""

import json
from typing import TYPE_CHECKING, Any, Self

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.scheduler.models import scheduler_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT: dict[str, tuple[str, ...]] = {
    "AWS::SNS::Subscription": (
        "TopicArn",
        "Protocol",
        "Endpoint",
        "FilterPolicy",
        "FilterPolicyScope",
        "RawMessageDelivery",
        "RedrivePolicy",
    ),
    "AWS::CloudWatch::Alarm": ("AlarmDescription", "AlarmActions", "OKActions", "ActionsEnabled"),
    "AWS::Scheduler::Schedule": ("ScheduleExpression", "State"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument"),
}
"""By type, the properties that are used. The others name resources that are not emulated, such as functions and roles."""


class _Created:
    """A resource of which moto's CloudFormation needs the physical id only."""

    def __init__(self, physical_resource_id: str) -> None:
        self.physical_resource_id = physical_resource_id

    @staticmethod
    def cloudformation_name_type() -> str:
        """No property has the name."""
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """No attribute is used."""
        return not attr


class Subscription(_Created, CloudFormationModel):
    """A subscription. moto confirms it at once."""

    @staticmethod
    def cloudformation_type() -> str:
        """See KEPT."""
        return "AWS::SNS::Subscription"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003  # SNS chooses the name
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> Self:
        """Subscribe."""
        properties, backend = cloudformation_json["Properties"], sns_backends[account_id][region_name]
        made = backend.subscribe(properties["TopicArn"], properties["Endpoint"], properties["Protocol"])
        for name in ("FilterPolicyScope", "FilterPolicy", "RawMessageDelivery", "RedrivePolicy"):
            if name in properties:
                value = properties[name]
                text = value if isinstance(value, str) else json.dumps(value)
                backend.set_subscription_attributes(made.arn, name, text)
        return cls(made.arn)


class Alarm(_Created, CloudFormationModel):
    """An alarm with its text and its actions."""

    @staticmethod
    def cloudformation_type() -> str:
        """See KEPT."""
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Put the alarm."""
        properties = cloudformation_json["Properties"]
        cloudwatch_backends[account_id][region_name].put_metric_alarm(
            name=resource_name,
            namespace="emulated",
            metric_name="emulated",
            comparison_operator="GreaterThanThreshold",
            evaluation_periods=1,
            period=60,
            threshold=0,
            statistic="Sum",
            description=properties["AlarmDescription"],
            dimensions=[],
            alarm_actions=properties.get("AlarmActions", []),
            ok_actions=properties.get("OKActions", []),
            actions_enabled=properties.get("ActionsEnabled", True),
        )
        return cls(resource_name)


class Schedule(_Created, CloudFormationModel):
    """A schedule in the default group."""

    @staticmethod
    def cloudformation_type() -> str:
        """See KEPT."""
        return "AWS::Scheduler::Schedule"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Create the schedule."""
        properties = cloudformation_json["Properties"]
        scheduler_backends[account_id][region_name].create_schedule(
            description="",
            end_date=None,  # type: ignore[arg-type]  # moto takes None
            flexible_time_window={"Mode": "OFF"},
            group_name="default",
            kms_key_arn=None,  # type: ignore[arg-type]
            name=resource_name,
            schedule_expression=properties["ScheduleExpression"],
            schedule_expression_timezone="UTC",
            start_date=None,  # type: ignore[arg-type]
            state=properties.get("State", "ENABLED"),
            target={"Arn": "arn:aws:lambda:us-east-1:123456789012:function:feed", "RoleArn": "arn:aws:iam::1:role/r"},
            action_after_completion=None,
        )
        return cls(resource_name)


class QueuePolicy(_Created, CloudFormationModel):
    """The policy of queues. moto stores it and does not apply it."""

    @staticmethod
    def cloudformation_type() -> str:
        """See KEPT."""
        return "AWS::SQS::QueuePolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Set the policy of each queue."""
        properties, backend = cloudformation_json["Properties"], sqs_backends[account_id][region_name]
        for url in properties["Queues"]:
            name = url.rpartition("/")[2]
            backend.set_queue_attributes(name, {"Policy": json.dumps(properties["PolicyDocument"])})
        return cls(resource_name)


def complete_table(dynamodb: "DynamoDBClient", name: str, properties: dict[str, Any]) -> None:
    """Set what moto's CloudFormation leaves out: the deletion of expired items, and backups."""
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"]
    )
