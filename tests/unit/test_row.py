"""A record as a flat row, for CSV and for a terminal of any width."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ops.escalator.records.stored_record import AnyRecord, read_stored_record
from ops.escalator.text.labels import UNREADABLE
from ops.escalator.views.row import CSV_COLUMNS, fit_columns, flat_row, table_row
from tests.unit.items import record_item

ITEM = record_item(
    disposition="MALICIOUS-BEC",
    severity="Critical",
    state="PENDING",
    sender_domain="payments.of.the.evil.example",
    id="4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678",
    details={"subject": "Your invoice of this month", "to": ["a@x.example", "b@x.example"]},
    detection={"threat_categories": [{"name": "Phish"}, {"id": 7}]},
    detection_counts={"links": 3},
)

WIDTHS = {
    66: ["decided", "severity", "disposition", "id"],
    80: ["decided", "severity", "disposition", "sender_domain", "id"],
    150: ["decided", "severity", "disposition", "sender_domain", "delivered", "state", "id"],
    170: ["decided", "severity", "disposition", "sender_domain", "recipient", "delivered", "state", "id"],
    200: ["decided", "severity", "disposition", "sender_domain", "recipient", "delivered", "state", "id", "subject"],
}


def read(**attributes: Any) -> AnyRecord:
    """The record with these attributes in place of others."""
    return read_stored_record(ITEM | attributes)


@pytest.mark.parametrize(("width", "columns"), WIDTHS.items(), ids=[f"{it} cells" for it in WIDTHS])
def test_table_has_columns_that_fit_the_width(width: int, columns: list[str]) -> None:
    """The most important columns come first; recipients and the subject need a wide terminal."""
    assert columns == fit_columns([table_row(read())], width)[0]


@given(st.integers(66, 250), st.text(max_size=60), st.text(max_size=60))
def test_row_fits_the_width_with_any_text(width: int, domain: str, subject: str) -> None:
    """Wide characters count as two cells."""
    row = table_row(read(sender_domain=domain, details={"subject": subject}))
    columns, [fitted] = fit_columns([row], width)
    assert width + 1 >= sum(max(cell_len(str(fitted[name])), len(name)) + 3 for name in columns if fitted[name])


def test_flat_row_has_every_column() -> None:
    """Lists are joined as text, and an unknown value is None."""
    row = flat_row(read())
    assert [*CSV_COLUMNS] == [*row]
    assert ("a@x.example; b@x.example", "Phish; 7", 3, None) == (
        row["to"],
        row["categories"],
        row["links"],
        row["detail"],
    )
    assert ("2026-11-20T23:00:00.000Z", "MALICIOUS-BEC") == (row["decided_at"], row["disposition"])


def test_row_of_unreadable_record_says_why() -> None:
    """It has the same columns, with the key and the problem."""
    row = flat_row(read(outcome="POSTPONED"))
    assert [*CSV_COLUMNS] == [*row]
    assert (UNREADABLE, ITEM["pk"], ITEM["sk"]) == (row["disposition"], row["pk"], row["sk"])
    assert "attribute outcome has a value that this release does not know: 'POSTPONED'" == row["subject"]
    assert row["subject"] in table_row(read(outcome="POSTPONED")).values()
