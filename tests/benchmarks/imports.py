"""What byte code is worth: the same tree of modules with it and without, all of it dated 1980."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.package import Python

_PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
begun = time.perf_counter()
import functions.escalate.app
print(time.perf_counter() - begun)
"""


def without_byte_code(package: Path) -> Path:
    """A copy of a package, beside it, with sources alone."""
    copy = package.with_name(f"{package.name}-sources")
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))  # times are copied, too
    return copy


def import_seconds(package: Path, python: Python) -> float:
    """How long a fresh process takes to import all that the function is made of."""
    command = [python.path, "-I", "-S", "-B", "-c", _PROGRAM, str(package)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def pairs(package: Path, sources: Path, python: Python) -> Iterator[tuple[float, float]]:
    """Measurements without end, in turn: with byte code, and from the sources."""
    while True:
        yield import_seconds(package, python), import_seconds(sources, python)
