"""`escalator report`: the records of a span, as a page in a file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.history.asked import AskedLedger
from tests.history.conftest import MakeLedger
from tests.history.past import Sample, past

DATA = re.compile(r"<script[^>]* type=\"application/json\"[^>]*>(.*?)</script>", re.DOTALL)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Decisions of sixty days."""
    return past(120)


@pytest.fixture(scope="module")
def reported(make_ledger: MakeLedger, samples: list[Sample]) -> AskedLedger:
    """A ledger that has them."""
    return make_ledger(samples)


def listed(page: Path) -> list[Any]:
    """What the page has in its list."""
    [data] = DATA.findall(page.read_text("utf-8"))
    found = json.loads(data)
    return found if isinstance(found, list) else found["records"]


def test_report(reported: AskedLedger, samples: list[Sample], tmp_path: Path) -> None:
    """All records of the span are in the file; the last line says how many, and where."""
    page = tmp_path / "report.html"

    done = reported.run("report", "--since", "60d", "-o", str(page))

    assert (0, "", f"{len(samples)} records in {page}\n") == (done.exit_code, done.stdout, done.stderr)
    assert len(samples) == len(listed(page))
    assert ["report.html"] == [it.name for it in tmp_path.iterdir()]


def test_report_on_some(reported: AskedLedger, samples: list[Sample], tmp_path: Path) -> None:
    """The options of history choose."""
    page = tmp_path / "report.html"

    reported.run("report", "--since", "60d", "--severity", "high", "-o", str(page))

    assert sum(it.record.severity == "High" for it in samples) == len(listed(page))


def test_report_that_fails(reported: AskedLedger, tmp_path: Path) -> None:
    """The old one stays, and nothing else is left behind."""
    page = tmp_path / "report.html"
    page.write_text("old")

    done = reported.run("report", "--table", "none", "-o", str(page))

    assert (1, "old", ["report.html"]) == (done.exit_code, page.read_text(), [it.name for it in tmp_path.iterdir()])
    assert done.stderr.startswith("escalator: cannot read the table none: ")


def test_report_without_a_place(reported: AskedLedger, tmp_path: Path) -> None:
    """One line says why it cannot be written."""
    done = reported.run("report", "-o", str(tmp_path / "none" / "report.html"))
    assert (1, 1) == (done.exit_code, done.stderr.count("\n"))
    assert "No such file or directory; check the path" in done.stderr
