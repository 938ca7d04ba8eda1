"""What is published is what somebody has read and found good."""

from pathlib import Path

import pytest

from tests.golden.published import EVENTS, FOLDER, golden


@pytest.mark.parametrize("event", EVENTS, ids=[event.stem for event in EVENTS])
def test_golden(event: Path) -> None:
    """A difference is for a human to look at: `make golden`, then `git diff tests/golden`."""
    for path, text in golden(event).items():
        assert path.read_text("utf-8") == text


def test_every_event_and_no_other() -> None:
    """A file about an event that is gone would be held against nothing."""
    assert {event.stem for event in EVENTS} == {path.stem for path in FOLDER.glob("*.txt")}
    assert {event.stem for event in EVENTS} == {path.stem for path in FOLDER.glob("*.json")}
