"""A file that is written in steps and goes on after an interruption, at whatever point that came.

    FILE.part        what is written so far; it takes the name FILE when it is complete
    FILE.part.json   how many of its bytes count, and which record was the last

A step first reaches the disk as bytes, and then counts, by one rename. Killed before that, the bytes do not count: they
are cut off, and written again. So no record is lost and none comes twice, whatever stands at the end of FILE.part.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ops.escalator.connection import Failed


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it came. asked: what is written, by which it is known again. state: what the writer needs to go on."""

    asked: dict[str, Any]
    state: dict[str, Any]
    size: int = 0


class Unfinished:
    """A file to be; a context, within which nobody else writes it."""

    def __init__(self, target: Path, asked: dict[str, Any]) -> None:
        self.target = target
        self.part = target.with_name(f"{target.name}.part")
        self.note = target.with_name(f"{target.name}.part.json")
        self.asked = asked
        self.state: dict[str, Any] = {}
        """As it was given with the last step that counts; empty at the beginning."""

    def __enter__(self) -> Self:
        with writing(self.target):
            self._file: IO[bytes] = self.part.open("ab")
            try:
                self._go_on()
            except BaseException:
                self._file.close()
                raise
        return self

    def _go_on(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = self.part.stat().st_ino == os.fstat(self._file.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError) as exc:
            raise Failed(f"{self.part} is being written by another export; wait for it") from exc
        if not ours:  # another has finished it since we opened it: what we hold is called FILE by now
            raise Failed(f"{self.target} has just been written by another export; look at that")
        progress = self._progress()
        if progress.asked != self.asked:
            raise Failed(
                f"{self.part} is of another export ({_said(progress.asked)}): finish that with its own options, or delete it"
            )
        if self._file.tell() < progress.size:
            raise Failed(f"{self.part} is shorter than it was: delete it, and the export begins anew")
        self._file.truncate(progress.size)
        self._file.seek(progress.size)
        self.state = progress.state

    def _progress(self) -> Progress:
        try:
            return Progress(**json.loads(self.note.read_text("utf-8")))
        except FileNotFoundError:
            return Progress(self.asked, {})
        except (ValueError, TypeError) as exc:
            raise Failed(f"{self.note} cannot be read: delete it, and the export begins anew") from exc

    def step(self, written: bytes, state: dict[str, Any]) -> None:
        """Write some more; it counts when this returns."""
        with writing(self.target):
            self._file.write(written)
            _to_disk(self._file)
            replacement = self.note.with_suffix(".new")
            with replacement.open("w", encoding="utf-8") as note:
                json.dump({"asked": self.asked, "state": state, "size": self._file.tell()}, note)
                _to_disk(note)
            replacement.replace(self.note)
        self.state = state

    def finish(self) -> None:
        """It is complete, and takes its name. Killed before the last of this, it begins anew."""
        with writing(self.target):
            self.note.unlink(missing_ok=True)
            self.part.replace(self.target)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turns what the file system raises into Failed: `cannot write <target>: ...`."""
    try:
        yield
    except OSError as exc:
        raise Failed(f"cannot write {target}: {exc.strerror}; check the path and the room on the disk") from exc


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _said(asked: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in asked.items() if value)
