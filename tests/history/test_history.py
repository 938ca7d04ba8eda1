"""`escalator history`: pages, cursors, forms of output, and whatever somebody wrote into a mail."""

import csv
import json
import random
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.cloudflare.detection import read_detection
from functions.cloudflare.excerpt import excerpt
from ops.escalator.connection import Failed
from ops.escalator.question import Question
from ops.escalator.span import Span
from ops.escalator.stored import Item
from ops.escalator.trail import PAUSES, Trail
from tests.history.ledger import AskedLedger
from tests.history.seed import NOW, record, with_pointers, write
from tests.strategies import any_scalar, answers, wild_answers

MakeLedger = Callable[[Sequence[Item]], AskedLedger]
HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\x9b2J\u202egpj\u200b.\texe\n\r@x [red]"
MORE = re.compile(r"go on with --cursor (\S+)")


@pytest.fixture(scope="module")
def crowd(make_ledger: MakeLedger) -> tuple[AskedLedger, list[Item]]:
    """Sixty records in three milliseconds of two months, all with the same link."""
    chance, month_ends = random.Random(3), NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    moments = [month_ends - timedelta(milliseconds=1), month_ends, month_ends + timedelta(milliseconds=1)]
    link = {"links": [{"href": "https://bad.example/"}], "threat_categories": []}
    records = [record(chance, moments[number % 3], detection=link, sender_ip="203.0.113.5") for number in range(60)]
    return make_ledger(list(with_pointers(records))), records


ASKED = {
    "time": ["--since", "60d"],
    "index": ["--since", "60d", "--sender-ip", "203[.]0[.]113[.]5"],
    "pointer": ["--since", "60d", "--link-host", "BAD[.]example"],
    "both": ["--since", "60d", "--link-host", "bad.example", "--sender-ip", "203.0.113.5"],
}


@pytest.mark.parametrize("limit", [1, 7, 20, 60, 100])
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_pages_by_cursor(crowd: tuple[AskedLedger, list[Item]], asked: list[str], limit: int) -> None:
    """Joined they are the whole, without gap or repeat, also where many are of the same millisecond."""
    if limit == 1:
        asked = [*asked, "--until", str(NOW.date().replace(day=1))]
    ledger, records = crowd
    wanted = [it for it in records if limit > 1 or it["month"] != max(it["month"] for it in records)]
    joined: list[dict[str, Any]] = []
    cursor: list[str] = []
    for _ in range(len(records) + 1):
        done = ledger.run("history", *asked, "--limit", str(limit), *cursor, "--json")
        found = json.loads(done.stdout)
        joined += found
        assert len(found) <= limit
        if not (more := MORE.search(done.stderr)):
            break
        cursor = ["--cursor", more[1]]

    assert sorted((it["decided_at"] for it in wanted), reverse=True) == [it["decided_at"] for it in joined]
    assert sorted(it["entry"] for it in wanted) == sorted(it["entry"] for it in joined)


def test_cursor_of_another_question(crowd: tuple[AskedLedger, list[Item]]) -> None:
    """Refused: it would give neither answer."""
    ledger, _ = crowd
    cursor = MORE.search(ledger.run("history", *ASKED["index"], "--limit", "5").stderr)
    assert cursor is not None

    done = ledger.run("history", *ASKED["pointer"], "--cursor", cursor[1])

    assert (2, "") == (done.exit_code, done.stdout)
    assert "the cursor belongs to another question: repeat the options that it came with" in done.stderr


def test_record_taken_up_again(make_ledger: MakeLedger) -> None:
    """Its pointers of the first time are still there; it is shown once, at the time of the second."""
    first = record(random.Random(1), NOW - timedelta(hours=2), detection={"links": [{"href": "https://bad.example/"}]})
    second = record(random.Random(1), NOW - timedelta(hours=1), detection=first["detection"])
    assert first["entry"] == second["entry"]

    ledger = make_ledger([it for it in with_pointers([first, second]) if it is not first])

    assert [second["decided_at"]] == [it["decided_at"] for it in ledger.history("--link-host", "bad.example")]


def test_pending(make_ledger: MakeLedger) -> None:
    """However old it is, unless one says since when."""
    chance = random.Random(1)
    records = [record(chance, NOW - timedelta(days=days), state="PENDING", pending="yes") for days in (300, 3)]
    ledger = make_ledger([*records, record(chance, NOW - timedelta(days=1), state="SENT")])

    assert [it["id"] for it in reversed(records)] == [it["id"] for it in ledger.history("--pending")]
    assert [records[1]["id"]] == [it["id"] for it in ledger.history("--pending", "--since", "30d")]


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
@given(answer=answers | wild_answers(any_scalar, st.just("MALICIOUS")), detail=st.text(min_size=1))
def test_json_is_what_was_recorded(one_record: AskedLedger, answer: dict[str, Any], detail: str) -> None:
    """Each attribute, numbers as numbers, whatever the detection."""
    kept = excerpt(read_detection(answer), 100_000)
    detail = detail.encode("utf-8", "replace").decode()
    fields = json.loads(json.dumps(kept.fields), parse_float=Decimal)
    item = record(random.Random(1), NOW, detection=fields, detection_counts=kept.counts, detail=detail)
    write(one_record.dynamodb, one_record.table, [item])

    [found] = one_record.history("--until", "2100-01-01")

    assert item | {"detection": kept.fields} == found


# --- in which form ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(make_ledger: MakeLedger) -> tuple[AskedLedger, Item]:
    """A record with hostile text wherever a mail, or Cloudflare, could have put it."""
    item = record(
        random.Random(5),
        NOW - timedelta(minutes=5),
        sender_domain=HOSTILE,
        sender_ip=HOSTILE,
        detail=HOSTILE,
        drift=[HOSTILE],
        delivery_status=[HOSTILE],
        previous_disposition=HOSTILE,
        context={name: HOSTILE for name in ("subject", "from", "from_name")} | {"to": [HOSTILE]},
        detection={
            "action": HOSTILE,
            "threat_categories": [{"name": HOSTILE}],
            "sender_info": {"as_name": HOSTILE, "geo": HOSTILE},
            "validation": {"spf": HOSTILE},
        },
    )
    return make_ledger([item]), item


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
def test_hostile_text_in_a_pipe(hostile: tuple[AskedLedger, Item], command: list[str]) -> None:
    """One visible line for each row; no cell is a formula."""
    ledger, item = hostile

    done = ledger.run(*(item["id"] if it == "ID" else it for it in command))

    assert (0, True) == (done.exit_code, "gpj" in done.stdout)
    assert done.stdout.replace("\n", "").replace("\t", "").isprintable()
    if "csv" in command or "--csv" in command:
        assert not [cell for row in csv.reader(done.stdout.splitlines()) for cell in row if cell.startswith("=")]


@pytest.mark.parametrize("columns", [60, 200])
@pytest.mark.parametrize("command", ["history", "stats", "explain"])
def test_hostile_text_on_a_terminal(hostile: tuple[AskedLedger, Item], command: str, columns: int) -> None:
    """Nothing of it but visible characters reaches the screen, and no line is longer than it."""
    ledger, item = hostile

    status, screen = ledger.on_a_terminal(command, *([item["id"]] if command == "explain" else []), columns=columns)

    assert (0, True) == (status, screen.replace("\n", "").isprintable())
    assert max(map(len, screen.splitlines())) <= columns


def test_csv(hostile: tuple[AskedLedger, Item]) -> None:
    """A heading, and the record's flat columns."""
    ledger, item = hostile
    [row] = csv.DictReader(ledger.run("history", "--csv").stdout.splitlines())
    assert (item["decided_at"], item["entry"], item["id"]) == (row["decided_at"], row["entry"], row["id"])


def test_table(crowd: tuple[AskedLedger, list[Item]]) -> None:
    """What matters of each record in one line, and how to go on."""
    ledger, _ = crowd

    status, screen = ledger.on_a_terminal("history", "--since", "60d", "--limit", "3", columns=120)

    heading, _, *rows, more = [line for line in screen.splitlines() if line.strip()]
    assert (0, 3, True) == (status, len(rows), "go on with --cursor" in more)
    assert ["decided", "severity", "disposition", "sender", "domain"] == heading.split()[:5]


# --- a table that is busy, or not there -------------------------------------------------------------------------------


def keys_only(item: Item) -> Any:
    """A record, as far as an index of keys has it."""
    return {name: {"S": item[name]} for name in ("about", "entry", "decided_at")}


def test_keys_that_are_not_processed() -> None:
    """They are asked for again: at once after progress, after growing pauses without; the order stays."""
    chance = random.Random(1)
    found = [keys_only(record(chance, NOW - timedelta(minutes=it))) for it in (1, 2, 3)]
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
    item = keys_only(record(random.Random(1), NOW))
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
    "no-time": (["history", "--since", "yesterday"], 2, "--since 'yesterday' is no time: give 90m, 24h, 7d"),
    "turned-round": (["stats", "--since", "1d", "--until", "2d"], 2, "nothing lies between --since 1d and --until 2d."),
    "no-severity": (["history", "--severity", "bad"], 2, "Invalid value for '--severity': 'bad' is not one of"),
    "empty-value": (["history", "--table", "t", "--link-host", " "], 2, "--link-host is empty."),
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
def test_something_is_wrong(one_record: AskedLedger, args: list[str], status: int, line: str) -> None:
    """One line on stderr that says what to do, and a status that tells a mistake from a failure."""
    done = one_record.run(*args, LEDGER_TABLE=None, AWS_ENDPOINT_URL_CLOUDFORMATION=one_record.url)
    assert (status, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    assert done.stderr.startswith(f"escalator: {line}")


def test_table_of_another_make(one_record: AskedLedger) -> None:
    """One without the indexes is told apart from one that is not there."""
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    types: Any = [{"AttributeName": "id", "AttributeType": "S"}]
    one_record.dynamodb.create_table(
        TableName="plain",
        KeySchema=key,
        AttributeDefinitions=types,
        BillingMode="PAY_PER_REQUEST",  # type: ignore[arg-type]  # a plain dict of the right shape
    )

    done = one_record.run("history", "--table", "plain")

    assert (1, True) == (done.exit_code, "name a table made from template.yaml" in done.stderr)
