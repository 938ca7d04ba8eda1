"""ops/venv.py: an environment is created completely or not at all, with a clear error message."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import importlib.util, sys
sys.argv = ["venv.py", *{arguments!r}]
sys.path.insert(0, {hidden!r})
{before}
exec(compile(open("ops/venv.py").read(), "venv.py", "exec"))
"""


def venv(*arguments: str, before: str = "", hidden: str = "") -> tuple[int, str]:
    """Run venv.py, and return its status and stderr. before: code that changes the interpreter first."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM.format(arguments=arguments, before=before, hidden=hidden)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_old_python_is_reported_with_a_command_to_run(tmp_path: Path) -> None:
    status, stderr = venv("make", str(tmp_path / "x"), before="sys.version_info = (3, 9, 2)")
    assert (1, 1, False) == (status, stderr.count("\n"), (tmp_path / "x").exists())
    assert "is Python 3.9.2, but Python 3.11 or later is required" in stderr
    assert "`make run PYTHON=python3." in stderr


def test_missing_system_package_is_reported_and_leaves_no_folder(tmp_path: Path) -> None:
    hide = (
        "real = importlib.util.find_spec; importlib.util.find_spec = lambda it: it != 'ensurepip' and real(it) or None"
    )
    status, stderr = venv("make", str(tmp_path / "x"), before=hide)
    assert (1, 1, False) == (status, stderr.count("\n"), (tmp_path / "x").exists())
    assert f"apt-get install python3.{sys.version_info[1]}-venv" in stderr


def test_failure_leaves_no_incomplete_environment(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a file in place of the folder")
    status, stderr = venv("make", str(tmp_path / "x" / "y"))
    assert (1, False) == (status, (tmp_path / "x" / "y").exists())
    assert "failed with status" in stderr


def test_environment_of_another_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.2.1\n")
    status, stderr = venv("check", str(tmp_path))
    assert (1, 1) == (status, stderr.count("\n"))
    assert f"{tmp_path} has Python 3.2.1" in stderr
    assert "Run `make clean`" in stderr


def test_environment_of_this_python_passes(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {sys.version_info[0]}.{sys.version_info[1]}.0\n")
    assert (0, "") == venv("check", str(tmp_path))


def test_check_without_an_environment_passes(tmp_path: Path) -> None:
    assert (0, "") == venv("check", str(tmp_path / "x"))
