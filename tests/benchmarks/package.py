"""The packages as they would be deployed: complete folders, with the time stamps of a SAM zip.

The function's package comes from the recipe that `sam build` runs. A baseline's package is what `sam build` makes of its
requirements: unpacked wheels without byte code. With the byte code that pip compiles by default, the baselines would be
larger and start more slowly: Python ignores it, because all files of a SAM zip are dated 1980.
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
BASELINES = Path(__file__).parent / "baselines"
RUNTIME = "3.13"
"""The function's Python version in Lambda."""
_1980 = 315_532_800


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter for all subjects. version: such as 3.13."""

    path: str
    version: str


def choose_python() -> Python:
    """Choose the runtime's Python if it is on the PATH, as `sam build` does, else the current one.

    Byte code is specific to a version of Python, and the time of a cold start depends on it. So the packages are built
    for the version that runs them. A machine without 3.13 can run the benchmark, because ratios hardly depend on it.
    """
    found = shutil.which(f"python{RUNTIME}")
    if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
        return Python(found, RUNTIME)
    return Python(sys.executable, "{}.{}".format(*sys.version_info))


def build(subject: Subject, folder: Path, python: Python) -> Path:
    """Build the subject's package in a folder with its name."""
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
    """Copy a baseline's own code and the schemas into its package."""
    shutil.copy(BASELINES / f"{subject.package}.py", package)
    shutil.copytree(ROOT / "schemas", package / "schemas")


def size(folder: Path) -> int:
    """Return the total size of all files in bytes."""
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
