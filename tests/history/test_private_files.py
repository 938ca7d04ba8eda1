"""The files that the command line writes: who can read them, and files that another user has planted."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.escalator.aws import CommandFailed
from ops.escalator.output.private_file import open_private
from ops.escalator.output.resumable_file import ResumableFile
from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger
from tests.history.sample_history import sample_history

WRITERS = {
    "report": ("report",),
    "export as jsonl": ("export", "--format", "jsonl"),
    "export as ocsf": ("export", "--format", "ocsf"),
    "export as csv": ("export", "--format", "csv"),
}
PLANTED = {
    **{f"{name} to a linked file": (command, "out") for name, command in WRITERS.items()},
    **{
        f"{name} with a linked {kind}": (command, f"out.part{suffix}")
        for name, command in WRITERS.items()
        if name != "report"
        for kind, suffix in (("part", ""), ("checkpoint", ".json"), ("new checkpoint", ".new"))
    },
}


@pytest.fixture(scope="module")
def ledger(make_ledger: MakeLedger) -> LedgerCli:
    """A ledger with some records."""
    return make_ledger(sample_history(5))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def _open_umask() -> object:
    """A process whose files would be readable and writable by everyone."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_umask")
@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("old", [None, 0o666], ids=["new file", "file that others could read"])
def test_written_file_is_readable_by_its_user_only(
    ledger: LedgerCli, tmp_path: Path, command: tuple[str, ...], old: int | None
) -> None:
    """A record has recipients, subjects and links of real emails."""
    file = tmp_path / "out"
    if old is not None:
        file.write_text("old")
        file.chmod(old)

    done = ledger.run(*command, "--since", "60d", "-o", str(file))

    assert 0 == done.exit_code, done.stderr
    assert (0o600, ["out"]) == (mode(file), [it.name for it in tmp_path.iterdir()])


@pytest.mark.usefixtures("_open_umask")
def test_unfinished_export_is_readable_by_its_user_only(tmp_path: Path) -> None:
    """Also a file that a release without this rule has begun."""
    (tmp_path / "out.part").touch(0o666)

    with ResumableFile(tmp_path / "out", {}) as file:
        file.step(b"one\n", {})

    assert {"out.part": 0o600, "out.part.json": 0o600} == {it.name: mode(it) for it in tmp_path.iterdir()}


@pytest.mark.parametrize("exists", [True, False], ids=["to an existing file", "to a missing file"])
@pytest.mark.parametrize(("command", "planted"), PLANTED.values(), ids=PLANTED)
def test_planted_link_is_refused(
    ledger: LedgerCli, tmp_path: Path, command: tuple[str, ...], planted: str, exists: bool
) -> None:
    """The file behind the link is neither written nor created, and the error names the link."""
    behind, folder = tmp_path / "behind", tmp_path / "shared"
    folder.mkdir()
    if exists:
        behind.write_text("precious")
    link = folder / planted
    link.symlink_to(behind)

    done = ledger.run(*command, "--since", "60d", "-o", str(folder / "out"))

    expected = f"escalator: {link} is a symbolic link; delete it, or choose another file with -o\n"
    assert (1, True) == (done.exit_code, done.stderr.endswith(expected)), done.stderr
    assert ("precious" if exists else None) == (behind.read_text() if behind.exists() else None)
    assert link.is_symlink()
    assert planted == "out" or not (folder / "out").exists()


def hard_link(path: Path) -> None:
    (path.parent / "precious").write_text("precious")
    path.hardlink_to(path.parent / "precious")


def named_pipe(path: Path) -> None:
    os.mkfifo(path)


def listening_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


KINDS = {
    "hard link": (hard_link, "is a hard link to another file; delete it"),
    "named pipe": (named_pipe, "is not a regular file; delete it"),
    "socket": (listening_socket, "is not a regular file; delete it"),
}


@pytest.mark.parametrize(("plant", "message"), KINDS.values(), ids=KINDS)
def test_other_planted_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], None], message: str
) -> None:
    """A hard link would let the export overwrite its other name; a pipe would send the records to its reader."""
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    plant(Path("out.part"))

    with pytest.raises(CommandFailed, match=message), ResumableFile(Path("out"), {}):
        pass

    assert not (tmp_path / "precious").exists() or "precious" == (tmp_path / "precious").read_text()


def file_of_another_user(folder: Path) -> Path:
    """A readable file with another owner. Only root can make one; for other users, root's files are."""
    if os.geteuid() != 0:
        return Path("/etc/passwd")
    checkpoint = folder / "out.part.json"
    checkpoint.write_text('{"request": {}, "state": {"count": 9}, "size": 0}')
    os.chown(checkpoint, 65534, 65534)
    return checkpoint


def test_file_of_another_user_is_refused(tmp_path: Path) -> None:
    """Its owner could read what is written, or has written a checkpoint that omits records."""
    planted = file_of_another_user(tmp_path)
    with pytest.raises(CommandFailed, match=f"{planted} is a file of another user; delete it"):
        open_private(planted, os.O_RDONLY)


@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS)
def test_device_is_not_replaced(ledger: LedgerCli, tmp_path: Path, command: tuple[str, ...]) -> None:
    """A rename would replace the device by a file. A named pipe takes its place here."""
    named_pipe(tmp_path / "out")

    done = ledger.run(*command, "-o", str(tmp_path / "out"))

    assert (1, 1) == (done.exit_code, done.stderr.count("\n"))
    assert f"{tmp_path / 'out'} is not a regular file" in done.stderr
    assert (tmp_path / "out").is_fifo()
