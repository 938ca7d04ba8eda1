"""`escalator redrive` on a terminal: tables, questions, hostile bodies and error messages."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from ops.escalator.dead_letters.message import RETRIES_EXHAUSTED
from ops.local.stack import CREDENTIALS
from tests.integration.cli_runner import (
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
from tests.integration.deployment import Deployment
from tests.integration.test_escalation import MALICIOUS, SPAM

HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\x9b2J\u202egpj\u200b.\texe\n\r@x [red]"


def test_hostile_body_is_harmless_in_every_format(deployment: Deployment) -> None:
    """No formula in CSV, no control characters, one line. Only JSON has the original text, escaped."""
    reject(deployment, HOSTILE)
    [found] = listed(deployment)
    [line] = run(deployment, "list").stdout.splitlines()
    [_, cells] = csv.reader(run(deployment, "list", "--csv").stdout.splitlines())
    details = [run(deployment, "show", found["id"], *form).stdout for form in ([], ["--csv"])]

    shown = "=cmd|' /C calc'!A0 [2J 2J gpj . exe @x [red]"
    assert (HOSTILE, shown, f"'{shown}") == (found["body"], line.split("\t")[-1], cells[-1])
    assert all(text.replace("\n", "").replace("\t", "").isprintable() for text in details)
    assert "body\t" + r"=cmd|' /C calc'!A0\x1b[2J\x9b2J\u202egpj\u200b.\texe\n\r@x [red]" == details[0].splitlines()[-1]
    _, screen = on_a_terminal(deployment, "list")
    assert shown in screen
    assert screen.replace("\n", "").isprintable()


@pytest.mark.parametrize(("columns", "headings"), [(200, 1), (80, 2)], ids=["wide", "narrow"])
def test_list_fits_the_terminal_without_cutting_ids(deployment: Deployment, columns: int, headings: int) -> None:
    """A wide terminal shows a table, a narrow one a block for each message. Counts are the last line."""
    reject(deployment, NOT_JSON)
    exhausted_id = give_up(deployment, MALICIOUS.postfix_id)

    status, screen = on_a_terminal(deployment, "list", columns=columns)

    assert (0, headings) == (status, screen.count("queued"))
    assert exhausted_id in screen
    assert f"2 messages: 1 malformed-body, 1 {RETRIES_EXHAUSTED}" == screen.splitlines()[-1]
    assert max(map(len, screen.splitlines())) <= columns


@pytest.mark.parametrize(
    ("answer", "status", "remaining"),
    [("y\n", 0, 0), ("n\n", 1, 2), ("\n", 1, 2)],
    ids=["yes", "no", "default answer"],
)
def test_only_yes_confirms_the_action(deployment: Deployment, answer: str, status: int, remaining: int) -> None:
    """The question says how many messages of which reason are affected."""
    give_up(deployment, MALICIOUS.postfix_id)
    give_up(deployment, SPAM.postfix_id)

    ended, screen = on_a_terminal(deployment, "send-back", "--all", answer=answer)

    assert f"Send 2 messages back to the requests queue (2 {RETRIES_EXHAUSTED})? [y/N]:" in screen
    assert (status, remaining, 2 - remaining) == (ended, len(listed(deployment)), deployment.waiting())


def test_interruption_at_the_question(deployment: Deployment) -> None:
    """Ctrl-C and Ctrl-D, the end of what is typed, end with 130 and one line, and nothing is done."""
    give_up(deployment, MALICIOUS.postfix_id)

    ended, screen = on_a_terminal(deployment, "send-back", "--all", answer="\x04")

    assert (130, 1, 0) == (ended, len(listed(deployment)), deployment.waiting())
    assert screen.endswith("escalator: interrupted; look at what is there before you go on\n")


QUESTIONS = {
    "send-back": (
        ["send-back", "--all"],
        "1 message (1 invalid-id) would be rejected again: kept without --force. Send 1 message back",
    ),
    "send-back with --force": (
        ["send-back", "--all", "--force"],
        "1 message (1 invalid-id) would be rejected again. Send 2 messages",
    ),
    "delete": (["delete", "--reason", "invalid-id"], "Delete 1 message permanently (1 invalid-id)?"),
}


@pytest.mark.parametrize(("args", "question"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_question_names_unretryable_messages(deployment: Deployment, args: list[str], question: str) -> None:
    """The operator sees what --force changes before confirming."""
    reject(deployment, NOT_AN_ID)
    give_up(deployment, MALICIOUS.postfix_id)

    ended, screen = on_a_terminal(deployment, *args, answer="n\n")

    assert 1 == ended
    assert question in screen
    assert "escalator: not confirmed; nothing was done" in screen


def test_stack_option_finds_the_queues_and_overrides_the_environment(deployment: Deployment, endpoint: str) -> None:
    """The URLs come from the outputs of template.yaml."""
    give_up(deployment, MALICIOUS.postfix_id)
    outputs = {"DeadLetterQueueUrl": deployment.stack.dead_letter_url, "RequestQueueUrl": deployment.stack.requests_url}
    declared = (ROOT / "template.yaml").read_text("utf-8").partition("\nOutputs:\n")[2]
    assert all(f"  {name}:\n" in declared for name in outputs)
    cloudformation = boto3.client(
        "cloudformation", "us-east-1", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b"
    )
    name = f"stack-of-{deployment.stack.dead_letter_url.rpartition('/')[2]}"
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    unused = {"DEAD_LETTER_QUEUE_URL": "https://nowhere/dead", "REQUEST_QUEUE_URL": "https://nowhere/requests"}

    done = run(deployment, "send-back", "--all", "--yes", "--stack", name, **unused)

    assert (0, 1, []) == (done.exit_code, deployment.waiting(), listed(deployment))


def test_queues_from_option_and_environment_are_not_mixed(deployment: Deployment) -> None:
    """They could belong to two deployments."""
    done = run(deployment, "send-back", "--all", "--yes", "--dead-letter-queue-url", deployment.stack.dead_letter_url)

    assert (2, True) == (done.exit_code, "--request-queue-url" in done.stderr)


ERRORS = {
    "no queue": (
        ["list"],
        {"DEAD_LETTER_QUEUE_URL": None},
        2,
        "which queue? Give --stack, or --dead-letter-queue-url.",
    ),
    "queue and stack": (["list", "--stack", "s", "--dead-letter-queue-url", "u"], {}, 2, "give either --stack or"),
    "no selection": (["delete", "--yes"], {}, 2, "which messages? Give their IDs, or a --reason, or --all."),
    "two selections": (["delete", "m-1", "--all", "--yes"], {}, 2, "which messages?"),
    "unknown option": (["list", "--al"], {}, 2, "No such option"),
    "unknown queue": (
        ["list"],
        {},
        1,
        "cannot read the dead-letter queue: AWS.SimpleQueueService.NonExistentQueue: ",
    ),
    "unknown stack": (["list", "--stack", "none"], {}, 1, "cannot look up the stack none: ValidationError: "),
    "unknown profile": (["list"], {"AWS_PROFILE": "none"}, 1, "cannot use AWS: The config profile (none) could not be"),
    "no region": (
        ["list"],
        {"AWS_REGION": None, "AWS_DEFAULT_REGION": None},
        1,
        "cannot reach SQS: You must specify a region; pass a --reg",
    ),
    "no credentials": (
        ["list"],
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"},
        1,
        "cannot read the dead-letter queue: Unable to locate credentials; log in to AWS, or pass a --profile",
    ),
    "unreachable endpoint": (
        ["list"],
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        1,
        'cannot read the dead-letter queue: Could not connect to the endpoint URL: "http://127.0.0.1:1/"; check the network',
    ),
    "malformed endpoint": (
        ["list"],
        {"AWS_ENDPOINT_URL": "nowhere"},
        1,
        "cannot reach SQS: Invalid endpoint: nowhere; check the --e",
    ),
}


@pytest.mark.parametrize(("args", "variables", "status", "line"), ERRORS.values(), ids=ERRORS.keys())
def test_error_is_one_line_on_stderr(
    endpoint: str, args: list[str], variables: dict[str, str | None], status: int, line: str
) -> None:
    """The status is 2 for a mistake in the command, and 1 for a failure."""
    defaults = {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "DEAD_LETTER_QUEUE_URL": "https://sqs/123456789012/none"}

    done = invoke({**defaults, **variables}, *args)

    assert (status, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert done.stderr.startswith(f"escalator: {line}")


def test_launcher_runs_through_a_link_and_ignores_code_in_the_current_folder(
    deployment: Deployment, tmp_path: Path
) -> None:
    """It works from any folder."""
    project, current = tmp_path / "project", tmp_path / "current"
    (project / "ops" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "ops/bin/escalator", project / "ops/bin/escalator")
    for name in ("ops/__init__.py", "ops/interrupt.py", "ops/loopback.py", "ops/escalator", "functions", "schemas"):
        (project / name).symlink_to(ROOT / name)
    (project / ".venv").symlink_to(sys.prefix)
    (current / "ops").mkdir(parents=True)
    (current / "ops/__init__.py").write_text("raise SystemExit('code of another project')")
    (current / "escalator").symlink_to(project / "ops/bin/escalator")
    exhausted_id = give_up(deployment, MALICIOUS.postfix_id)

    done = subprocess.run(
        ["./escalator", "redrive", "list", "--wait", "0"],
        cwd=current,
        env=os.environ | deployment.stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, exhausted_id, "") == (done.returncode, done.stdout.partition("\t")[0], done.stderr)
