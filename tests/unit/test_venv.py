"""venv.py: an environment is made completely or not at all, and what keeps it from being made is said."""

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
    """Status and stderr; `before` changes the interpreter that runs it."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM.format(arguments=arguments, before=before, hidden=hidden)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_old_python_is_named_with_what_to_do(tmp_path: Path) -> None:
    status, said = venv("make", str(tmp_path / "x"), before="sys.version_info = (3, 9, 2)")
    assert (1, 1, False) == (status, said.count("\n"), (tmp_path / "x").exists())
    assert "is Python 3.9.2, and Python 3.11 or later is needed" in said
    assert "`make run PYTHON=python3." in said


def test_missing_package_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    hide = (
        "real = importlib.util.find_spec; importlib.util.find_spec = lambda it: it != 'ensurepip' and real(it) or None"
    )
    status, said = venv("make", str(tmp_path / "x"), before=hide)
    assert (1, 1, False) == (status, said.count("\n"), (tmp_path / "x").exists())
    assert f"apt-get install python3.{sys.version_info[1]}-venv" in said


def test_failure_leaves_nothing_half_made(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a file, where a folder is to be")
    status, said = venv("make", str(tmp_path / "x" / "y"))
    assert (1, False) == (status, (tmp_path / "x" / "y").exists())
    assert "ended with status" in said


def test_environment_of_another_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.2.1\n")
    status, said = venv("check", str(tmp_path))
    assert (1, 1) == (status, said.count("\n"))
    assert f"{tmp_path} was made with Python 3.2.1" in said
    assert "Run `make clean`" in said


def test_environment_of_this_python_passes(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {sys.version_info[0]}.{sys.version_info[1]}.0\n")
    assert (0, "") == venv("check", str(tmp_path))


def test_check_of_no_environment_passes(tmp_path: Path) -> None:
    assert (0, "") == venv("check", str(tmp_path / "x"))
