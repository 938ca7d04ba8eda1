"""`make local`: two beside each other, each with its own queue, alerts and folder; nothing is left of either."""

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
from ops.local.guide import guide
from ops.local.mailbox import Mailbox
from ops.local.runtime import Environment
from ops.local.template import read_template
from tests.integration.world import World

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180
"""Ends a run that hangs. It decides no test on a machine that works at all."""
MALICIOUS, SUSPICIOUS = "4jTHXX1BkfzpM0K", "4hPVgG5jq2zLP0N"


@dataclass
class LocalRun:
    """A `make local`, and what it has printed so far."""

    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)

    def wait_for(self, pattern: str) -> str:
        """The first group of the first line, from here on, that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line.rstrip("\n"))
            if found := re.search(pattern, line):
                return found[1]
        raise AssertionError("\n".join([f"ended before it printed {pattern}:", *self.printed]))

    def interrupt(self) -> list[str]:
        """Press Ctrl-C, which every process of the terminal's group gets; the lines that it still prints."""
        os.killpg(self.process.pid, signal.SIGINT)
        rest, _ = self.process.communicate()
        return rest.splitlines()


@dataclass
class Up(LocalRun):
    """One that is up, and what it says about itself."""

    endpoint: str = ""
    queue_url: str = ""
    folder: str = ""

    @property
    def sqs(self) -> "SQSClient":
        """A plain client."""
        return boto3.client(
            "sqs",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def shell(self, command: str) -> str:
        """What a command prints in a shell that has read the environment."""
        done = subprocess.run(
            ["sh", "-c", f". {self.folder}/environment && {command}"],
            cwd=ROOT,
            env=os.environ | {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "nobodys"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout


@contextmanager
def local_run(*options: str) -> Iterator[Up]:
    """One that is up. It is killed where the block has not ended it."""
    with subprocess.Popen(
        [sys.executable, "-m", "ops.local.serve", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        patience = threading.Timer(PATIENCE_SECONDS, process.kill)
        patience.start()
        try:
            up = Up(process)
            up.folder = up.wait_for(r"removes (\S+)\.$")
            up.endpoint = up.wait_for(r"^AWS: +(\S+)")
            up.queue_url = up.wait_for(r"^Requests queue: +(\S+)")
            up.wait_for("(redrive) list")
            yield up
        finally:
            patience.cancel()
            process.kill()


def post_signed(queue_url: str, body: str) -> int:
    """Send a message with a signed form to the queue's URL itself, as curl does; the status."""
    form = urlencode({"Action": "SendMessage", "MessageBody": body})
    asked = AWSRequest("POST", queue_url, {"Content-Type": "application/x-www-form-urlencoded"}, form)
    SigV4Auth(Credentials("local", "local"), "sqs", "us-east-1").add_auth(asked)
    where = urlsplit(queue_url)
    connection = HTTPConnection(where.hostname or "", where.port)
    try:
        connection.request("POST", where.path, form, dict(asked.headers.items()))
        return connection.getresponse().status
    finally:
        connection.close()


def refuses(endpoint: str) -> bool:
    """Whether nothing listens there."""
    where = urlsplit(endpoint)
    with socket.socket() as probe:
        return probe.connect_ex((where.hostname or "", where.port or 0)) != 0


def test_two_runs_at_the_same_time_keep_apart_and_leave_nothing() -> None:
    """Each takes an id by its printed queue, writes its own alert, answers `--stack`, and ends by Ctrl-C."""
    with local_run() as first, local_run() as second:
        assert first.folder != second.folder
        assert first.queue_url.startswith(f"{first.endpoint}/")

        first.sqs.send_message(QueueUrl=first.queue_url, MessageBody=MALICIOUS)
        assert 200 == post_signed(second.queue_url, SUSPICIOUS)

        for run, mail_id, disposition in ((first, MALICIOUS, "MALICIOUS"), (second, SUSPICIOUS, "SUSPICIOUS")):
            assert disposition == run.wait_for(rf"ESCALATED +{mail_id} +(\S+)")
            read = run.wait_for(r"alert +(cat .+)")
            assert f"{disposition} mail" in run.shell(read)
            facts = json.loads(run.shell(read.replace(".txt", ".json")))
            assert mail_id == facts["metadata"]["correlation_uid"]
            history = run.shell("ops/bin/escalator history --stack local")
            assert [mail_id] == re.findall(rf"{MALICIOUS}|{SUSPICIOUS}", history)
            assert run.shell("ops/bin/escalator history") == history
            run.shell("ops/bin/escalator redrive list --stack local")

        assert [f"Ended; {first.folder} is removed."] == first.interrupt()
        assert second.shell("ops/bin/escalator history --stack local"), "the second lives on"
        assert [f"Ended; {second.folder} is removed."] == second.interrupt()

        for run in (first, second):
            assert 0 == run.process.returncode
            assert not (ROOT / run.folder).exists()
            assert refuses(run.endpoint)
            with pytest.raises(ProcessLookupError):  # its function's process was in the same group
                os.killpg(run.process.pid, 0)


def test_without_polling_messages_stay_and_an_invocation_still_shows_its_alert() -> None:
    """`--no-poll` leaves the queue alone; what an invocation by hand publishes is received as an alert."""
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
        assert [f"Ended; {run.folder} is removed."] == run.interrupt()


@pytest.mark.skipif(sys.platform != "linux", reason="Docker has a bridge of its own on Linux alone")
def test_guide_names_no_host_that_containers_cannot_reach(world: World) -> None:
    """On loopback alone, the guide says what to do instead of a command that fails."""
    told = guide(world.stack, world.cloudflare, Mailbox.load(), Path(".local/1"), "127.0.0.1", polls=False)
    assert "--add-host" not in told
    assert CONTAINERS_NAME not in told
    assert "Containers cannot reach this stack" in told
    assert "start Docker" in told
