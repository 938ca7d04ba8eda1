"""`escalator report`: the records of a time range as an HTML file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger
from tests.history.sample_history import Sample, sample_history

DATA = re.compile(r"<script[^>]* type=\"application/json\"[^>]*>(.*?)</script>", re.DOTALL)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Decisions of sixty days."""
    return sample_history(120)


@pytest.fixture(scope="module")
def reported(make_ledger: MakeLedger, samples: list[Sample]) -> LedgerCli:
    """A ledger with these decisions."""
    return make_ledger(samples)


def listed(page: Path) -> list[Any]:
    """The records in the page's data."""
    [data] = DATA.findall(page.read_text("utf-8"))
    found = json.loads(data)
    return found if isinstance(found, list) else found["records"]


def test_report_has_all_records_of_the_time_range(reported: LedgerCli, samples: list[Sample], tmp_path: Path) -> None:
    """The last line says how many there are, and in which file."""
    page = tmp_path / "report.html"

    done = reported.run("report", "--since", "60d", "-o", str(page))

    assert (0, "", f"Wrote {len(samples)} records to {page}.\n") == (done.exit_code, done.stdout, done.stderr)
    assert len(samples) == len(listed(page))
    assert ["report.html"] == [it.name for it in tmp_path.iterdir()]


def test_report_takes_the_options_of_history(reported: LedgerCli, samples: list[Sample], tmp_path: Path) -> None:
    """They select the records."""
    page = tmp_path / "report.html"

    reported.run("report", "--since", "60d", "--severity", "high", "-o", str(page))

    assert sum(it.record.severity == "High" for it in samples) == len(listed(page))


def test_failed_report_leaves_the_old_file(reported: LedgerCli, tmp_path: Path) -> None:
    """No temporary file is left."""
    page = tmp_path / "report.html"
    page.write_text("old")

    done = reported.run("report", "--table", "none", "-o", str(page))

    assert (1, "old", ["report.html"]) == (done.exit_code, page.read_text(), [it.name for it in tmp_path.iterdir()])
    assert done.stderr.startswith("escalator: cannot read the table none: ")


def test_report_to_a_missing_folder_says_why(reported: LedgerCli, tmp_path: Path) -> None:
    """It is one line on stderr."""
    done = reported.run("report", "-o", str(tmp_path / "none" / "report.html"))
    assert (1, 1) == (done.exit_code, done.stderr.count("\n"))
    assert "No such file or directory; check the path" in done.stderr
