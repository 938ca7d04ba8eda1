"""A record as a row, for a terminal of any width."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ops.escalator.columns import FLAT, fitting, flat, shown

RECORD: dict[str, Any] = {
    "about": "4Njp3P0STMz2c02Q",
    "decided_at": "2026-11-20T23:00:00.000Z",
    "outcome": "ESCALATED",
    "disposition": "MALICIOUS-BEC",
    "severity": "Critical",
    "state": "PENDING",
    "delivered": "unknown",
    "sender_domain": "payments.of.the.evil.example",
    "id": "4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678",
    "context": {"subject": "Your invoice of this month", "to": ["a@x.example", "b@x.example"]},
    "detection": {"threat_categories": [{"name": "Phish"}, {"id": 7}]},
    "detection_counts": {"links": 3},
}

WIDTHS = {
    66: ["decided", "severity", "disposition", "id"],
    80: ["decided", "severity", "disposition", "sender_domain", "id"],
    150: ["decided", "severity", "disposition", "sender_domain", "delivered", "state", "id"],
    200: ["decided", "severity", "disposition", "sender_domain", "delivered", "state", "id", "subject"],
}


@pytest.mark.parametrize(("width", "columns"), WIDTHS.items(), ids=map(str, WIDTHS))
def test_width(width: int, columns: list[str]) -> None:
    """What matters most is there; a wide terminal has the subject too."""
    assert columns == fitting([shown(RECORD)], width)[0]


@given(st.integers(66, 250), st.text(max_size=60), st.text(max_size=60))
def test_any_text(width: int, domain: str, subject: str) -> None:
    """A row fits, however wide its letters are, from the width on at which its fixed columns do."""
    [row] = [shown(RECORD | {"sender_domain": domain, "context": {"subject": subject}})]
    columns, [shown_row] = fitting([row], width)
    assert width + 1 >= sum(max(cell_len(str(shown_row[name])), len(name)) + 3 for name in columns if shown_row[name])


def test_flat() -> None:
    """Every column, lists as text, and nothing where nothing is known."""
    row = flat(RECORD)
    assert [*FLAT] == [*row]
    assert ("a@x.example; b@x.example", "Phish; 7", 3, None) == (
        row["to"],
        row["categories"],
        row["links"],
        row["detail"],
    )
