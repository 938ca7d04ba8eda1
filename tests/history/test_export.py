"""`escalator export`: every record exactly once, with any number of interruptions."""

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
from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger
from tests.history.sample_history import NOW, Sample, sample_history

SINCE = "60d"


@dataclass(frozen=True)
class Exported:
    """A ledger of several hundred records, some of them in the same millisecond."""

    ledger: LedgerCli
    samples: list[Sample]

    def complete(self, form: str) -> str:
        """The export without an interruption."""
        done = self.ledger.run("export", "--since", SINCE, "--format", form)
        assert (0, "") == (done.exit_code, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def exported(make_ledger: MakeLedger) -> Exported:
    """A ledger of 450 records."""
    samples = sample_history(450)
    return Exported(make_ledger(samples), samples)


def test_jsonl_has_each_record_as_recorded(exported: Exported) -> None:
    """Records are oldest first, one in a line."""
    lines = exported.complete("jsonl").splitlines()

    records = [json.loads(line) for line in lines]
    assert [it.decided_at for it in exported.samples] == [it["decided_at"] for it in records]
    assert sorted(it.sk for it in exported.samples) == sorted(it["sk"] for it in records)
    assert exported.ledger.history("--since", SINCE, "--limit", "1") == records[-1:]


def test_csv_has_a_heading_and_a_line_for_each_record(exported: Exported) -> None:
    """No value contains a line end."""
    lines = exported.complete("csv").splitlines()

    rows = list(csv.DictReader(lines))
    assert len(exported.samples) == len(rows) == len(lines) - 1
    assert [it.decided_at for it in exported.samples] == [it["decided_at"] for it in rows]


def test_ocsf_has_the_published_findings(exported: Exported) -> None:
    """Records without an alert are left out."""
    findings = [json.loads(line) for line in exported.complete("ocsf").splitlines()]

    alerted = [it.record for it in exported.samples if not it.is_decision_only]
    published = [json.loads(describe(it).bodies["default"]) for it in alerted]
    assert by_uid(published) == by_uid(findings)
    assert len(alerted) == len(findings)


def by_uid(findings: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The findings by their unique id."""
    return {it["metadata"]["uid"]: it for it in findings}


def test_export_takes_the_options_of_history(exported: Exported) -> None:
    """They select the records."""
    done = exported.ledger.run("export", "--since", SINCE, "--severity", "high")

    wanted = [it.sk for it in exported.samples if it.record.severity == "High"]
    assert sorted(wanted) == sorted(json.loads(line)["sk"] for line in done.stdout.splitlines())


# --- interrupted ------------------------------------------------------------------------------------------------------


def killed_after_each_page(ledger: LedgerCli, file: Path, *args: str, torn: bytes = b"") -> Iterator[int]:
    """Export, and kill the process when it requests its second page, until one run completes. Yield the size each time.

    torn: bytes to append after each kill, as if the process had been killed while it wrote them.
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


def killed_after_a_page(ledger: LedgerCli, *args: str) -> subprocess.Popen[bytes]:
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
    "ocsf": b'{"a": "complete line without a checkpoint"}\n',
}


@pytest.mark.parametrize(("form", "torn"), TORN.items(), ids=TORN.keys())
def test_export_killed_at_several_points_is_complete(
    exported: Exported, tmp_path: Path, form: str, torn: bytes
) -> None:
    """The file is the same as without a kill, whatever bytes were at its end."""
    file, points = tmp_path / "audit", []

    for size in killed_after_each_page(exported.ledger, file, "--since", SINCE, "--format", form, torn=torn):
        points.append(size)
        assert not file.exists()

    assert exported.complete(form) == file.read_text("utf-8")
    assert ["audit"] == [it.name for it in tmp_path.iterdir()]
    assert len(points) >= 3


def interrupted(exported: Exported, file: Path, *args: str) -> None:
    """Start an export and kill it."""
    next(killed_after_each_page(exported.ledger, file, *args))


def test_resumed_export_keeps_the_time_range_of_the_first_run(exported: Exported, tmp_path: Path) -> None:
    """A --since such as 60d would give another range by now."""
    file = tmp_path / "audit"
    interrupted(exported, file, "--since", SINCE)
    checkpoint = tmp_path / "audit.part.json"
    state = json.loads(checkpoint.read_text())["state"]
    until = NOW - timedelta(days=30)
    checkpoint.write_text(
        json.dumps({**json.loads(checkpoint.read_text()), "state": {**state, "until": until.isoformat()}})
    )

    done = exported.ledger.run("export", "--since", SINCE, "-o", str(file))

    wanted = [it.sk for it in exported.samples if it.record.decided_at < until]
    assert (0, f"Wrote {len(wanted)} records to {file}.") == (done.exit_code, done.stderr.splitlines()[-1])
    assert sorted(wanted) == sorted(json.loads(line)["sk"] for line in file.read_text().splitlines())


OTHERS = {
    "format": ["--since", SINCE, "--format", "csv"],
    "span": ["--since", "59d"],
    "filter": ["--since", SINCE, "--severity", "high"],
}


@pytest.mark.parametrize("args", OTHERS.values(), ids=OTHERS.keys())
def test_export_with_other_options_does_not_resume(exported: Exported, tmp_path: Path, args: list[str]) -> None:
    """The message names the options of the first export, and the file is not touched."""
    file = tmp_path / "audit"
    interrupted(exported, file, "--since", SINCE)
    before = (tmp_path / "audit.part").read_bytes()

    done = exported.ledger.run("export", *args, "-o", str(file))

    assert (1, 1) == (done.exit_code, done.stderr.count("\n"))
    assert (
        f"audit.part belongs to another export (table {exported.ledger.table}, format jsonl, since {SINCE})"
        in done.stderr
    )
    assert before == (tmp_path / "audit.part").read_bytes()


def test_unreachable_table_says_how_to_resume(exported: Exported, tmp_path: Path) -> None:
    """One line says what failed, and the same command resumes."""
    file = tmp_path / "audit"
    interrupted(exported, file, "--since", SINCE)

    done = exported.ledger.run(
        "export", "--since", SINCE, "-o", str(file), AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:1"
    )

    assert (1, True) == (
        done.exit_code,
        "; run the same command again to resume after " in done.stderr.splitlines()[-1],
    )
    assert 0 == exported.ledger.run("export", "--since", SINCE, "-o", str(file)).exit_code
    assert exported.complete("jsonl") == file.read_text()


def test_terminal_shows_a_progress_bar(exported: Exported, tmp_path: Path) -> None:
    """The bar disappears at the end, and the last line stays."""
    file = tmp_path / "audit"

    status, screen = exported.ledger.on_a_terminal("export", "--since", SINCE, "-o", str(file), columns=300)

    assert (0, True) == (status, "Records" in screen and "%" in screen)
    assert f"Wrote {len(exported.samples)} records to {file}." == screen.splitlines()[-1].rpartition("\x1b[2K")[2]
