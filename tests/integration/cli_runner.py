"""Run the command line as an operator does, and put messages on the dead-letter queue."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import Counter
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ops.escalator.cli import escalator
from tests.integration.deployment import Deployment, outcomes, request
from tests.integration.test_escalation import SPAM

ROOT = Path(__file__).parents[2]
NOT_JSON, NOT_AN_ID, NOT_OURS = '{"postfix_id": ', request("../../x"), request(SPAM.postfix_id, account_id="f" * 32)
OF_S3 = '{"Records": [{"eventSource": "aws:s3", "s3": {}}]}'
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def invoke(environment: dict[str, str | None], *args: str) -> Result:
    """Run `escalator redrive ...` without a terminal, with this environment."""
    no_account = {
        "AWS_REGION": None,
        "AWS_PROFILE": None,
        "AWS_CONFIG_FILE": "/no",
        "AWS_SHARED_CREDENTIALS_FILE": "/no",
    }
    return CliRunner().invoke(
        escalator, ["redrive", *args, "--wait", "0"], env=no_account | environment, prog_name="escalator"
    )


def run(deployment: Deployment, *args: str, **variables: str) -> Result:
    """Run `escalator redrive ...` with the deployment's environment."""
    return invoke({**deployment.stack.environment, **variables}, *args)


def listed(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the listed messages, with a receive count of 0, because each listing increases it."""
    result = run(deployment, "list", "--json")
    assert (0, "") == (result.exit_code, result.stderr)
    return sorted(({**it, "receive_count": 0} for it in json.loads(result.stdout)), key=lambda it: str(it["id"]))


def ids(deployment: Deployment, reason: str) -> list[str]:
    """Return the ids of the dead letters with a reason."""
    return [it["id"] for it in listed(deployment) if it["reason"] == reason]


def reasons(deployment: Deployment) -> Counter[str]:
    """Count the dead letters by reason."""
    return Counter(it["reason"] for it in listed(deployment))


def reject(deployment: Deployment, *bodies: str) -> None:
    """Send messages, and let the function reject them."""
    deployment.send(*bodies)
    while deployment.waiting():
        assert {"REJECTED"} == {outcome for outcome, _ in outcomes(deployment.poll())}


def give_up(deployment: Deployment, body: str, **attributes: str) -> str:
    """Send a message, let SQS dead-letter it, and return its id."""
    sqs, queue = deployment.stack.sqs, deployment.stack.requests_url
    given = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    sent = sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=given)  # type: ignore[arg-type]
    while sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0).get("Messages"):
        pass
    return sent["MessageId"]


def on_a_terminal(deployment: Deployment, *args: str, answer: str = "", columns: int = 200) -> tuple[int, str]:
    """Run `escalator redrive ...` on a terminal, type an answer, and return the status and the screen."""
    return at_a_terminal(deployment.stack.environment, "redrive", *args, "--wait", "0", answer=answer, columns=columns)


def at_a_terminal(environment: dict[str, str], *args: str, answer: str = "", columns: int = 200) -> tuple[int, str]:
    """Run `escalator ...` on a terminal of this width, type an answer, and return the status and the screen."""
    keyboard, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    # Without these variables, the command reads the width from the terminal.
    inherited = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    environment = inherited | environment | {"TERM": "xterm"}
    command = [sys.executable, "-m", "ops.escalator", *args]
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, cwd=ROOT, start_new_session=True
    ) as process:
        os.close(terminal)
        os.write(keyboard, answer.encode())
        screen = b""
        try:
            while data := os.read(keyboard, 65536):
                screen += data
        except OSError:  # Linux reports the end of a terminal as an error
            pass
        os.close(keyboard)
    return process.returncode, STYLE.sub("", screen.decode()).replace("\r\n", "\n")
