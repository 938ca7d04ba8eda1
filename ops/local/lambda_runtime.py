"""A Lambda execution environment: a process that imports the handler once and handles one event at a time.

This file has both sides: `Environment` starts `python -m ops.local.lambda_runtime HANDLER` and uses its standard input
and output. The handler's output is its log; the last line of an invocation is the result.
"""

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).parents[2]
_RESULT = "\x1eresult "
"""Prefix of the line with the result: a control character that JSON log lines never contain."""


class FunctionError(Exception):
    """The function raised an exception, or its process ended. The message has its last output."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The response and the log lines of one invocation."""

    response: dict[str, Any]
    log: list[str]

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """The log lines of outcomes."""
        lines = [json.loads(line) for line in self.log if line.startswith("{")]
        return [line for line in lines if line.get("message") == "outcome"]


class Environment:
    """One execution environment. Its process starts with the first invocation, as in Lambda."""

    def __init__(
        self,
        handler: str,
        variables: dict[str, str],
        timeout: int,
        write_log: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        """Set the handler (`module.name`), the function's environment and the timeout of an invocation in seconds.

        write_log: gets the lines of each invocation that returns.
        """
        self._handler = handler
        self._variables = variables
        self._timeout = timeout
        self._write_log = write_log
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def invoke(self, event: dict[str, Any], request_id: str | None = None) -> Invocation:
        """Send one event and wait for the response.

        Raises FunctionError. After the process ended, the next invocation starts a new one.
        """
        process = self._process = self._process or self._start()
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        try:
            process.stdin.write(json.dumps({"id": request_id or str(uuid.uuid4()), "event": event}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # the process ended during init; its output is read below
        log: list[str] = []
        for line in process.stdout:
            if line.startswith(_RESULT):
                result = json.loads(line.removeprefix(_RESULT))
                self._write_log(log)
                if "error" in result:
                    raise FunctionError(result["error"])
                return Invocation(result["response"], log)
            log.append(line.rstrip("\n"))
        self.stop()
        raise FunctionError("\n".join(["the function's process ended:", *log]))

    def send_signal(self, number: int) -> None:
        """Stop, continue or kill the process. Any thread can call this during an invocation."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """Kill the process and wait for its end."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "ops.local.lambda_runtime", self._handler, str(self._timeout)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=_ROOT,
            env=inherited | self._variables | {"AWS_LAMBDA_FUNCTION_NAME": "escalate", "PYTHONUNBUFFERED": "1"},
        )


class _Context:
    """The context object that Lambda passes with an event."""

    function_name = "escalate"
    function_version = "$LATEST"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:escalate"

    def __init__(self, request_id: str, timeout: float) -> None:
        self.aws_request_id = request_id
        self._deadline = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main() -> None:
    """Import the handler, then handle each event from standard input. Runs in the function's process."""
    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    for line in sys.stdin:
        try:
            call = json.loads(line)
            result = {"response": handler(call["event"], _Context(call["id"], float(sys.argv[2])))}
        except Exception:  # noqa: BLE001  # Lambda also turns any exception of a handler into an error response
            result = {"error": traceback.format_exc()}
        print(_RESULT + json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
