"""Ctrl-C during a command: one line on stderr and status 130."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WAITS = """
import signal
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.parametrize(("command", "import_of"), [(["ops.interrupt", "slow"], "slow"), (["ops.escalator"], "click")])
def test_interrupt_during_import_prints_one_line(tmp_path: Path, command: list[str], import_of: str) -> None:
    (tmp_path / f"{import_of}.py").write_text(WAITS)
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()

    assert (130, 1) == (process.returncode, stderr.count("\n")), stderr
    assert "nterrupted" in stderr
