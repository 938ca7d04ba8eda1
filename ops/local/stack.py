"""The local stack: emulated AWS with the resources of template.yaml, and the fake Cloudflare.

Both are HTTP servers; the emulated AWS is moto's.
"""

import json
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.mailbox import Mailbox
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.function_log import log_writer
from ops.local.more_resources import complete_table
from ops.local.template import REGION, Template, output_of, read_template
from ops.local.transactions import copy_only_written_items
from ops.loopback import LISTS, bypass_proxy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,  # the command lines prefer it to AWS_DEFAULT_REGION
}
TOKEN = "local-token"  # noqa: S105  # accepted by the fake Cloudflare only

LOCAL = "local"
"""The name of a local run's stack: short to type, and unlikely to be the name of a stack on AWS."""

FAKE_CLOUDFLARE_LIMIT = "1000000"
"""The fake Cloudflare needs no rate limit. With Cloudflare's real one, a run would take half a minute."""


@dataclass(frozen=True)
class Stack:
    """One deployment of the template.

    name:       the stack's name in the emulated CloudFormation.
    variables:  the function's environment variables from the template.
    aws:        environment variables with which an AWS client reaches this stack: endpoint, region, credentials.
    """

    name: str
    template: Template
    variables: dict[str, str]
    aws: dict[str, str]
    subscriber_url: str
    sqs: "SQSClient"
    sns: "SNSClient"
    dynamodb: "DynamoDBClient"
    secrets: "SecretsManagerClient"

    @property
    def environment(self) -> dict[str, str]:
        """All environment variables of the function."""
        return self.aws | self.variables

    @property
    def requests_url(self) -> str:
        """URL of the requests queue."""
        return self.variables["REQUEST_QUEUE_URL"]

    @property
    def dead_letter_url(self) -> str:
        """URL of the dead-letter queue."""
        return self.variables["DEAD_LETTER_QUEUE_URL"]

    @property
    def table(self) -> str:
        """Name of the ledger's table; empty if there is none."""
        return self.variables["LEDGER_TABLE"]

    def log_writer(self, group: str) -> Callable[[Sequence[str]], None]:
        """What writes the log of a function to its log group: EscalateLogGroup or FeedLogGroup."""
        session, endpoint = boto3.Session("local", "local", region_name=REGION), self.aws["AWS_ENDPOINT_URL"]
        cloudformation = session.client("cloudformation", endpoint_url=endpoint)
        return log_writer(cloudformation, session.client("logs", endpoint_url=endpoint), self.name, group)

    @property
    def topic_arn(self) -> str:
        """ARN of the findings topic; empty if there is none."""
        return self.variables["FINDINGS_TOPIC_ARN"]

    @property
    def people_topic_arn(self) -> str:
        """ARN of the people topic; empty if there is none."""
        return self.variables["PEOPLE_TOPIC_ARN"]


@contextmanager
def local_stack(host: str, mailbox: Mailbox | None = None) -> Iterator[tuple[Stack, FakeCloudflare]]:
    """Start emulated AWS with the template deployed, and the fake Cloudflare, both listening on a host's address.

    mailbox: the emails of the fake Cloudflare. None: those of the repository, with recent dates.
    """
    mailbox = mailbox or Mailbox.load().recent(datetime.now(UTC))
    with (
        emulated_aws(host) as endpoint,
        FakeCloudflare(mailbox, credentials=Credentials(api_token=TOKEN), host=host) as cloudflare,
    ):
        yield (
            deploy(
                endpoint,
                {"api_token": TOKEN},
                LOCAL,
                CloudflareAccountId=mailbox.account_id,
                CloudflareBaseUrl=cloudflare.base_url,
            ),
            cloudflare,
        )


@contextmanager
def emulated_aws(host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Run an emulated AWS during the block, and yield its endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    bypass_proxy(os.environ, host)
    server = make_server(host, port, _EmulatedAws(), threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _EmulatedAws:
    """moto's application, with one call of DynamoDB at a time.

    DynamoDB's transactions are serializable. moto's have no lock: a write at the same moment is lost if the transaction
    is refused.
    """

    def __init__(self) -> None:
        copy_only_written_items()
        self._application = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        is_dynamodb = environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB")
        with self._one_at_a_time if is_dynamodb else nullcontext():
            response: Iterable[bytes] = self._application(environ, start_response)
            return response


def deploy(endpoint: str, secret: dict[str, str], name: str | None = None, /, **parameters: str) -> Stack:
    """Deploy the template to an emulated AWS.

    secret: the credentials for Cloudflare. name: the stack's name; None for a unique one.
    parameters: parameters of the template, except the secret and the AWS endpoint.
    """
    session = boto3.Session("local", "local", region_name=REGION)
    stack_name = name or f"{LOCAL}-{uuid.uuid4().hex[:8]}"
    secrets = session.client("secretsmanager", endpoint_url=endpoint)
    parameters = (
        {"CloudflareLimit": FAKE_CLOUDFLARE_LIMIT}
        | parameters
        | {
            "AwsEndpointUrl": endpoint,
            "CloudflareSecretArn": secrets.create_secret(Name=stack_name, SecretString=json.dumps(secret))["ARN"],
        }
    )
    template = read_template()
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    cloudformation.create_stack(
        StackName=stack_name,
        TemplateBody=json.dumps(template.cloudformation),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        EnableTerminationProtection=True,
    )
    [description] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    outputs = {it["OutputKey"]: it["OutputValue"] for it in description["Outputs"]}
    variables = {name: outputs.get(output_of(name), "") for name in template.variables}
    sqs, sns = session.client("sqs", endpoint_url=endpoint), session.client("sns", endpoint_url=endpoint)
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    if variables["LEDGER_TABLE"] and not parameters.get("LedgerTableName"):
        table = template.cloudformation["Resources"]["LedgerTable"]["Properties"]
        complete_table(dynamodb, variables["LEDGER_TABLE"], table)
    subscriber_url = sqs.create_queue(QueueName=f"{stack_name}-subscriber")["QueueUrl"]
    if variables["FINDINGS_TOPIC_ARN"]:
        arn = sqs.get_queue_attributes(QueueUrl=subscriber_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(
            QueueUrl=subscriber_url, Attributes={"Policy": _allows(variables["FINDINGS_TOPIC_ARN"], arn)}
        )
        sns.subscribe(TopicArn=variables["FINDINGS_TOPIC_ARN"], Protocol="sqs", Endpoint=arn)
    return Stack(
        name=stack_name,
        template=template,
        variables=variables,
        aws=CREDENTIALS
        | {"AWS_ENDPOINT_URL": endpoint}
        | {name: os.environ[name] for name in LISTS if name in os.environ},
        subscriber_url=subscriber_url,
        sqs=sqs,
        sns=sns,
        dynamodb=dynamodb,
        secrets=secrets,
    )


def _allows(topic: str, queue: str) -> str:
    """The policy of a queue to which a topic may send."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
