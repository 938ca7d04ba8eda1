"""Run the command line on the table that a run has filled."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from ops.local.stack import Stack

REPORT = Path(".local/report.html")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command as typed, its exit status and its output."""

    command: str
    status: int
    output: str

    @property
    def problems(self) -> list[str]:
        """Report a command that failed or printed nothing."""
        if self.status != 0:
            return [f"`{self.command}` failed with status {self.status}."]
        return [] if self.output.strip() else [f"`{self.command}` printed nothing."]


def check_commands(stack: Stack, email_id: str, console: Console) -> list[CommandResult]:
    """List the last records, explain one email, and write the report."""
    commands = (
        ["history", "--limit", "8"],
        ["explain", email_id],
        ["report", "--since", "1h", "--output", str(REPORT)],
    )
    return [_run(stack, arguments, console) for arguments in commands]


def _run(stack: Stack, arguments: list[str], console: Console) -> CommandResult:
    (_ROOT / REPORT).parent.mkdir(exist_ok=True)
    colors = {"FORCE_COLOR": "1"} if console.is_terminal else {"NO_COLOR": "1"}
    process = subprocess.run(
        [sys.executable, "-m", "ops.escalator", *arguments],
        cwd=_ROOT,
        env=os.environ | stack.environment | {"COLUMNS": str(console.width), "TTY_COMPATIBLE": "1"} | colors,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return CommandResult(" ".join(["ops/bin/escalator", *arguments]), process.returncode, process.stdout)
