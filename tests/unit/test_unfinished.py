"""A file that is written in steps, and what it is taken for when somebody comes back to it."""

from pathlib import Path

import pytest

from ops.escalator.connection import Failed
from ops.escalator.unfinished import Unfinished

ASKED = {"table": "ledger", "since": "30d", "until": None}


def begun(target: Path, *steps: bytes) -> None:
    """Write some steps, and leave."""
    with Unfinished(target, ASKED) as file:
        for number, step in enumerate(steps):
            file.step(step, {"count": number})


def test_going_on(tmp_path: Path) -> None:
    """It has what counts, and no more; the state is that of the last step."""
    target = tmp_path / "audit"
    begun(target, b"one\n", b"two\n")
    with (tmp_path / "audit.part").open("ab") as part:
        part.write(b"three, but not wh")

    with Unfinished(target, ASKED) as file:
        assert {"count": 1} == file.state
        file.step(b"three\n", {"count": 2})
        file.finish()

    assert b"one\ntwo\nthree\n" == target.read_bytes()
    assert ["audit"] == [it.name for it in tmp_path.iterdir()]


def test_file_that_is_there(tmp_path: Path) -> None:
    """It stays as it is, until the new one is complete."""
    target = tmp_path / "audit"
    target.write_bytes(b"old\n")

    begun(target, b"new\n")
    assert b"old\n" == target.read_bytes()
    with Unfinished(target, ASKED) as file:
        file.finish()
    assert b"new\n" == target.read_bytes()


def test_part_without_a_note(tmp_path: Path) -> None:
    """It was killed before anything counted, or at the very end: it begins anew."""
    (tmp_path / "audit.part").write_bytes(b"something\n")
    begun(tmp_path / "audit", b"one\n")
    assert b"one\n" == (tmp_path / "audit.part").read_bytes()


def test_two_at_the_same_time(tmp_path: Path) -> None:
    """The second is told, and changes nothing."""
    target = tmp_path / "audit"
    with Unfinished(target, ASKED) as file:
        file.step(b"one\n", {})
        with pytest.raises(Failed, match=r"audit\.part is being written by another export; wait for it"):
            begun(target, b"two\n")
        file.step(b"two\n", {})
    assert b"one\ntwo\n" == (tmp_path / "audit.part").read_bytes()


def shorten(folder: Path) -> None:
    """Take some of what counts."""
    (folder / "audit.part").write_bytes(b"on")


def spoil(folder: Path) -> None:
    """Make a note that nobody can read."""
    (folder / "audit.part.json").write_text('{"size":')


def swap(folder: Path) -> None:
    """Make it a note of something else."""
    (folder / "audit.part.json").write_text('{"asked": {"table": "other"}, "state": {}, "size": 0}')


SPOILT = {
    "shorter": (shorten, "audit.part is shorter than it was: delete it, and the export begins anew"),
    "note": (spoil, "audit.part.json cannot be read: delete it, and the export begins anew"),
    "another": (
        swap,
        r"audit.part is of another export \(table other\): finish that with its own options, or delete it",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_cannot_go_on(tmp_path: Path, case: str) -> None:
    """It says so, and touches nothing."""
    spoilt, said = SPOILT[case]
    begun(tmp_path / "audit", b"one\n")
    spoilt(tmp_path)
    before = (tmp_path / "audit.part").read_bytes()

    with pytest.raises(Failed, match=said):
        begun(tmp_path / "audit", b"two\n")

    assert before == (tmp_path / "audit.part").read_bytes()


def test_no_place_to_write(tmp_path: Path) -> None:
    """One line that says why."""
    with pytest.raises(Failed, match=r"cannot write .*: No such file or directory; check the path and the room"):
        begun(tmp_path / "none" / "audit", b"one\n")
