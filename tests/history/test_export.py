"""`escalator export`: everything, once, however often it is interrupted."""

import csv
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.alert.alert import describe
from tests.clock import HANG_SECONDS, wait_for
from tests.faults.proxy import Fault, Proxy, Script
from tests.history.asked import AskedLedger
from tests.history.conftest import MakeLedger
from tests.history.past import NOW, Sample, past

SINCE = "60d"


@dataclass(frozen=True)
class Exported:
    """A ledger of several hundred records, of which several are of the same millisecond."""

    ledger: AskedLedger
    samples: list[Sample]

    def whole(self, form: str) -> str:
        """What is exported without any interruption."""
        done = self.ledger.run("export", "--since", SINCE, "--format", form)
        assert (0, "") == (done.exit_code, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def exported(make_ledger: MakeLedger) -> Exported:
    """Such a ledger."""
    samples = past(450)
    return Exported(make_ledger(samples), samples)


def test_jsonl(exported: Exported) -> None:
    """Each record whole, oldest first, one in a line."""
    lines = exported.whole("jsonl").splitlines()

    records = [json.loads(line) for line in lines]
    assert [it.decided_at for it in exported.samples] == [it["decided_at"] for it in records]
    assert sorted(it.entry for it in exported.samples) == sorted(it["entry"] for it in records)
    assert exported.ledger.history("--since", SINCE, "--limit", "1") == records[-1:]


def test_csv(exported: Exported) -> None:
    """A heading and a row for each, each in one line."""
    lines = exported.whole("csv").splitlines()

    rows = list(csv.DictReader(lines))
    assert len(exported.samples) == len(rows) == len(lines) - 1
    assert [it.decided_at for it in exported.samples] == [it["decided_at"] for it in rows]


def test_ocsf(exported: Exported) -> None:
    """The alert about each record that has one: the very finding that was published."""
    findings = [json.loads(line) for line in exported.whole("ocsf").splitlines()]

    told = [it.record for it in exported.samples if not it.observed]
    published = [json.loads(describe(it).bodies["default"]) for it in told]
    assert by_uid(published) == by_uid(findings)
    assert len(told) == len(findings)


def by_uid(findings: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each under what it alone has."""
    return {it["metadata"]["uid"]: it for it in findings}


def test_filters(exported: Exported) -> None:
    """Those of history are taken too."""
    done = exported.ledger.run("export", "--since", SINCE, "--severity", "high")

    wanted = [it.entry for it in exported.samples if it.record.severity == "High"]
    assert sorted(wanted) == sorted(json.loads(line)["entry"] for line in done.stdout.splitlines())


# --- interrupted ------------------------------------------------------------------------------------------------------


def killed_after_each_page(ledger: AskedLedger, file: Path, *args: str, torn: bytes = b"") -> Iterator[int]:
    """Export, and kill the process when it asks for its second page, until one ends by itself; the file's size each time.

    torn: what is then put at the file's end, as if the process had been killed while it wrote that.
    """
    part, size = file.with_name(f"{file.name}.part"), 0
    for _ in range(50):
        process = killed_after_a_page(ledger, "export", *args, "-o", str(file))
        if process.returncode == 0:
            return
        assert -signal.SIGKILL == process.returncode
        assert part.stat().st_size > size
        size = part.stat().st_size
        with part.open("ab") as end:
            end.write(torn)
        yield size


def killed_after_a_page(ledger: AskedLedger, *args: str) -> subprocess.Popen[bytes]:
    """Run `escalator ...`, and kill it when it asks for its second page of records; the process, which has ended."""
    started = threading.Event()

    def send_signal(number: int) -> None:
        wait_for(started, "the process starts")
        process.send_signal(number)

    script = Script({("BatchGetItem", 2): Fault(kill_before=True)})
    with Proxy(ledger.url, script, send_signal) as proxy, replace(ledger, url=proxy.origin).start(*args) as process:
        started.set()
        process.wait(HANG_SECONDS)
    return process


TORN = {
    "jsonl": b"",
    "csv": b"2026-11-24T06:43:01.123Z,ESCALA",
    "ocsf": b'{"a": "whole line, but it was not yet said that it counts"}\n',
}


@pytest.mark.parametrize(("form", "torn"), TORN.items(), ids=TORN.keys())
def test_killed(exported: Exported, tmp_path: Path, form: str, torn: bytes) -> None:
    """Killed at several points, whatever then stands at the file's end, it is at last the same as in one go."""
    file, points = tmp_path / "audit", []

    for size in killed_after_each_page(exported.ledger, file, "--since", SINCE, "--format", form, torn=torn):
        points.append(size)
        assert not file.exists()

    assert exported.whole(form) == file.read_text("utf-8")
    assert ["audit"] == [it.name for it in tmp_path.iterdir()]
    assert len(points) >= 3


def interrupted(exported: Exported, file: Path, *args: str) -> None:
    """Begin an export, and kill it."""
    next(killed_after_each_page(exported.ledger, file, *args))


def test_span_of_the_first_time(exported: Exported, tmp_path: Path) -> None:
    """What is going on is the export that began, not one of another span."""
    file = tmp_path / "audit"
    interrupted(exported, file, "--since", SINCE)
    note = tmp_path / "audit.part.json"
    begun = json.loads(note.read_text())["state"]
    until = NOW - timedelta(days=30)
    note.write_text(json.dumps({**json.loads(note.read_text()), "state": {**begun, "until": until.isoformat()}}))

    done = exported.ledger.run("export", "--since", SINCE, "-o", str(file))

    wanted = [it.entry for it in exported.samples if it.record.decided_at < until]
    assert (0, f"{len(wanted)} records in {file}") == (done.exit_code, done.stderr.splitlines()[-1])
    assert sorted(wanted) == sorted(json.loads(line)["entry"] for line in file.read_text().splitlines())


OTHERS = {
    "format": ["--since", SINCE, "--format", "csv"],
    "span": ["--since", "59d"],
    "filter": ["--since", SINCE, "--severity", "high"],
}


@pytest.mark.parametrize("args", OTHERS.values(), ids=OTHERS.keys())
def test_another_export(exported: Exported, tmp_path: Path, args: list[str]) -> None:
    """It does not go on in the file of the first, and says what that is."""
    file = tmp_path / "audit"
    interrupted(exported, file, "--since", SINCE)
    before = (tmp_path / "audit.part").read_bytes()

    done = exported.ledger.run("export", *args, "-o", str(file))

    assert (1, 1) == (done.exit_code, done.stderr.count("\n"))
    assert (
        f"audit.part is of another export (table {exported.ledger.table}, format jsonl, since {SINCE})" in done.stderr
    )
    assert before == (tmp_path / "audit.part").read_bytes()


def test_table_that_goes_away(exported: Exported, tmp_path: Path) -> None:
    """One line says what failed, and that the same command goes on."""
    file = tmp_path / "audit"
    interrupted(exported, file, "--since", SINCE)

    done = exported.ledger.run(
        "export", "--since", SINCE, "-o", str(file), AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:1"
    )

    assert (1, True) == (done.exit_code, "; the same command goes on after " in done.stderr.splitlines()[-1])
    assert 0 == exported.ledger.run("export", "--since", SINCE, "-o", str(file)).exit_code
    assert exported.whole("jsonl") == file.read_text()


def test_bar_on_a_terminal(exported: Exported, tmp_path: Path) -> None:
    """How far it is, while it lasts; the line at the end stays."""
    file = tmp_path / "audit"

    status, screen = exported.ledger.on_a_terminal("export", "--since", SINCE, "-o", str(file), columns=300)

    assert (0, True) == (status, "Records" in screen and "%" in screen)
    assert f"{len(exported.samples)} records in {file}" == screen.splitlines()[-1].rpartition("\x1b[2K")[2]
