"""`escalator redrive` lists, shows and redelivers what SNS could not deliver to a subscriber.

The emulated SNS moves nothing to a dead-letter queue. So the queue of undelivered messages is subscribed to the topic for
one alert: the bodies of its messages are then the notifications that SNS makes.
"""

import json
from typing import Any

from click.testing import Result

from ops.escalator.dead_letters.redelivery import REPEAT
from tests.integration.cli_runner import run
from tests.integration.deployment import Deployment
from tests.integration.test_escalation import MALICIOUS


def undelivered_queue(deployment: Deployment) -> str:
    """The URL of the queue of undelivered messages: its name begins with that of the stack."""
    queues = deployment.stack.sqs.list_queues(QueueNamePrefix=f"{deployment.stack.name}-Undelivered")["QueueUrls"]
    [url] = queues
    return url


def fail_delivery(deployment: Deployment, topic_arn: str, *, raw: bool = False) -> None:
    """Publish one alert, and put what a subscriber of the topic was to get on the queue of undelivered messages."""
    stack = deployment.stack
    arn = stack.sqs.get_queue_attributes(QueueUrl=undelivered_queue(deployment), AttributeNames=["QueueArn"])
    subscribed = stack.sns.subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=arn["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true" if raw else "false"},
        ReturnSubscriptionArn=True,
    )
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()
    stack.sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])


def redrive(deployment: Deployment, command: str, *args: str) -> Result:
    """Run a command with the deployment's stack."""
    return run(deployment, command, *args, "--stack", deployment.stack.name)


def listed(deployment: Deployment) -> list[dict[str, Any]]:
    """The listed messages."""
    done = redrive(deployment, "list", "--undelivered", "--json")
    assert (0, "") == (done.exit_code, done.stderr)
    messages: list[dict[str, Any]] = json.loads(done.stdout)
    return messages


def test_list_and_show_have_the_topic_and_the_message(deployment: Deployment) -> None:
    fail_delivery(deployment, deployment.stack.topic_arn)
    [alert], [message] = deployment.alerts(), listed(deployment)

    shown = json.loads(redrive(deployment, "show", message["id"], "--undelivered", "--json").stdout)

    topic = deployment.stack.topic_arn.rpartition(":")[2]
    assert ("undelivered", f"{topic}: {alert.subject}") == (message["reason"], message["detail"])
    assert alert.facts == json.loads(json.loads(shown["body"])["Message"])
    assert "[]\n" == run(deployment, "list", "--json").stdout


def test_redelivered_finding_reaches_the_subscribers_with_its_attributes(deployment: Deployment) -> None:
    """It is the same alert for a machine: its alert_id is in the attributes. The queue is empty afterwards."""
    fail_delivery(deployment, deployment.stack.topic_arn)
    [alert], [message] = deployment.alerts(), listed(deployment)

    done = redrive(deployment, "redeliver", "--all", "--yes")

    summary = "1 published again (1 undelivered)\n"
    assert (0, f"{message['id']}\tundelivered\tredelivered\t\n", summary) == (done.exit_code, done.stdout, done.stderr)
    [repeated] = deployment.alerts()
    assert (alert.facts, alert.attributes) == (repeated.facts, repeated.attributes)
    assert (f"{REPEAT}{alert.subject}"[:100], []) == (repeated.subject, listed(deployment))


def test_redelivered_text_reaches_the_people_topic(deployment: Deployment) -> None:
    """In the form that the failed subscriber was to get."""
    fail_delivery(deployment, deployment.stack.people_topic_arn)
    [message] = listed(deployment)
    arn = deployment.stack.sqs.get_queue_attributes(
        QueueUrl=deployment.stack.subscriber_url, AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    deployment.alerts()
    deployment.stack.sns.subscribe(TopicArn=deployment.stack.people_topic_arn, Protocol="sqs", Endpoint=arn)

    assert 0 == redrive(deployment, "redeliver", message["id"], "--yes").exit_code

    [received] = deployment.stack.sqs.receive_message(QueueUrl=deployment.stack.subscriber_url)["Messages"]
    assert json.loads(received["Body"])["Subject"].startswith(REPEAT)
    assert [] == listed(deployment)


def test_raw_message_and_other_topic_stay_on_the_queue(deployment: Deployment) -> None:
    """A raw message does not name its topic. A message for a topic of no stack of ours is not published."""
    fail_delivery(deployment, deployment.stack.topic_arn, raw=True)
    other = deployment.stack.sns.create_topic(Name=f"{deployment.stack.name}-other")["TopicArn"]
    body = json.dumps({"TopicArn": other, "Subject": "x", "Message": "y"})
    deployment.stack.sqs.send_message(QueueUrl=undelivered_queue(deployment), MessageBody=body)

    done = redrive(deployment, "redeliver", "--all", "--yes")

    assert 1 == done.exit_code
    assert ["failed", "failed"] == [line.split("\t")[2] for line in done.stdout.splitlines()]
    assert "its topic is unknown" in done.stdout
    assert f"{other} is no topic of the stack" in done.stdout
    assert 2 == len(listed(deployment))


def test_refused_publish_leaves_the_message_on_the_queue(deployment: Deployment) -> None:
    fail_delivery(deployment, deployment.stack.topic_arn)
    deployment.stack.sns.delete_topic(TopicArn=deployment.stack.topic_arn)

    done = redrive(deployment, "redeliver", "--all", "--yes")

    assert (1, True) == (done.exit_code, "cannot publish to" in done.stdout)
    assert 1 == len(listed(deployment))


def test_delete_removes_an_undelivered_message(deployment: Deployment) -> None:
    fail_delivery(deployment, deployment.stack.topic_arn)
    assert 0 == redrive(deployment, "delete", "--all", "--yes", "--undelivered").exit_code
    assert [] == listed(deployment)


def test_undelivered_without_a_stack_is_an_error(deployment: Deployment) -> None:
    """No variable of the function names the queue."""
    done = run(deployment, "list", "--undelivered")
    assert (2, True) == (done.exit_code, "--undelivered needs --stack." in done.stderr)
