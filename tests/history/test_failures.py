"""A table that is busy, another one, or none; and questions that nobody understands: one line says what to do."""

import json
import random
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from functions.ledger.wire import to_item
from ops.escalator.connection import Failed
from ops.escalator.question import Question
from ops.escalator.span import Span
from ops.escalator.trail import PAUSES, Trail
from tests.history.asked import AskedLedger
from tests.history.conftest import Crowd
from tests.history.past import NOW, Sample, sample
from tests.integration.operator_hands import ROOT


def keys_only(it: Sample) -> Any:
    """A record, as far as an index of keys has it."""
    return to_item({"about": it.record.id.postfix_id, "entry": it.entry, "decided_at": it.decided_at})


def test_keys_that_are_not_processed() -> None:
    """They are asked for again: at once after progress, after growing pauses without; the order stays."""
    chance = random.Random(1)
    found = [keys_only(sample(chance, NOW - timedelta(minutes=it))) for it in (1, 2, 3)]
    slept: list[float] = []
    dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(dynamodb) as aws:
        aws.add_response("query", {"Items": found, "Count": 3, "ScannedCount": 3})
        for given_, left in (
            ([], found),
            ([], found),
            ([found[2], found[1]], found[:1]),
            ([], found[:1]),
            (found[:1], []),
        ):
            keys = [{name: it[name] for name in ("about", "entry")} for it in left]
            answer = {"Responses": {"t": given_}, "UnprocessedKeys": {"t": {"Keys": keys}} if keys else {}}
            aws.add_response("batch_get_item", answer)
        pages = list(Trail(dynamodb, "t", slept.append).pages(Question(Span(NOW - timedelta(hours=1), NOW), {})))
        aws.assert_no_pending_responses()

    assert [it["about"]["S"] for it in found] == [it["about"] for page in pages for it in page.records]
    assert [*PAUSES[:2], PAUSES[0]] == slept


def test_table_that_gives_nothing() -> None:
    """It is asked for a while, and then one line says so."""
    slept: list[float] = []
    dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    item = keys_only(sample(random.Random(1), NOW))
    keys = {"t": {"Keys": [{name: item[name] for name in ("about", "entry")}]}}
    with Stubber(dynamodb) as aws:
        aws.add_response("query", {"Items": [item], "Count": 1, "ScannedCount": 1})
        for _ in range(len(PAUSES) + 1):
            aws.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": keys})
        with pytest.raises(
            Failed, match="cannot read the table t: DynamoDB gives no more records now; try again later"
        ):
            list(Trail(dynamodb, "t", slept.append).pages(Question(Span(NOW - timedelta(hours=1), NOW), {})))

    assert list(PAUSES) == slept


WRONG = {
    "no-such-table": (["history", "--table", "none"], 1, "cannot read the table none: ResourceNotFoundException: "),
    "no-table": (["history"], 2, "which table? Give --table or --stack."),
    "table-twice": (["stats", "--table", "t", "--stack", "s"], 2, "give either --stack or --table, not both."),
    "no-such-stack": (["history", "--stack", "none"], 1, "cannot look up the stack none: ValidationError: "),
    "no-time": (
        ["history", "--table", "t", "--since", "yesterday"],
        2,
        "--since 'yesterday' is no time: give 90m, 24h, 7d",
    ),
    "turned-round": (
        ["stats", "--table", "t", "--since", "1d", "--until", "2d"],
        2,
        "nothing lies between --since 1d and --until 2d.",
    ),
    "no-severity": (["history", "--severity", "bad"], 2, "Invalid value for '--severity': 'bad' is not one of"),
    "empty-value": (["history", "--table", "t", "--link-host", " "], 2, "--link-host is empty."),
    "pending-by-a-pointer": (
        ["history", "--table", "t", "--pending", "--category", "x"],
        2,
        "--category finds no --pending: a record can be found by it when its alert is out.",
    ),
    "no-cursor": (["history", "--table", "t", "--cursor", "x"], 2, "the cursor is none: give it as it was printed."),
    "no-id": (["explain", "../x", "--table", "t"], 2, "'../x' is no id of a mail: "),
    "no-limit": (["history", "--limit", "0"], 2, "Invalid value for '--limit': 0 is not in the range x>=1."),
    "no-such-folder": (
        ["export", "--table", "t", "-o", "/none/x"],
        1,
        "cannot write /none/x: No such file or directory",
    ),
}


@pytest.mark.parametrize(("args", "status", "line"), WRONG.values(), ids=WRONG.keys())
def test_something_is_wrong(empty: AskedLedger, endpoint: str, args: list[str], status: int, line: str) -> None:
    """One line on stderr that says what to do, and a status that tells a mistake from a failure."""
    done = empty.run(*args, LEDGER_TABLE=None, AWS_ENDPOINT_URL_CLOUDFORMATION=endpoint)
    assert (status, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert done.stderr.startswith(f"escalator: {line}")


def test_table_of_a_stack(crowd: Crowd, endpoint: str) -> None:
    """The template's output names it, and counts for more than the environment."""
    ledger, _ = crowd
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


def test_connection_by_options(crowd: Crowd) -> None:
    """They may come before the command or after it, and need nothing of the environment."""
    ledger, _ = crowd
    where = ["--region", "us-east-1", "--endpoint-url", ledger.url]
    asked = ["history", "--since", "60d", "--limit", "1", "--table", ledger.table]
    nowhere = dict.fromkeys(("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_DYNAMODB", "LEDGER_TABLE"))

    done = [ledger.run(*args, **nowhere) for args in ([*where, *asked], [*asked, *where])]

    assert [(0, 1), (0, 1)] == [(it.exit_code, len(it.stdout.splitlines())) for it in done]


def test_table_of_another_make(empty: AskedLedger) -> None:
    """One without the indexes is told apart from one that is not there."""
    key: Any = [{"AttributeName": "id", "KeyType": "HASH"}]
    types: Any = [{"AttributeName": "id", "AttributeType": "S"}]
    empty.dynamodb.create_table(
        TableName="plain",
        KeySchema=key,
        AttributeDefinitions=types,
        BillingMode="PAY_PER_REQUEST",
    )

    done = empty.run("history", "--table", "plain")

    assert (1, True) == (done.exit_code, "name a table made from template.yaml" in done.stderr), done.stderr
