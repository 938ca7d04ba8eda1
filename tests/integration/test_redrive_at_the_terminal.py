"""What the operator sees and is asked, hostile bodies included, and what is said when something is wrong."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from ops.escalator.dead_letter import RETRIES_EXHAUSTED
from ops.local.stack import CREDENTIALS
from tests.integration.operator_hands import (
    NOT_AN_ID,
    NOT_JSON,
    ROOT,
    give_up,
    invoke,
    listed,
    on_a_terminal,
    reject,
    run,
)
from tests.integration.test_escalation import MALICIOUS, SPAM
from tests.integration.world import World

HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\x9b2J\u202egpj\u200b.\texe\n\r@x [red]"


def test_hostile_body(world: World) -> None:
    """No formula in a spreadsheet, no control of the terminal, one line; JSON alone has it as it is, escaped."""
    reject(world, HOSTILE)
    [found] = listed(world)
    [line] = run(world, "list").stdout.splitlines()
    [_, cells] = csv.reader(run(world, "list", "--csv").stdout.splitlines())
    whole = [run(world, "show", found["id"], *form).stdout for form in ([], ["--csv"])]

    shown = "=cmd|' /C calc'!A0 [2J 2J gpj . exe @x [red]"
    assert (HOSTILE, shown, f"'{shown}") == (found["body"], line.split("\t")[-1], cells[-1])
    assert all(text.replace("\n", "").replace("\t", "").isprintable() for text in whole)
    assert "body\t" + r"=cmd|' /C calc'!A0\x1b[2J\x9b2J\u202egpj\u200b.\texe\n\r@x [red]" == whole[0].splitlines()[-1]
    _, screen = on_a_terminal(world, "list")
    assert shown in screen
    assert screen.replace("\n", "").isprintable()


@pytest.mark.parametrize(("columns", "headings"), [(200, 1), (80, 2)], ids=["wide", "narrow"])
def test_list_on_a_terminal(world: World, columns: int, headings: int) -> None:
    """A table, or where it is too narrow a block for each message: ids are whole in both, and counts come last."""
    reject(world, NOT_JSON)
    lost = give_up(world, MALICIOUS.postfix_id)

    status, screen = on_a_terminal(world, "list", columns=columns)

    assert (0, headings) == (status, screen.count("queued"))
    assert lost in screen
    assert f"2 messages: 1 malformed-body, 1 {RETRIES_EXHAUSTED}" == screen.splitlines()[-1]
    assert max(map(len, screen.splitlines())) <= columns


@pytest.mark.parametrize(("answer", "status", "left"), [("y\n", 0, 0), ("n\n", 1, 2), ("\n", 1, 2)])
def test_question(world: World, answer: str, status: int, left: int) -> None:
    """It says how many of what; only a yes does it."""
    give_up(world, MALICIOUS.postfix_id)
    give_up(world, SPAM.postfix_id)

    ended, screen = on_a_terminal(world, "send-back", "--all", answer=answer)

    assert f"Send 2 messages back to the requests queue (2 {RETRIES_EXHAUSTED})? [y/N]:" in screen
    assert (status, left, 2 - left) == (ended, len(listed(world)), world.waiting())


def test_interruption_at_the_question(world: World) -> None:
    """Ctrl-C and Ctrl-D, the end of what is typed, end with 130 and one line, and nothing is done."""
    give_up(world, MALICIOUS.postfix_id)

    ended, screen = on_a_terminal(world, "send-back", "--all", answer="\x04")

    assert (130, 1, 0) == (ended, len(listed(world)), world.waiting())
    assert screen.endswith("escalator: interrupted; look at what is there before you go on\n")


QUESTIONS = {
    "send-back": (
        ["send-back", "--all"],
        "1 message (1 invalid-id) would only come back, and stay without --even-so. Send 1 message back",
    ),
    "even-so": (["send-back", "--all", "--even-so"], "1 message (1 invalid-id) would only come back. Send 2 messages"),
    "delete": (["delete", "--reason", "invalid-id"], "Delete 1 message for good (1 invalid-id)?"),
}


@pytest.mark.parametrize(("args", "question"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_question_about_what_would_only_come_back(world: World, args: list[str], question: str) -> None:
    """Whoever is asked knows."""
    reject(world, NOT_AN_ID)
    give_up(world, MALICIOUS.postfix_id)

    ended, screen = on_a_terminal(world, *args, answer="n\n")

    assert 1 == ended
    assert question in screen
    assert "escalator: nothing was done" in screen


def test_queues_of_a_stack(world: World, endpoint: str) -> None:
    """The outputs of the template name them, and count for more than the environment."""
    give_up(world, MALICIOUS.postfix_id)
    outputs = {"DeadLetterQueueUrl": world.stack.dead_letter_url, "RequestQueueUrl": world.stack.requests_url}
    declared = (ROOT / "template.yaml").read_text("utf-8").partition("\nOutputs:\n")[2]
    assert all(f"  {name}:\n" in declared for name in outputs)
    cloudformation = boto3.client(
        "cloudformation", "us-east-1", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b"
    )
    name = f"stack-of-{world.stack.dead_letter_url.rpartition('/')[2]}"
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    elsewhere = {"DEAD_LETTER_QUEUE_URL": "https://nowhere/dead", "REQUEST_QUEUE_URL": "https://nowhere/requests"}

    done = run(world, "send-back", "--all", "--yes", "--stack", name, **elsewhere)

    assert (0, 1, []) == (done.exit_code, world.waiting(), listed(world))


def test_queues_of_two_deployments(world: World) -> None:
    """One queue from an option and the other from the environment could be two deployments': refused."""
    done = run(world, "send-back", "--all", "--yes", "--dead-letter-queue-url", world.stack.dead_letter_url)

    assert (2, True) == (done.exit_code, "--request-queue-url" in done.stderr)


WRONG = {
    "no-queue": (
        ["list"],
        {"DEAD_LETTER_QUEUE_URL": None},
        2,
        "which queue? Give --stack, or --dead-letter-queue-url.",
    ),
    "queue-twice": (["list", "--stack", "s", "--dead-letter-queue-url", "u"], {}, 2, "give either --stack or"),
    "no-choice": (["delete", "--yes"], {}, 2, "which messages? Give their IDs, or a --reason, or --all."),
    "two-choices": (["delete", "m-1", "--all", "--yes"], {}, 2, "which messages?"),
    "no-such-option": (["list", "--al"], {}, 2, "No such option"),
    "no-such-queue": (
        ["list"],
        {},
        1,
        "cannot read the dead-letter queue: AWS.SimpleQueueService.NonExistentQueue: ",
    ),
    "no-such-stack": (["list", "--stack", "none"], {}, 1, "cannot look up the stack none: ValidationError: "),
    "no-such-profile": (["list"], {"AWS_PROFILE": "none"}, 1, "cannot use AWS: The config profile (none) could not be"),
    "no-region": (
        ["list"],
        {"AWS_DEFAULT_REGION": None},
        1,
        "cannot reach SQS: You must specify a region; give a --reg",
    ),
    "no-credentials": (
        ["list"],
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"},
        1,
        "cannot read the dead-letter queue: Unable to locate credentials; log in to AWS, or name a --profile",
    ),
    "nobody-listens": (
        ["list"],
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        1,
        'cannot read the dead-letter queue: Could not connect to the endpoint URL: "http://127.0.0.1:1/"; check the network',
    ),
    "no-url": (
        ["list"],
        {"AWS_ENDPOINT_URL": "nowhere"},
        1,
        "cannot reach SQS: Invalid endpoint: nowhere; check the --e",
    ),
}


@pytest.mark.parametrize(("args", "variables", "status", "line"), WRONG.values(), ids=WRONG.keys())
def test_something_is_wrong(
    endpoint: str, args: list[str], variables: dict[str, str | None], status: int, line: str
) -> None:
    """One line on stderr, and a status that tells a mistake in the command from a failure."""
    right = {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "DEAD_LETTER_QUEUE_URL": "https://sqs/123456789012/none"}

    done = invoke({**right, **variables}, *args)

    assert (status, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert done.stderr.startswith(f"escalator: {line}")


def test_launcher(world: World, tmp_path: Path) -> None:
    """It works from any folder, by a link too, and takes no code from the folder it is called in."""
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (project / "ops" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "ops/bin/escalator", project / "ops/bin/escalator")
    for name in ("ops/__init__.py", "ops/interrupt.py", "ops/loopback.py", "ops/escalator", "functions", "schemas"):
        (project / name).symlink_to(ROOT / name)
    (project / ".venv").symlink_to(sys.prefix)
    (elsewhere / "ops").mkdir(parents=True)
    (elsewhere / "ops/__init__.py").write_text("raise SystemExit('code of somebody else')")
    (elsewhere / "escalator").symlink_to(project / "ops/bin/escalator")
    lost = give_up(world, MALICIOUS.postfix_id)

    done = subprocess.run(
        ["./escalator", "redrive", "list", "--wait", "0"],
        cwd=elsewhere,
        env=os.environ | world.stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, lost, "") == (done.returncode, done.stdout.partition("\t")[0], done.stderr)
