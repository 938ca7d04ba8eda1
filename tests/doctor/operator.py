"""A complete deployment on the local stack, with both functions behind Lambda's API, and an operator's command line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from click.testing import CliRunner, Result

from ops.escalator.cli import escalator
from ops.local.lambda_api import LambdaApi
from ops.local.lambda_runtime import Environment
from tests.integration.deployment import Deployment

NO_ACCOUNT = {"AWS_CONFIG_FILE": "/no", "AWS_SHARED_CREDENTIALS_FILE": "/no", "AWS_PROFILE": None}


@dataclass
class Operator:
    """A deployment, and an operator's command line."""

    deployment: Deployment
    api: LambdaApi
    feed: Environment
    url: str

    def run(self, *args: str, **variables: str) -> Result:
        """Run `escalator ... --stack`."""
        environment = {**self.deployment.stack.aws, "AWS_ENDPOINT_URL_LAMBDA": self.url, **NO_ACCOUNT, **variables}
        arguments = [*args, "--stack", self.deployment.stack.name]
        return CliRunner().invoke(escalator, arguments, env=environment, prog_name="escalator")

    def name(self, function: str) -> str:
        """The name of a function: escalate or feed."""
        return f"{self.deployment.stack.name}-{function}"

    def client(self, service: str) -> Any:
        """A client of the emulated AWS."""
        aws = self.deployment.stack.aws
        session = boto3.Session("local", "local", region_name=aws["AWS_REGION"])
        return session.client(service, endpoint_url=aws["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]


@contextmanager
def operator_of(deployment: Deployment) -> Iterator[Operator]:
    """Put both functions of a deployment behind Lambda's API."""
    stack = deployment.stack
    queue = stack.sqs.get_queue_attributes(QueueUrl=stack.requests_url, AttributeNames=["QueueArn"])["Attributes"]
    names = {it: f"{stack.name}-{it}" for it in ("escalate", "feed")}
    with Environment(stack.template.feed_handler, stack.environment, 60) as feed:
        api = LambdaApi(
            {names["escalate"]: deployment.function, names["feed"]: feed}, {names["escalate"]: queue["QueueArn"]}
        )
        with api as url:
            yield Operator(deployment, api, feed, url)


@dataclass
class HttpSubscriber:
    """An https-like subscriber: what SNS posts to it."""

    url: str
    posts: list[bytes] = field(default_factory=list)


@contextmanager
def http_subscriber() -> Iterator[HttpSubscriber]:
    """Listen on loopback."""
    posts: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield HttpSubscriber(f"http://127.0.0.1:{server.server_port}/sns", posts)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
