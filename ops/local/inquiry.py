"""What an operator asks after a run: the command line, on the table that the run has filled."""

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
class Answer:
    """A command as it is typed, its exit status, and what it printed."""

    command: str
    status: int
    printed: str

    @property
    def problems(self) -> list[str]:
        """What is wrong, where the command did not do what it is for."""
        return [] if self.status == 0 and self.printed.strip() else [f"`{self.command}` ended with {self.status}"]


def inquire(stack: Stack, mail_id: str, console: Console) -> list[Answer]:
    """Ask what was decided last, for the story of one mail, and for the page about all of it."""
    questions = (
        ["history", "--limit", "8"],
        ["explain", mail_id],
        ["report", "--since", "1h", "--output", str(REPORT)],
    )
    return [_ask(stack, words, console) for words in questions]


def _ask(stack: Stack, words: list[str], console: Console) -> Answer:
    (_ROOT / REPORT).parent.mkdir(exist_ok=True)
    colours = {"FORCE_COLOR": "1"} if console.is_terminal else {"NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "ops.escalator", *words],
        cwd=_ROOT,
        env=os.environ | stack.environment | {"COLUMNS": str(console.width), "TTY_COMPATIBLE": "1"} | colours,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Answer(" ".join(["ops/bin/escalator", *words]), done.returncode, done.stdout)
