"""A subject in a fresh process, as the side that measures sees it. `stopwatch.py` is what runs there."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

STOPWATCH = Path(__file__).with_name("stopwatch.py")


class SubjectFailed(Exception):
    """A subject ended, or did not do its whole batch: its figures would be worth nothing."""


@dataclass(frozen=True, slots=True)
class Took:
    """What one batch took: seconds of wall clock and of CPU, `init` of the former before the handler could be called.

    peak:  bytes of memory that the process has had at the most, so far.
    loads: of certificate authorities so far, for `aws` and for `cloudflare`; only where they were counted.
    """

    wall: float
    cpu: float
    init: float
    peak: int
    failures: int
    loads: dict[str, int]


class Environment:
    """One execution environment, from `with` to the end of its block. It starts with the first event, as Lambda's do."""

    def __init__(
        self,
        handler: str,
        folders: Sequence[Path],
        variables: Mapping[str, str],
        python: str,
        *,
        count_loads: bool = False,
    ) -> None:
        """handler: `module.name`, which is looked for in the folders. variables: all of its environment."""
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
        """Hand over a batch and wait for it. Raises SubjectFailed also where the subject reports failures."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        try:
            self._process.stdin.write(json.dumps(event) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise SubjectFailed(f"{self._name} ended before its batch") from exc
        line = self._process.stdout.readline()
        if not line:
            raise SubjectFailed(f"{self._name} ended during its batch; what it wrote stands above")
        took = Took(**json.loads(line))
        if took.failures:
            raise SubjectFailed(f"{self._name} reported {took.failures} failures in a batch without a fault")
        return took
