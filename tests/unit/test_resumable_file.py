"""A file that is written in steps and resumed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ops.escalator.aws import CommandFailed
from ops.escalator.output.resumable_file import ResumableFile

REQUEST = {"table": "ledger", "since": "30d", "until": None}


def write_steps(target: Path, *steps: bytes) -> None:
    """Write some steps without finishing the file."""
    with ResumableFile(target, REQUEST) as file:
        for number, step in enumerate(steps):
            file.step(step, {"count": number})


def test_resumed_file_has_complete_steps_only(tmp_path: Path) -> None:
    """Bytes after the last step are cut off, and the state is that of the last step."""
    target = tmp_path / "audit"
    write_steps(target, b"one\n", b"two\n")
    with (tmp_path / "audit.part").open("ab") as part:
        part.write(b"three, but not wh")

    with ResumableFile(target, REQUEST) as file:
        assert {"count": 1} == file.state
        file.step(b"three\n", {"count": 2})
        file.finish()

    assert b"one\ntwo\nthree\n" == target.read_bytes()
    assert ["audit"] == [it.name for it in tmp_path.iterdir()]


def test_existing_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    """A reader never sees half a file."""
    target = tmp_path / "audit"
    target.write_bytes(b"old\n")

    write_steps(target, b"new\n")
    assert b"old\n" == target.read_bytes()
    with ResumableFile(target, REQUEST) as file:
        file.finish()
    assert b"new\n" == target.read_bytes()


def test_part_without_a_checkpoint_starts_again(tmp_path: Path) -> None:
    """The process was killed before the first step, or at the very end."""
    (tmp_path / "audit.part").write_bytes(b"something\n")
    write_steps(tmp_path / "audit", b"one\n")
    assert b"one\n" == (tmp_path / "audit.part").read_bytes()


def test_second_export_to_the_same_file_is_refused(tmp_path: Path) -> None:
    """It changes nothing."""
    target = tmp_path / "audit"
    with ResumableFile(target, REQUEST) as file:
        file.step(b"one\n", {})
        with pytest.raises(
            CommandFailed, match=r"audit\.part is being written by another export; wait until it is complete"
        ):
            write_steps(target, b"two\n")
        file.step(b"two\n", {})
    assert b"one\ntwo\n" == (tmp_path / "audit.part").read_bytes()


def shorten(folder: Path) -> None:
    """Remove valid bytes."""
    (folder / "audit.part").write_bytes(b"on")


def spoil(folder: Path) -> None:
    """Make the checkpoint unreadable."""
    (folder / "audit.part.json").write_text('{"size":')


def swap(folder: Path) -> None:
    """Replace the checkpoint by that of another export."""
    (folder / "audit.part.json").write_text('{"request": {"table": "other"}, "state": {}, "size": 0}')


SPOILT = {
    "file shorter than its checkpoint": (
        shorten,
        "audit.part is shorter than its checkpoint says: delete it to start the export again",
    ),
    "unreadable checkpoint": (spoil, "audit.part.json cannot be read: delete it to start the export again"),
    "checkpoint of another export": (
        swap,
        r"audit.part belongs to another export \(table other\): finish it with those options, or delete it",
    ),
}


@pytest.mark.parametrize(("spoil_file", "message"), SPOILT.values(), ids=SPOILT)
def test_file_that_cannot_be_resumed_is_not_touched(
    tmp_path: Path, spoil_file: Callable[[Path], None], message: str
) -> None:
    """The message says what to do."""
    write_steps(tmp_path / "audit", b"one\n")
    spoil_file(tmp_path)
    before = (tmp_path / "audit.part").read_bytes()

    with pytest.raises(CommandFailed, match=message):
        write_steps(tmp_path / "audit", b"two\n")

    assert before == (tmp_path / "audit.part").read_bytes()


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    """One line says why the file cannot be written."""
    with pytest.raises(
        CommandFailed, match=r"cannot write .*: No such file or directory; check the path and the free disk space"
    ):
        write_steps(tmp_path / "none" / "audit", b"one\n")
