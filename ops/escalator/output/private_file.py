"""Files that only the user can read, and that no other user can redirect.

Another user of a shared folder such as /tmp can plant a link under the name of a file, so that its content overwrites
some other file, or plant a file that they can read. Such a file is refused before anything is written.
"""

import errno
import os
import stat
from pathlib import Path

from ops.escalator.aws import CommandFailed

MODE = 0o600


def check_replaceable(path: Path) -> None:
    """Raise CommandFailed unless this is a regular file or missing, so that a rename can replace it."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise _refused(path, "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file")


def open_private(path: Path, flags: int) -> int:
    """Open a file and return its descriptor. Raises CommandFailed if another user may have planted it, or OSError.

    flags: of `os.open`, without O_TRUNC, which would empty a planted file before it is checked.
    """
    try:
        # O_NONBLOCK: a named pipe fails, instead of waiting for a reader.
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, MODE)
    except OSError as exc:
        # What Linux and macOS return for a link, and for a named pipe without a reader or a socket.
        if exc.errno == errno.ELOOP and path.is_symlink():
            raise _refused(path, "a symbolic link") from exc
        if exc.errno == errno.ENXIO:
            raise _refused(path, "not a regular file") from exc
        raise
    if planted := _planted(os.fstat(descriptor)):
        os.close(descriptor)
        raise _refused(path, planted)
    os.fchmod(descriptor, MODE)
    return descriptor


def _planted(found: os.stat_result) -> str | None:
    """What is wrong with an open file; None for a file of this user that has no other name."""
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file"
    if found.st_nlink > 1:
        return "a hard link to another file"
    return None if found.st_uid == os.geteuid() else "a file of another user"


def _refused(path: Path, what: str) -> CommandFailed:
    return CommandFailed(f"{path} is {what}; delete it, or choose another file with -o")
