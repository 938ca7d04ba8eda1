"""`escalator history`: pages, cursors, forms of output, and whatever somebody wrote into a mail."""

import csv
import json
import random
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.cloudflare.context import read_context
from functions.cloudflare.detection import read_detection
from functions.ledger.item import attributes
from functions.ledger.ledger import Claimant
from functions.ledger.record import Told
from functions.ledger.wire import to_item
from ops.escalator.connection import Failed
from ops.escalator.question import Question
from ops.escalator.span import Span
from ops.escalator.trail import PAUSES, Trail
from tests.history.asked import AskedLedger
from tests.history.conftest import MakeLedger
from tests.history.past import LEASE, NOW, OWNER, Sample, sample
from tests.integration.operator_hands import ROOT
from tests.strategies import answers, any_scalar, any_text, contexts, wild_answers, wild_contexts
from tests.unit.examples import record

HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\x9b2J\u202egpj\u200b.\texe\n\r@x [red]"
MORE = re.compile(r"go on with --cursor (\S+)")
Crowd = tuple[AskedLedger, list[Sample]]


@pytest.fixture(scope="module")
def crowd(make_ledger: MakeLedger) -> Crowd:
    """Sixty records in three milliseconds of two months, all with the same link."""
    chance, turn = random.Random(3), NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    moments = [turn + timedelta(milliseconds=it) for it in (-1, 0, 1)]
    result = {"links": [{"href": "https://bad.example/"}], "sender_info": {"ip": "203.0.113.5"}}
    samples = [replace(sample(chance, moments[it % 3], result), pending=False) for it in range(60)]
    return make_ledger(samples), samples


ASKED = {
    "time": ["--since", "60d"],
    "index": ["--since", "60d", "--sender-ip", "203[.]0[.]113[.]5"],
    "pointer": ["--since", "60d", "--link-host", "BAD[.]example"],
    "both": ["--since", "60d", "--link-host", "bad.example", "--sender-ip", "203.0.113.5"],
}


@pytest.mark.parametrize("limit", [7, 20, 60, 100])
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_pages_by_cursor(crowd: Crowd, asked: list[str], limit: int) -> None:
    """Joined they are the whole, without gap or repeat, also where many are of the same millisecond."""
    ledger, samples = crowd
    joined: list[dict[str, Any]] = []
    cursor: list[str] = []
    for _ in range(len(samples)):
        done = ledger.run("history", *asked, "--limit", str(limit), *cursor, "--json")
        page = json.loads(done.stdout)
        joined += page
        assert len(page) <= limit
        if not (more := MORE.search(done.stderr)):
            break
        cursor = ["--cursor", more[1]]

    assert sorted((it.decided_at for it in samples), reverse=True) == [it["decided_at"] for it in joined]
    assert sorted(it.entry for it in samples) == sorted(it["entry"] for it in joined)


def test_cursor_of_another_question(crowd: Crowd) -> None:
    """Refused: it would give neither answer."""
    ledger, _ = crowd
    cursor = MORE.search(ledger.run("history", *ASKED["index"], "--limit", "5").stderr)
    assert cursor is not None

    done = ledger.run("history", *ASKED["pointer"], "--cursor", cursor[1])

    assert (2, "") == (done.exit_code, done.stdout)
    assert "the cursor belongs to another question: repeat the options that it came with" in done.stderr


def test_record_taken_up_again(make_ledger: MakeLedger) -> None:
    """The pointers of its first time are still there; it is shown once, at the time of the second."""
    ledger = make_ledger([])
    first = sample(random.Random(1), NOW - timedelta(hours=2), {"links": [{"href": "https://bad.example/"}]})
    again = replace(first, record=replace(first.record, decided_at=NOW - timedelta(hours=1)))
    assert not first.observed
    for it, told in ((first, False), (again, True)):  # first without a topic
        [claim] = ledger.ledger.claim([it.record], Claimant(OWNER, it.claimed_at, LEASE, told=told))
        ledger.ledger.mark([(claim.record, it.sns_message_id if told else None)], OWNER, it.published_at)

    found = ledger.history("--link-host", "bad.example")

    assert [(again.entry, again.decided_at)] == [(it["entry"], it["decided_at"]) for it in found]


def test_pending(make_ledger: MakeLedger) -> None:
    """However old it is, unless one says since when."""
    chance = random.Random(1)
    old, new = (replace(sample(chance, NOW - timedelta(days=days)), pending=True) for days in (200, 3))
    sent = replace(sample(chance, NOW - timedelta(days=1)), pending=False)
    ledger = make_ledger([old, new, sent])

    assert [new.entry, old.entry] == [it["entry"] for it in ledger.history("--pending")]
    assert [new.entry] == [it["entry"] for it in ledger.history("--pending", "--since", "30d")]


def test_nothing(make_ledger: MakeLedger) -> None:
    """That is no failure; stderr says it, and JSON is still JSON."""
    done = make_ledger([]).run("history", "--json")
    assert (0, "[]\n", "no record was found\n") == (done.exit_code, done.stdout, done.stderr)


# --- what comes back is what was recorded -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one_record(make_ledger: MakeLedger) -> AskedLedger:
    """A ledger for one record at a time."""
    return make_ledger([])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    answer=answers | wild_answers(any_scalar, st.just("MALICIOUS")),
    context=st.none() | contexts | wild_contexts(any_text),
    detail=any_text,
)
def test_json_is_what_was_recorded(
    one_record: AskedLedger, answer: dict[str, Any], context: dict[str, Any] | None, detail: str
) -> None:
    """Each attribute, numbers as numbers, whatever the detection and the context."""
    recorded = replace(
        record(outcome="NOT_ESCALATED", decided_at=NOW, detection=read_detection(answer)),
        context=None if context is None else read_context(context),
        detail=detail.encode("utf-8", "replace").decode(),
    )
    assert [True] == one_record.ledger.record([recorded])

    given_back = one_record.run("history", "--json").stdout

    known = recorded.observation_key | attributes(recorded, one_record.ledger.retention) | {"state": "RECORDED"}
    assert [exactly(json.dumps(known))] == exactly(given_back)


def exactly(text: str) -> Any:
    """JSON with its numbers as they stand there, for 1e+16 is the same as 10000000000000000."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


# --- in which form ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(make_ledger: MakeLedger) -> tuple[AskedLedger, Sample]:
    """A record with hostile text wherever a mail, or Cloudflare, could have put it."""
    texts = dict.fromkeys(("subject", "from", "from_name", "replyto", "envelope_from", "message_id"), HOSTILE)
    lists = {name: [HOSTILE] for name in ("to", "client_recipients", "delivery_status", "detection_reasons")}
    it = sample(
        random.Random(5),
        NOW - timedelta(minutes=5),
        {
            "action": HOSTILE,
            "links": [{"href": HOSTILE, "text": HOSTILE}],
            "attachments": [{"name": HOSTILE, "sha256": HOSTILE}],
            "threat_categories": [{"name": HOSTILE}],
            "sender_info": dict.fromkeys(("pld", "ip", "as_name", "geo"), HOSTILE),
            "validation": {"spf": HOSTILE},
        },
        detail=HOSTILE,
        drift=(HOSTILE,),
        context=read_context({**texts, **lists}),
        previous=Told(HOSTILE, HOSTILE),
    )
    assert not it.observed
    return make_ledger([it]), it


COMMANDS = {
    "history": ["history"],
    "history-csv": ["history", "--csv"],
    "stats": ["stats"],
    "stats-csv": ["stats", "--csv"],
    "explain": ["explain", "ID"],
    "explain-csv": ["explain", "ID", "--csv"],
    "export-csv": ["export", "--format", "csv"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_hostile_text_in_a_pipe(hostile: tuple[AskedLedger, Sample], command: list[str]) -> None:
    """One visible line for each row; no cell is a formula."""
    ledger, it = hostile

    done = ledger.run(*(it.record.id.value if word == "ID" else word for word in command))

    assert (0, True) == (done.exit_code, "gpj" in done.stdout)
    assert done.stdout.replace("\n", "").replace("\t", "").isprintable()
    if "csv" in command or "--csv" in command:
        assert not [cell for row in csv.reader(done.stdout.splitlines()) for cell in row if cell.startswith("=")]


@pytest.mark.parametrize("columns", [60, 200])
@pytest.mark.parametrize("command", ["history", "stats", "explain"])
def test_hostile_text_on_a_terminal(hostile: tuple[AskedLedger, Sample], command: str, columns: int) -> None:
    """Nothing of it but visible characters reaches the screen, and no line is longer than it."""
    ledger, it = hostile

    status, screen = ledger.on_a_terminal(
        command, *([it.record.id.value] if command == "explain" else []), columns=columns
    )

    assert (0, True) == (status, screen.replace("\n", "").isprintable()), screen
    assert max(map(len, screen.splitlines())) <= columns


def test_csv(hostile: tuple[AskedLedger, Sample]) -> None:
    """A heading, and the record's flat columns."""
    ledger, it = hostile
    [row] = csv.DictReader(ledger.run("history", "--csv").stdout.splitlines())
    assert (it.decided_at, it.entry, it.record.id.value) == (row["decided_at"], row["entry"], row["id"])


def test_table(crowd: Crowd) -> None:
    """What matters of each record in one line, and how to go on."""
    ledger, _ = crowd

    status, screen = ledger.on_a_terminal("history", "--since", "60d", "--limit", "3", columns=120)

    heading, _, *rows, more = [line for line in screen.splitlines() if line.strip()]
    assert (0, 3, True) == (status, len(rows), "go on with --cursor" in more)
    assert ["decided", "severity", "disposition"] == heading.split()[:3]


# --- a table that is busy, or not there -------------------------------------------------------------------------------


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
def test_something_is_wrong(one_record: AskedLedger, endpoint: str, args: list[str], status: int, line: str) -> None:
    """One line on stderr that says what to do, and a status that tells a mistake from a failure."""
    done = one_record.run(*args, LEDGER_TABLE=None, AWS_ENDPOINT_URL_CLOUDFORMATION=endpoint)
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


def test_table_of_another_make(one_record: AskedLedger) -> None:
    """One without the indexes is told apart from one that is not there."""
    key: Any = [{"AttributeName": "id", "KeyType": "HASH"}]
    types: Any = [{"AttributeName": "id", "AttributeType": "S"}]
    one_record.dynamodb.create_table(
        TableName="plain",
        KeySchema=key,
        AttributeDefinitions=types,
        BillingMode="PAY_PER_REQUEST",
    )

    done = one_record.run("history", "--table", "plain")

    assert (1, True) == (done.exit_code, "name a table made from template.yaml" in done.stderr), done.stderr
