"""A subject in a new process, from the side that measures. `stopwatch.py` runs in that process."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

STOPWATCH = Path(__file__).with_name("stopwatch.py")


class SubjectFailed(Exception):
    """A subject ended, or reported failures, so its figures are invalid."""


@dataclass(frozen=True, slots=True)
class Took:
    """The cost of one batch.

    wall, cpu: seconds of wall clock and of CPU. init: the part of `wall` before the call of the handler.
    peak:      peak memory of the process so far, in bytes.
    loads:     loads of certificate authorities so far, for `aws` and `cloudflare`, if they are counted.
    """

    wall: float
    cpu: float
    init: float
    peak: int
    failures: int
    loads: dict[str, int]


class Environment:
    """One execution environment during a `with` block. It imports the handler with the first event, as in Lambda."""

    def __init__(
        self,
        handler: str,
        folders: Sequence[Path],
        variables: Mapping[str, str],
        python: str,
        *,
        count_loads: bool = False,
    ) -> None:
        """Start the process. handler: `module.name`, in one of the folders. variables: its complete environment."""
        self._name = handler
        self._process = subprocess.Popen(
            [
                python,
                *("-I", "-S", "-B"),
                str(STOPWATCH),
                "count" if count_loads else "time",
                handler,
                *map(str, folders),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folders[0],
            env=dict(variables),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def invoke(self, event: dict[str, Any]) -> Took:
        """Send a batch and wait for its end. Raises SubjectFailed if the process ends or reports failures."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        try:
            self._process.stdin.write(json.dumps(event) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise SubjectFailed(f"{self._name} ended before its batch") from exc
        line = self._process.stdout.readline()
        if not line:
            raise SubjectFailed(f"{self._name} ended during its batch. Read its output above.")
        took = Took(**json.loads(line))
        if took.failures:
            raise SubjectFailed(f"{self._name} reported {took.failures} failures in a batch without faults")
        return took
