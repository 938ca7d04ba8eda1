"""The packages as they would be deployed: whole folders, with the time stamps of a SAM zip.

This function's is made by the very recipe that `sam build` runs. A peer's is what `sam build` makes of its requirements:
its wheels, unpacked, without byte code. With what pip compiles by default the peers would be larger, and start more
slowly: byte code that goes by time stamps is read in vain, for a zip of SAM says 1980 of every file.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.distributions import pins
from tests.benchmarks.subjects import Subject

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
RUNTIME = "3.13"
"""The Python that the function has in Lambda."""
_1980 = 315_532_800


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter on which everybody is measured. version: such as 3.13."""

    path: str
    version: str


def choose_python() -> Python:
    """The runtime's own Python where it is on the PATH, as for `sam build`; else the one that runs here.

    Byte code is for one version of Python, and what a cold start costs depends on it. So the packages are built for the
    version that they are measured with; a stranger's machine need not have 3.13, and ratios hardly depend on it.
    """
    found = shutil.which(f"python{RUNTIME}")
    if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
        return Python(found, RUNTIME)
    return Python(sys.executable, "{}.{}".format(*sys.version_info))


def build(subject: Subject, folder: Path, python: Python) -> Path:
    """The subject's package in a folder of its name."""
    package = folder / subject.package
    package.mkdir(parents=True)
    if subject.requires is None:
        _make(package, python)
    else:
        _install(pins(subject.requires), package, python)
        copy_sources(subject, package)
    for path in package.rglob("*"):
        os.utime(path, (_1980, _1980))
    return package


def copy_sources(subject: Subject, package: Path) -> None:
    """What the author of a peer has written, beside what it requires."""
    shutil.copy(PEERS / f"{subject.package}.py", package)
    shutil.copytree(ROOT / "schemas", package / "schemas")


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _make(package: Path, python: Python) -> None:
    path = os.pathsep.join([str(Path(python.path).parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(
        [
            *("make", "--no-print-directory", "build-EscalateFunction"),
            *(f"ARTIFACTS_DIR={package}", f"RUNTIME={python.version}"),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        check=True,
    )


def _install(requirements: list[str], package: Path, python: Python) -> None:
    if not requirements:
        return
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-compile", "--no-deps", "--only-binary", ":all:"),
            *("--implementation", "cp", "--python-version", python.version),
            *("--target", str(package), *requirements),
        ],
        check=True,
    )
    shutil.rmtree(package / "bin", ignore_errors=True)
