"""Published alerts match the reviewed golden files."""

from pathlib import Path

import pytest

from tests.golden.published import EVENTS, FOLDER, golden


@pytest.mark.parametrize("event", EVENTS, ids=[event.stem for event in EVENTS])
def test_alert_matches_golden_file(event: Path) -> None:
    """After an intended change, run `make golden` and review `git diff tests/golden`."""
    for path, text in golden(event).items():
        assert path.read_text("utf-8") == text


def test_golden_files_cover_exactly_the_events() -> None:
    """A golden file without its event would never be compared."""
    assert {event.stem for event in EVENTS} == {path.stem for path in FOLDER.glob("*.txt")}
    assert {event.stem for event in EVENTS} == {path.stem for path in FOLDER.glob("*.json")}
