"""Create a virtual environment for the Makefile, completely or not at all.

    python3 ops/venv.py make FOLDER
    python3 ops/venv.py check FOLDER...

`check` fails if a folder has an environment of another Python version. Any `python3` must be able to run this file and
print a clear message, so it uses nothing newer than Python 3.6.
"""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

OLDEST = (3, 11)
NEWEST = (3, 14)
"""The range of versions that the tests run on."""


def main(command: str, *folders: str) -> str:
    """Run a command, and return an error message, or an empty string on success."""
    problem = _too_old() or _no_venv()
    if problem:
        return problem
    for folder in map(Path, folders):
        problem = _make(folder) if command == "make" else _other_python(folder)
        if problem:
            return problem
    return ""


def _too_old() -> str:
    if sys.version_info[:2] >= OLDEST:
        return ""
    versions = range(NEWEST[1], OLDEST[1] - 1, -1)
    found = next((it for it in (f"python3.{minor}" for minor in versions) if shutil.which(it)), None)
    advice = f"This machine has {found}. Run" if found else "Install it, then run"
    return (
        f"{sys.executable} is Python {_version()}, but Python {OLDEST[0]}.{OLDEST[1]} or later is required. "
        f"{advice} `make run PYTHON={found or 'python3.12'}`."
    )


def _no_venv() -> str:
    missing = [it for it in ("venv", "ensurepip") if find_spec(it) is None]
    if not missing:
        return ""
    package = f"python3.{sys.version_info[1]}-venv"
    return (
        f"{sys.executable} cannot create a virtual environment: its module {missing[0]} is not installed. "
        f"On Debian or Ubuntu, run `apt-get install {package}` as root, then try again."
    )


def _make(folder: Path) -> str:
    status = None
    try:
        status = subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=False).returncode
    finally:
        if status != 0:
            shutil.rmtree(folder, ignore_errors=True)
    return f"`{sys.executable} -m venv {folder}` failed with status {status}. Read its output above." if status else ""


def _other_python(folder: Path) -> str:
    settings = folder / "pyvenv.cfg"
    if not settings.exists():
        return ""
    lines = [line.partition("=") for line in settings.read_text("utf-8").splitlines()]
    made_with = next((value.strip() for name, _, value in lines if name.strip() == "version"), "")
    if made_with.split(".")[:2] == _version().split(".")[:2]:
        return ""
    return f"{folder} has Python {made_with}, but PYTHON is {_version()}. Run `make clean`, then try again."


def _version() -> str:
    return ".".join(map(str, sys.version_info[:3]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
