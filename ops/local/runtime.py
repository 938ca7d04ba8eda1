"""A Lambda execution environment: a process of its own that imports the handler once and is given event after event.

The same file is both sides: `Environment` starts `python -m ops.local.runtime HANDLER` and talks to it over its
standard input and output. What the handler prints is its log; the last line of an invocation is its result.
"""

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).parents[2]
_RESULT = "\x1eresult "
"""Begins the line that carries a result: a control character, which JSON log lines never hold."""


class FunctionError(Exception):
    """The function raised, or its process ended: what it wrote last stands in the text."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The response of one invocation, and the lines that it logged."""

    response: dict[str, Any]
    log: list[str]

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """The log lines that tell an outcome."""
        lines = [json.loads(line) for line in self.log if line.startswith("{")]
        return [line for line in lines if line.get("message") == "outcome"]


class Environment:
    """One execution environment. It starts with the first invocation, as Lambda's do."""

    def __init__(self, handler: str, variables: dict[str, str], timeout: int) -> None:
        """handler: `module.name`. variables: the function's environment. timeout: seconds of an invocation."""
        self._handler = handler
        self._variables = variables
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def invoke(self, event: dict[str, Any], request_id: str | None = None) -> Invocation:
        """Hand over one event and wait for its response. Raises FunctionError; the next invocation starts afresh."""
        process = self._process = self._process or self._start()
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        try:
            process.stdin.write(json.dumps({"id": request_id or str(uuid.uuid4()), "event": event}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended during init: what it wrote is read below
        log: list[str] = []
        for line in process.stdout:
            if line.startswith(_RESULT):
                result = json.loads(line.removeprefix(_RESULT))
                if "error" in result:
                    raise FunctionError(result["error"])
                return Invocation(result["response"], log)
            log.append(line.rstrip("\n"))
        self.stop()
        raise FunctionError("\n".join(["the function's process ended:", *log]))

    def send_signal(self, number: int) -> None:
        """Stop, continue or kill the process, from any thread, in the middle of its work."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """End the process, and wait until it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "ops.local.runtime", self._handler, str(self._timeout)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=_ROOT,
            env=inherited | self._variables | {"AWS_LAMBDA_FUNCTION_NAME": "escalate", "PYTHONUNBUFFERED": "1"},
        )


class _Context:
    """What Lambda passes along with an event."""

    function_name = "escalate"
    function_version = "$LATEST"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:escalate"

    def __init__(self, request_id: str, timeout: float) -> None:
        self.aws_request_id = request_id
        self._until = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.monotonic()) * 1000))


def main() -> None:
    """The process's side: import the handler, then answer every event on standard input."""
    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    for line in sys.stdin:
        try:
            call = json.loads(line)
            result = {"response": handler(call["event"], _Context(call["id"], float(sys.argv[2])))}
        except Exception:  # noqa: BLE001  # Lambda, too, turns whatever a handler raises into an error response
            result = {"error": traceback.format_exc()}
        print(_RESULT + json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
