"""What an operator does with the command line, and how messages get onto the dead-letter queue."""

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
from tests.integration.test_escalation import SPAM
from tests.integration.world import World, outcomes, request

ROOT = Path(__file__).parents[2]
NOT_JSON, NOT_AN_ID, NOT_OURS = '{"postfix_id": ', request("../../x"), request(SPAM.postfix_id, account_id="f" * 32)
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def invoke(environment: dict[str, str | None], *args: str) -> Result:
    """`escalator redrive ...` in a pipe, with this environment."""
    nobodys = {"AWS_REGION": None, "AWS_PROFILE": None, "AWS_CONFIG_FILE": "/no", "AWS_SHARED_CREDENTIALS_FILE": "/no"}
    return CliRunner().invoke(
        escalator, ["redrive", *args, "--wait", "0"], env=nobodys | environment, prog_name="escalator"
    )


def run(world: World, *args: str, **variables: str) -> Result:
    """The same, with what `make local` writes into the environment."""
    return invoke({**world.stack.environment, **variables}, *args)


def listed(world: World) -> list[dict[str, Any]]:
    """What the list shows, but for the receives, each of which counts itself."""
    found = run(world, "list", "--json")
    assert (0, "") == (found.exit_code, found.stderr)
    return sorted(({**it, "receives": 0} for it in json.loads(found.stdout)), key=lambda it: str(it["id"]))


def ids(world: World, reason: str) -> list[str]:
    """The ids of the messages that lie there for a reason."""
    return [it["id"] for it in listed(world) if it["reason"] == reason]


def reasons(world: World) -> Counter[str]:
    """How many lie there for each reason."""
    return Counter(it["reason"] for it in listed(world))


def reject(world: World, *bodies: str) -> None:
    """Have the function reject messages."""
    world.send(*bodies)
    while world.waiting():
        assert {"REJECTED"} == {outcome for outcome, _ in outcomes(world.poll())}


def give_up(world: World, body: str, **attributes: str) -> str:
    """Have SQS itself give up a message; its id."""
    sqs, queue = world.stack.sqs, world.stack.requests_url
    given = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    sent = sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=given)  # type: ignore[arg-type]
    while sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0).get("Messages"):
        pass
    return sent["MessageId"]


def on_a_terminal(world: World, *args: str, answer: str = "", columns: int = 200) -> tuple[int, str]:
    """`escalator redrive ...` on a terminal of this width, where a person types the answer; status and screen."""
    return at_a_terminal(world.stack.environment, "redrive", *args, "--wait", "0", answer=answer, columns=columns)


def at_a_terminal(environment: dict[str, str], *args: str, answer: str = "", columns: int = 200) -> tuple[int, str]:
    """`escalator ...` with this environment, on a terminal of this width, where a person types the answer."""
    person, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    # The terminal says how wide it is, and not whoever runs the tests.
    own = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    environment = own | environment | {"TERM": "xterm"}
    command = [sys.executable, "-m", "ops.escalator", *args]
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, cwd=ROOT, start_new_session=True
    ) as process:
        os.close(terminal)
        os.write(person, answer.encode())
        screen = b""
        try:
            while some := os.read(person, 65536):
                screen += some
        except OSError:  # that is how a terminal ends on Linux
            pass
        os.close(person)
    return process.returncode, STYLE.sub("", screen.decode()).replace("\r\n", "\n")
