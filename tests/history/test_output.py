"""Output formats of the command line, with hostile text in the records."""

import csv
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.domain.message_details import read_message_details
from functions.domain.record import PreviousAlert
from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger, SharedTimes
from tests.history.sample_history import NOW, Sample, sample

HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\x9b2J\u202egpj\u200b.\texe\n\r@x [red]"


@pytest.fixture(scope="module")
def hostile(make_ledger: MakeLedger) -> tuple[LedgerCli, Sample]:
    """A record with hostile text in every field that a sender or Cloudflare can fill."""
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
        details=read_message_details({**texts, **lists}),
        previous=PreviousAlert(HOSTILE, HOSTILE),
    )
    assert not it.is_decision_only
    return make_ledger([it]), it


COMMANDS = {
    "history": ["history"],
    "history --csv": ["history", "--csv"],
    "stats": ["stats"],
    "stats --csv": ["stats", "--csv"],
    "explain": ["explain", "ID"],
    "explain --csv": ["explain", "ID", "--csv"],
    "export --format csv": ["export", "--format", "csv"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_hostile_text_in_a_pipe_is_visible_and_no_formula(
    hostile: tuple[LedgerCli, Sample], command: list[str]
) -> None:
    """Each row is one line, and no CSV cell starts a formula."""
    ledger, it = hostile

    done = ledger.run(*(it.record.id.value if word == "ID" else word for word in command))

    # Of the hostile values, statistics have the domain of the sender alone. A host ends before the slash.
    assert (0, True) == (done.exit_code, ("=cmd|'" if command[0] == "stats" else "gpj") in done.stdout)
    assert done.stdout.replace("\n", "").replace("\t", "").isprintable()
    if "csv" in command or "--csv" in command:
        assert not [cell for row in csv.reader(done.stdout.splitlines()) for cell in row if cell.startswith("=")]


@pytest.mark.parametrize("columns", [60, 200])
@pytest.mark.parametrize("command", ["history", "stats", "explain"])
def test_hostile_text_on_a_terminal_is_visible_and_fits(
    hostile: tuple[LedgerCli, Sample], command: str, columns: int
) -> None:
    """Only visible characters reach the screen, and no line is longer than it."""
    ledger, it = hostile

    status, screen = ledger.on_a_terminal(
        command, *([it.record.id.value] if command == "explain" else []), columns=columns
    )

    assert (0, True) == (status, screen.replace("\n", "").isprintable()), screen
    assert max(map(len, screen.splitlines())) <= columns


def test_csv_has_a_heading_and_flat_columns(hostile: tuple[LedgerCli, Sample]) -> None:
    """Columns are found by name."""
    ledger, it = hostile
    [row] = csv.DictReader(ledger.run("history", "--csv").stdout.splitlines())
    assert (it.decided_at, it.sk, it.record.id.value) == (row["decided_at"], row["sk"], row["id"])


def test_wide_terminal_has_a_column_for_the_recipient(make_ledger: MakeLedger) -> None:
    """A narrow one has none. It shows the first recipient, and how many more there are."""
    people = [{"name": "To", "value": f"person{number}@company.example"} for number in range(3)]
    it = replace(sample(random.Random(5), NOW - timedelta(minutes=5), {"headers": people}, details=None), pending=False)
    ledger = make_ledger([it])

    screens = [ledger.on_a_terminal("history", columns=columns)[1] for columns in (120, 180)]

    assert [False, True] == [" recipient " in screen for screen in screens]
    assert [False, True] == ["person0@company.example +2" in screen for screen in screens]


def test_pipe_has_the_outcome_in_its_last_column(shared_times: SharedTimes) -> None:
    """Positions of the other columns stay."""
    ledger, samples = shared_times
    lines = [line.split("\t") for line in ledger.run("history", "--since", "60d").stdout.splitlines()]
    assert len(samples) == len(lines)
    assert {it.record.outcome for it in samples} == {line[-1] for line in lines}
    assert {it.decided_at for it in samples} == {line[0] for line in lines}


def test_table_has_a_line_for_each_record(shared_times: SharedTimes) -> None:
    """The last line says how to continue."""
    ledger, _ = shared_times

    status, screen = ledger.on_a_terminal("history", "--since", "60d", "--limit", "3", columns=120)

    heading, _, *rows, more = [line for line in screen.splitlines() if line.strip()]
    assert (0, 3, True) == (status, len(rows), "Continue with --cursor" in more)
    assert ["decided", "severity", "disposition"] == heading.split()[:3]
