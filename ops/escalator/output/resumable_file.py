"""A file that is written in steps and can resume after an interruption at any point.

    FILE.part        the bytes written so far; it is renamed to FILE when it is complete
    FILE.part.json   the checkpoint: how many of those bytes are valid, and the writer's state

A step first writes its bytes to the disk and then replaces the checkpoint by one rename. If the process is killed before
that rename, the next run cuts the extra bytes off and writes them again. No record is lost and none is written twice.
All three are private files (see private_file.py). A planted checkpoint could make an export omit records.
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

from ops.escalator.aws import CommandFailed
from ops.escalator.output.private_file import check_replaceable, open_private


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Progress of a file. request: identifies what is written. state: what the writer needs to resume. size: bytes."""

    request: dict[str, Any]
    state: dict[str, Any]
    size: int = 0


class ResumableFile:
    """A file under construction, as a context. A lock keeps other processes from writing it."""

    def __init__(self, target: Path, request: dict[str, Any]) -> None:
        self.target = target
        self.part = target.with_name(f"{target.name}.part")
        self.checkpoint = target.with_name(f"{target.name}.part.json")
        self.request = request
        self.state: dict[str, Any] = {}
        """The state of the last complete step; empty at the beginning."""

    def __enter__(self) -> Self:
        with writing(self.target):
            check_replaceable(self.target)
            self._file: IO[bytes] = os.fdopen(open_private(self.part, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab")
            try:
                self._resume()
            except BaseException:
                self._file.close()
                raise
        return self

    def _resume(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_current = self.part.stat().st_ino == os.fstat(self._file.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError) as exc:
            raise CommandFailed(f"{self.part} is being written by another export; wait until it is complete") from exc
        if not is_current:  # another process completed and renamed it after it was opened here
            raise CommandFailed(f"{self.target} was completed by another export at the same moment; check that file")
        checkpoint = self._read_checkpoint()
        if checkpoint.request != self.request:
            raise CommandFailed(
                f"{self.part} belongs to another export ({_described(checkpoint.request)}): finish it with those options, or delete it"
            )
        if self._file.tell() < checkpoint.size:
            raise CommandFailed(f"{self.part} is shorter than its checkpoint says: delete it to start the export again")
        self._file.truncate(checkpoint.size)
        self._file.seek(checkpoint.size)
        self.state = checkpoint.state

    def _read_checkpoint(self) -> Checkpoint:
        try:
            with os.fdopen(open_private(self.checkpoint, os.O_RDONLY), encoding="utf-8") as file:
                return Checkpoint(**json.load(file))
        except FileNotFoundError:
            return Checkpoint(self.request, {})
        except (ValueError, TypeError) as exc:
            raise CommandFailed(f"{self.checkpoint} cannot be read: delete it to start the export again") from exc

    def step(self, written: bytes, state: dict[str, Any]) -> None:
        """Append bytes and set the state. Both are on the disk when this returns."""
        with writing(self.target):
            self._file.write(written)
            _to_disk(self._file)
            replacement = self.checkpoint.with_suffix(".new")
            descriptor = open_private(replacement, os.O_WRONLY | os.O_CREAT)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.truncate(0)  # left by a run that was killed
                json.dump({"request": self.request, "state": state, "size": self._file.tell()}, file)
                _to_disk(file)
            replacement.replace(self.checkpoint)
        self.state = state

    def finish(self) -> None:
        """Rename the complete file to its target. If the process is killed during this, the export starts again."""
        with writing(self.target):
            self.checkpoint.unlink(missing_ok=True)
            self.part.replace(self.target)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Translate errors of the file system into CommandFailed: `cannot write <target>: ...`."""
    try:
        yield
    except OSError as exc:
        raise CommandFailed(f"cannot write {target}: {exc.strerror}; check the path and the free disk space") from exc


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _described(request: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in request.items() if value)
