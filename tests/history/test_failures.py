"""Failures: a throttled, wrong or missing table, and wrong options. One line on stderr says what to do."""

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from functions.ledger.attribute_values import to_item
from ops.escalator.aws import CommandFailed
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.reader import PAUSES, RecordReader
from ops.escalator.records.time_range import TimeRange
from tests.history.cli_harness import LedgerCli
from tests.history.conftest import SharedTimes
from tests.history.sample_history import NOW, Sample, sample
from tests.integration.cli_runner import ROOT


def keys_only(it: Sample) -> Any:
    """The entry of a record in an index of keys."""
    return to_item({"pk": it.record.id.postfix_id, "sk": it.sk, "decided_at": it.decided_at})


def test_unprocessed_keys_are_retried() -> None:
    """Retries follow at once after progress, and after growing pauses without it. The order stays."""
    chance = random.Random(1)
    found = [keys_only(sample(chance, NOW - timedelta(minutes=it))) for it in (1, 2, 3)]
    slept: list[float] = []
    dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(dynamodb) as aws:
        aws.add_response("query", {"Items": found, "Count": 3, "ScannedCount": 3})
        for returned, remaining in (
            ([], found),
            ([], found),
            ([found[2], found[1]], found[:1]),
            ([], found[:1]),
            (found[:1], []),
        ):
            keys = [{name: it[name] for name in ("pk", "sk")} for it in remaining]
            answer = {"Responses": {"t": returned}, "UnprocessedKeys": {"t": {"Keys": keys}} if keys else {}}
            aws.add_response("batch_get_item", answer)
        pages = list(
            RecordReader(dynamodb, "t", slept.append).pages(RecordQuery(TimeRange(NOW - timedelta(hours=1), NOW), {}))
        )
        aws.assert_no_pending_responses()

    assert [it["pk"]["S"] for it in found] == [it.position.pk for page in pages for it in page.records]
    assert [*PAUSES[:2], PAUSES[0]] == slept


def test_throttled_table_is_reported_after_all_retries() -> None:
    """The error says what to do."""
    slept: list[float] = []
    dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    item = keys_only(sample(random.Random(1), NOW))
    keys = {"t": {"Keys": [{name: item[name] for name in ("pk", "sk")}]}}
    with Stubber(dynamodb) as aws:
        aws.add_response("query", {"Items": [item], "Count": 1, "ScannedCount": 1})
        for _ in range(len(PAUSES) + 1):
            aws.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": keys})
        with pytest.raises(
            CommandFailed,
            match="cannot read the table t: DynamoDB returned no records after 8 attempts; try again later",
        ):
            list(
                RecordReader(dynamodb, "t", slept.append).pages(
                    RecordQuery(TimeRange(NOW - timedelta(hours=1), NOW), {})
                )
            )

    assert list(PAUSES) == slept


WRONG = {
    "missing table": (["history", "--table", "none"], 1, "cannot read the table none: ResourceNotFoundException: "),
    "no table named": (["history"], 2, "which table? Give --stack, or --table."),
    "table named twice": (["stats", "--table", "t", "--stack", "s"], 2, "give either --stack or --table, not both."),
    "missing stack": (["history", "--stack", "none"], 1, "cannot look up the stack none: ValidationError: "),
    "text that is not a time": (
        ["history", "--table", "t", "--since", "yesterday"],
        2,
        "--since 'yesterday' is not a time: use 90m, 24h, 7d",
    ),
    "end before start": (
        ["stats", "--table", "t", "--since", "1d", "--until", "2d"],
        2,
        "The time range from --since 1d to --until 2d is empty.",
    ),
    "unknown severity": (["history", "--severity", "bad"], 2, "Invalid value for '--severity': 'bad' is not one of"),
    "empty value": (["history", "--table", "t", "--link-host", " "], 2, "--link-host is empty."),
    "hash of a wrong length": (
        ["history", "--table", "t", "--attachment-hash", "abc"],
        2,
        "--attachment-hash `abc` is not a hash: expected 32, 40 or 64 hexadecimal digits.",
    ),
    "IP address that is none": (
        ["export", "--table", "t", "--sender-ip", "evil.example"],
        2,
        "--sender-ip `evil.example` is not an IP address: expected one such as 192.0.2.1",
    ),
    "misspelled disposition": (
        ["history", "--table", "t", "--disposition", "malicous"],
        2,
        "--disposition `MALICOUS` is not a disposition: did you mean MALICIOUS?",
    ),
    "outcome that is never recorded": (["history", "--outcome", "RETRY"], 2, "Invalid value for '--outcome': "),
    "pending with a pointer": (
        ["history", "--table", "t", "--pending", "--category", "x"],
        2,
        "--category and --pending exclude each other: it finds records only after their alert is sent.",
    ),
    "invalid cursor": (
        ["history", "--table", "t", "--cursor", "x"],
        2,
        "--cursor is not valid: pass it exactly as printed.",
    ),
    "invalid id": (["explain", "../x", "--table", "t"], 2, "'../x' is not an email id. "),
    "limit of zero": (["history", "--limit", "0"], 2, "Invalid value for '--limit': 0 is not in the range x>=1."),
    "missing folder": (
        ["export", "--table", "t", "-o", "/none/x"],
        1,
        "cannot write /none/x: No such file or directory",
    ),
}


@pytest.mark.parametrize(("args", "status", "line"), WRONG.values(), ids=WRONG.keys())
def test_failure_is_one_line_with_its_status(
    empty: LedgerCli, endpoint: str, args: list[str], status: int, line: str
) -> None:
    """Status 2 is a wrong command line, status 1 any other failure."""
    done = empty.run(*args, LEDGER_TABLE=None, AWS_ENDPOINT_URL_CLOUDFORMATION=endpoint)
    assert (status, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert done.stderr.startswith(f"escalator: {line}")


def test_stack_names_the_table(shared_times: SharedTimes, endpoint: str) -> None:
    """The output of the stack wins over the environment."""
    ledger, _ = shared_times
    assert "  LedgerTableName:\n" in (ROOT / "template.yaml").read_text("utf-8").partition("\nOutputs:\n")[2]
    cloudformation = boto3.client(
        "cloudformation", "us-east-1", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b"
    )
    stack = f"stack-of-{ledger.table}"
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"LedgerTableName": {"Value": ledger.table}},
    }
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))

    done = ledger.run(
        *("history", "--since", "60d", "--limit", "1", "--stack", stack),
        LEDGER_TABLE="none",
        AWS_ENDPOINT_URL_CLOUDFORMATION=endpoint,
    )

    assert (0, 1) == (done.exit_code, len(done.stdout.splitlines()))


def test_connection_options_work_before_and_after_the_command(shared_times: SharedTimes) -> None:
    """They need no environment."""
    ledger, _ = shared_times
    connection = ["--region", "us-east-1", "--endpoint-url", ledger.url]
    asked = ["history", "--since", "60d", "--limit", "1", "--table", ledger.table]
    unset = dict.fromkeys(("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_DYNAMODB", "LEDGER_TABLE"))

    done = [ledger.run(*args, **unset) for args in ([*connection, *asked], [*asked, *connection])]

    assert [(0, 1), (0, 1)] == [(it.exit_code, len(it.stdout.splitlines())) for it in done]


def test_table_without_indexes_is_reported(empty: LedgerCli) -> None:
    """The error is not that of a missing table."""
    key: Any = [{"AttributeName": "id", "KeyType": "HASH"}]
    types: Any = [{"AttributeName": "id", "AttributeType": "S"}]
    empty.dynamodb.create_table(
        TableName="plain",
        KeySchema=key,
        AttributeDefinitions=types,
        BillingMode="PAY_PER_REQUEST",
    )

    done = empty.run("history", "--table", "plain")

    assert (1, True) == (done.exit_code, "use a table created from the current template.yaml" in done.stderr), (
        done.stderr
    )


WRONG_VALUES = {
    "IP address": (["--sender-ip", "999.1.1.1"], "--sender-ip `999.1.1.1` is not an IP address: expected one such as"),
    "hash": (["--attachment-hash", "zzz"], "--attachment-hash `zzz` is not a hash: expected 32, 40 or 64 hexadecimal"),
    "disposition": (["--disposition", "MALICOUS"], "`MALICOUS` is not a disposition: did you mean MALICIOUS?"),
    "severity": (["--severity", "hihg"], "Did you mean High?"),
    "outcome": (["--outcome", "ESCALATE"], "Did you mean ESCALATED?"),
    "delivered": (["--delivered", "ture"], "Did you mean true?"),
    "account": (["--account", "7d1f"], "--account `7d1f` is not the id of an account: expected 32 hexadecimal digits."),
    "alert id": (
        ["--alert-id", "4gZJ8d1HhYz7V2L"],
        "`4gZJ8d1HhYz7V2L` is not the `alert_id` of an alert: expected 32 hexadecimal",
    ),
    "host": (["--link-host", "mailto:a@b.example"], "has no host: expected a URL or a host such as evil.example"),
    "two addresses": (["--recipient", "a@b.example, c@d.example"], "has more than one address. Give one."),
}


@pytest.mark.parametrize(("args", "said"), WRONG_VALUES.values(), ids=WRONG_VALUES.keys())
@pytest.mark.parametrize("command", ["history", "export", "report"])
def test_value_that_cannot_be_what_it_should_is_a_usage_error(
    empty: LedgerCli, command: str, args: list[str], said: str
) -> None:
    """The error says what to give instead."""
    done = empty.run(command, *args)
    assert (2, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert said in done.stderr


EMPTY_ANSWERS = {
    "history": (["history"], "No records found in the table TABLE, from "),
    "history with options": (
        ["history", "--link-host", "hxxp://EVIL[.]example/a", "--severity", "high"],
        "No records found with --link-host evil.example --severity High in the table TABLE, from ",
    ),
    "history of one account": (
        ["history", "--account", "7D1F0C2AB84E4E6F9A35C8D2E6B10F47"],
        "No records found with --account 7d1f0c2ab84e4e6f9a35c8d2e6b10f47 in the table TABLE, from ",
    ),
    "stats": (["stats"], "No records found in the table TABLE, from "),
    "export": (
        ["export", "--sender", "a@b.example"],
        "No records found with --sender a@b.example in the table TABLE, from ",
    ),
    "report": (["report", "-o", "FILE"], "No records found in the table TABLE, from "),
}


@pytest.mark.parametrize(("args", "said"), EMPTY_ANSWERS.values(), ids=EMPTY_ANSWERS.keys())
def test_empty_answer_says_what_was_searched(empty: LedgerCli, tmp_path: Path, args: list[str], said: str) -> None:
    """Table, options and period, and that 30 days is the default. A given period has no such note."""
    args = [str(tmp_path / "report.html") if it == "FILE" else it for it in args]
    default = " (the last 30 days, the default; --since searches further back)."

    done = [empty.run(*args, *since) for since in ([], ["--since", "2026-03-01", "--until", "2026-03-02T06:30:00Z"])]

    assert [0, 0] == [it.exit_code for it in done]
    lines = [it.stderr.splitlines()[-1] for it in done]
    assert [True, True] == [line.startswith(said.replace("TABLE", empty.table)) for line in lines], lines
    assert lines[0].endswith(default)
    assert lines[1].endswith(" 2026-03-01 00:00 to 2026-03-02 06:30 UTC.")


def test_no_pending_alert_has_no_default_period(empty: LedgerCli) -> None:
    line = empty.run("history", "--pending").stderr
    assert line.startswith(f"No records found with --pending in the table {empty.table}, from 2026-01-01 00:00 to ")
    assert "default" not in line


PRINTING = {
    "history": ["history", "--since", "60d"],
    "history as JSON": ["history", "--since", "60d", "--json"],
    "history as CSV": ["history", "--since", "60d", "--csv"],
    "find": ["find", "bad.example", "--json"],
    "export": ["export", "--since", "60d"],
    "stats": ["stats", "--since", "60d"],
    "explain": ["explain", "ID", "--json"],
}


@pytest.mark.parametrize("args", PRINTING.values(), ids=PRINTING.keys())
def test_closed_output_ends_with_status_zero_and_no_traceback(shared_times: SharedTimes, args: list[str]) -> None:
    """As with `| head`. The output is closed before the first line, so that the first write fails."""
    ledger, samples = shared_times
    process = ledger.start(*(samples[0].record.id.value if it == "ID" else it for it in args))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    errors = process.stderr.read()
    process.stderr.close()

    assert (0, b"") == (process.wait(), errors)
