"""The package that `sam build` makes, by the recipe in the Makefile, for the Python that runs the tests.

These tests download the pinned wheels of both architectures. They are skipped, with the reason, if pip cannot download.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINS = ROOT / "functions" / "requirements.txt"
RUNTIME = "{}.{}".format(*sys.version_info)
ABI = f"cpython-{RUNTIME.replace('.', '')}"
ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
"""The field e_machine of an ELF header."""
COMPILED = {
    "_cffi_backend": "PyInit__cffi_backend",
    "ada_url/_ada_wrapper": "PyInit__ada_wrapper",
    "rpds/rpds": "PyInit_rpds",
}
"""The compiled modules, and the function that Python calls to load each."""
ONLY_FOR_COMPILATION = ("cffi", "pycparser", "bin", "docs", "ada_url/ada.cpp", "ada_url/ada.h", "ada_url/ada_build.py")
MINUTES = 60
READ_HOSTS = """
import sys
sys.path.insert(0, sys.argv[1])
import functions.escalate.app
import ada_url
from functions.domain.indicators import IndicatorKind, canonical
assert ada_url.__file__.startswith(sys.argv[1]), ada_url.__file__
print(*(canonical(IndicatorKind.HOST, url) for url in ("https://B\\u00fccher.example./x", "http://0x7f.1/")))
"""


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        # The recipe runs `python3 -m pip`, which the system's Python may not have.
        env=os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        timeout=5 * MINUTES,
        check=False,
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package."""
    folder = tmp_path_factory.mktemp("package")
    [pin] = [line.split()[0] for line in PINS.read_text("utf-8").splitlines() if line.startswith("six==")]
    download = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--dest")
    if (probe := _run(*download, str(tmp_path_factory.mktemp("probe")), pin)).returncode:
        pytest.skip(f"The package tests require pip to download: {probe.stderr.splitlines()[-1]}")
    done = _run(
        "make", "--no-print-directory", "build-EscalateFunction", f"ARTIFACTS_DIR={folder}", f"RUNTIME={RUNTIME}"
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("machine", ELF_MACHINES)
@pytest.mark.parametrize("module", COMPILED)
def test_compiled_module_has_the_name_that_python_looks_for_first(package: Path, module: str, machine: str) -> None:
    """A file of the other architecture under this name would make every cold start fail."""
    content = (package / f"{module}.{ABI}-{machine}-linux-gnu.so").read_bytes()
    assert (b"\x7fELF", ELF_MACHINES[machine]) == (content[:4], int.from_bytes(content[18:20], "little"))
    assert COMPILED[module].encode() in content


def test_package_has_no_other_compiled_module(package: Path) -> None:
    """A new one needs a name for each architecture, too."""
    found = {str(path.relative_to(package)) for path in package.rglob("*.so")}
    assert {f"{module}.{ABI}-{machine}-linux-gnu.so" for module in COMPILED for machine in ELF_MACHINES} == found


@pytest.mark.parametrize("name", ONLY_FOR_COMPILATION)
def test_package_has_nothing_that_only_a_compilation_needs(package: Path, name: str) -> None:
    assert not (package / name).exists()


def test_package_imports_without_any_other_library(package: Path) -> None:
    """The host of a URL is read by the compiled module of this machine's architecture."""
    if sys.platform != "linux":
        pytest.skip("The package has compiled modules for Linux only")
    done = _run(sys.executable, "-I", "-S", "-c", READ_HOSTS, str(package))
    assert (0, "xn--bcher-kva.example 127.0.0.1\n") == (done.returncode, done.stdout), done.stderr
