"""Records that this release cannot read: each command shows them, and none fails because of them."""

import csv
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from functions.domain.record import moment
from functions.ledger.attribute_values import to_item
from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger
from tests.history.sample_history import NOW, sample_history
from tests.unit.items import record_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PROBLEM = "attribute outcome has a value that this release does not know: 'POSTPONED'"
READABLE = 20


def put_unreadable(dynamodb: "DynamoDBClient", table: str, **attributes: str) -> None:
    """Put a record of a later release into the table. It has an outcome that this release does not know."""
    at = moment(NOW - timedelta(minutes=3))
    item = record_item(outcome="POSTPONED", decided_at=at, month=at[:7], **attributes)
    item["sk"] += "#9"
    dynamodb.put_item(TableName=table, Item=to_item(item))


@pytest.fixture(scope="module")
def ledger_with_one(make_ledger: MakeLedger) -> LedgerCli:
    """A ledger with some records that can be read and one that cannot."""
    ledger = make_ledger(sample_history(READABLE))
    put_unreadable(ledger.dynamodb, ledger.table)
    return ledger


def test_history_shows_it_as_a_row(ledger_with_one: LedgerCli) -> None:
    """The row says why, and stderr counts it."""
    done = ledger_with_one.run("history", "--since", "60d", "--csv")

    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert (0, READABLE + 1) == (done.exit_code, len(rows))
    assert [PROBLEM] == [it["detail"] for it in rows if it["disposition"] == "(unreadable)"]
    assert done.stderr.startswith("1 record cannot be read by release ")
    assert PROBLEM in done.stderr


def test_history_as_json_prints_it_as_recorded(ledger_with_one: LedgerCli) -> None:
    """A program may know more than this release."""
    assert ["POSTPONED"] == [it["outcome"] for it in ledger_with_one.history("--since", "1h")][:1]


def test_terminal_shows_it_as_a_row(ledger_with_one: LedgerCli) -> None:
    """The line at the end says why also where the terminal is narrow."""
    status, screen = ledger_with_one.on_a_terminal("history", "--since", "60d", columns=80)

    assert (0, True) == (status, "(unreadable)" in screen)
    assert PROBLEM in " ".join(screen.split())


def test_statistics_leave_it_out_and_say_so(ledger_with_one: LedgerCli) -> None:
    """The other records are counted."""
    done = ledger_with_one.run("stats", "--since", "60d", "--json")

    assert (0, READABLE) == (done.exit_code, json.loads(done.stdout)["records"])
    assert "The statistics do not include such records" in done.stderr


EXPORTS = {"jsonl": READABLE + 1, "csv": READABLE + 2}


@pytest.mark.parametrize(("form", "lines"), EXPORTS.items(), ids=EXPORTS)
def test_export_has_a_line_for_it(ledger_with_one: LedgerCli, tmp_path: Path, form: str, lines: int) -> None:
    """Csv has a heading, too."""
    file = tmp_path / "audit"

    done = ledger_with_one.run("export", "--since", "60d", "--format", form, "-o", str(file))

    assert (0, lines) == (done.exit_code, len(file.read_text("utf-8").splitlines()))
    assert done.stderr.startswith("1 record cannot be read by release ")


def test_ocsf_export_leaves_it_out(ledger_with_one: LedgerCli) -> None:
    """There is no finding that could be made from it."""
    done = ledger_with_one.run("export", "--since", "60d", "--format", "ocsf")

    assert (0, False) == (done.exit_code, "POSTPONED" in done.stdout)
    assert done.stderr.startswith("1 record cannot be read by release ")


def test_report_lists_it(ledger_with_one: LedgerCli, tmp_path: Path) -> None:
    """The page counts it, and its line says why."""
    page = tmp_path / "report.html"

    done = ledger_with_one.run("report", "--since", "60d", "-o", str(page))

    text = page.read_text("utf-8")
    assert 0 == done.exit_code
    assert re.search(r"1 that this release cannot read\.", text)
    assert f"This record cannot be read: {PROBLEM}" in text
    assert f"Wrote {READABLE + 1} records to {page}.\n" in done.stderr
