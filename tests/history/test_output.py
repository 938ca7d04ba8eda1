"""In which form an operator gets what is in the ledger, whatever somebody wrote into a mail."""

import csv
import random
from datetime import timedelta

import pytest

from functions.cloudflare.context import read_context
from functions.ledger.record import Told
from tests.history.asked import AskedLedger
from tests.history.conftest import Crowd, MakeLedger
from tests.history.past import NOW, Sample, sample

HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\x9b2J\u202egpj\u200b.\texe\n\r@x [red]"


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
