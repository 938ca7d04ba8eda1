"""`make local`: two at the same time have their own queue, alerts and folder, and remove all of it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ops.local.container import CONTAINERS_NAME
from ops.local.fake_cloudflare.mailbox import Mailbox
from ops.local.guide import guide
from ops.local.lambda_runtime import Environment
from ops.local.template import read_template
from tests.integration.deployment import Deployment

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 180
"""Ends a run that hangs. No other run takes this long."""
MALICIOUS, SUSPICIOUS = "4jTHXX1BkfzpM0K", "4hPVgG5jq2zLP0N"
[UNSENT] = (mail for mail in Mailbox.load() if not mail.is_sent)


@dataclass
class LocalRun:
    """A `make local`, and its output so far."""

    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)

    def wait_for(self, pattern: str) -> str:
        """Read lines until one matches, and return its first group."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line.rstrip("\n"))
            if found := re.search(pattern, line):
                return found[1]
        raise AssertionError("\n".join([f"The process ended before it printed {pattern}:", *self.printed]))

    def interrupt(self) -> list[str]:
        """Send SIGINT to all processes of the group, as Ctrl-C does, and return the remaining lines."""
        os.killpg(self.process.pid, signal.SIGINT)
        rest, _ = self.process.communicate()
        return rest.splitlines()


@dataclass
class ReadyRun(LocalRun):
    """A `make local` that is ready, and the addresses that it printed."""

    endpoint: str = ""
    queue_url: str = ""
    folder: str = ""

    @property
    def sqs(self) -> "SQSClient":
        """A client of its queues."""
        return boto3.client(
            "sqs",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def shell(self, command: str) -> str:
        """Run a command in a shell that has read the environment, and return its output."""
        done = subprocess.run(
            ["sh", "-c", f". {self.folder}/environment && {command}"],
            cwd=ROOT,
            env=os.environ | {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "missing"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout


@contextmanager
def local_run(*options: str) -> Iterator[ReadyRun]:
    """Start `make local`, and kill it at the end of the block if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "ops.local.serve", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        timer = threading.Timer(TIMEOUT_SECONDS, process.kill)
        timer.start()
        try:
            run = ReadyRun(process)
            run.folder = run.wait_for(r"removes (\S+)\.$")
            run.endpoint = run.wait_for(r"^AWS: +(\S+)")
            run.queue_url = run.wait_for(r"^Requests queue: +(\S+)")
            run.wait_for("(redrive) list")
            yield run
        finally:
            timer.cancel()
            process.kill()


def post_signed(queue_url: str, body: str) -> int:
    """Send a message with a signed form to the queue's URL, as curl does, and return the status."""
    form = urlencode({"Action": "SendMessage", "MessageBody": body})
    request = AWSRequest("POST", queue_url, {"Content-Type": "application/x-www-form-urlencoded"}, form)
    SigV4Auth(Credentials("local", "local"), "sqs", "us-east-1").add_auth(request)
    url = urlsplit(queue_url)
    connection = HTTPConnection(url.hostname or "", url.port)
    try:
        connection.request("POST", url.path, form, dict(request.headers.items()))
        return connection.getresponse().status
    finally:
        connection.close()


def is_closed(endpoint: str) -> bool:
    """Whether no process listens at an endpoint."""
    url = urlsplit(endpoint)
    with socket.socket() as probe:
        return probe.connect_ex((url.hostname or "", url.port or 0)) != 0


def without_feed(lines: list[str]) -> list[str]:
    """The lines about the requests of a test. The feed finds its own email some time after the start."""
    return [it for it in lines if UNSENT.postfix_id not in it and not it.startswith("  feed ")]


def test_two_runs_at_the_same_time_are_separate_and_clean_up() -> None:
    """Each receives an id on its printed queue, saves its own alert, and works with `--stack` until Ctrl-C."""
    with local_run() as first, local_run() as second:
        assert first.folder != second.folder
        assert first.queue_url.startswith(f"{first.endpoint}/")

        first.sqs.send_message(QueueUrl=first.queue_url, MessageBody=MALICIOUS)
        assert 200 == post_signed(second.queue_url, SUSPICIOUS)

        for run, email_id, disposition in ((first, MALICIOUS, "MALICIOUS"), (second, SUSPICIOUS, "SUSPICIOUS")):
            assert disposition == run.wait_for(rf"ESCALATED +{email_id} +(\S+)")
            read = run.wait_for(rf"alert +(cat .+-{email_id}.txt)")
            assert f"{disposition} email" in run.shell(read)
            facts = json.loads(run.shell(read.replace(".txt", ".json")))
            assert email_id == facts["evidences"][0]["uid"]
            for command in ("ops/bin/escalator history --stack local", "ops/bin/escalator history"):
                assert [email_id] == re.findall(rf"{MALICIOUS}|{SUSPICIOUS}", run.shell(command))
            run.shell("ops/bin/escalator redrive list --stack local")

        assert [f"Stopped. {first.folder} is removed."] == without_feed(first.interrupt())
        assert second.shell("ops/bin/escalator history --stack local"), "the second run continues"
        assert [f"Stopped. {second.folder} is removed."] == without_feed(second.interrupt())

        for run in (first, second):
            assert 0 == run.process.returncode
            assert not (ROOT / run.folder).exists()
            assert is_closed(run.endpoint)
            with pytest.raises(ProcessLookupError):  # the group includes the function's process
                os.killpg(run.process.pid, 0)


def test_feed_finds_the_email_that_arrives() -> None:
    """Nothing sends its id."""
    with local_run() as run:
        assert "done, 1 queued" == run.wait_for(r"feed +(.+)")
        assert "MALICIOUS-BEC" == run.wait_for(rf"ESCALATED +{UNSENT.investigate_id} +(\S+)")
        assert UNSENT.postfix_id in run.wait_for(r"alert +cat (.+)")


def test_without_polling_messages_stay_and_alerts_are_still_received() -> None:
    """With `--no-poll`, a manual invocation publishes the alert."""
    with local_run("--no-poll") as run:
        run.sqs.send_message(QueueUrl=run.queue_url, MessageBody=SUSPICIOUS)
        variables = json.loads(run.shell(f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"))
        event = json.loads((ROOT / run.folder / "events" / "malicious.json").read_text("utf-8"))

        with Environment(read_template().handler, variables, read_template().timeout) as function:
            [outcome] = function.invoke(event).outcomes

        assert "ESCALATED" == outcome["outcome"]
        assert MALICIOUS in run.wait_for(r"alert +cat (.+)")
        [message] = run.sqs.receive_message(QueueUrl=run.queue_url, AttributeNames=["All"])["Messages"]
        assert SUSPICIOUS == message["Body"]
        assert "1" == message["Attributes"]["ApproximateReceiveCount"]
        assert [f"Stopped. {run.folder} is removed."] == run.interrupt()


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has Docker's bridge")
def test_guide_has_no_container_command_on_loopback(deployment: Deployment) -> None:
    """Containers cannot reach loopback, so the guide says to start Docker."""
    text = guide(deployment.stack, deployment.cloudflare, Mailbox.load(), Path(".local/1"), "127.0.0.1", polls=False)
    assert "--add-host" not in text
    assert CONTAINERS_NAME not in text
    assert "Containers cannot reach this stack" in text
    assert "start Docker" in text
