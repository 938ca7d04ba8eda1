"""Import times with and without byte code, for a package with time stamps of 1980."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.package import Python

_PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
started = time.perf_counter()
import functions.escalate.app
print(time.perf_counter() - started)
"""


def without_byte_code(package: Path) -> Path:
    """Copy a package without its byte code, into a folder next to it."""
    copy = package.with_name(f"{package.name}-sources")
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))  # also copies time stamps
    return copy


def import_seconds(package: Path, python: Python) -> float:
    """Measure how long a new process takes to import all modules of the function."""
    command = [python.path, "-I", "-S", "-B", "-c", _PROGRAM, str(package)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def pairs(package: Path, sources: Path, python: Python) -> Iterator[tuple[float, float]]:
    """Yield pairs of import times without end: with byte code, and from the sources."""
    while True:
        yield import_seconds(package, python), import_seconds(sources, python)
