"""Inside a subject's process: imports the handler, hands it each event that comes, and says what it took.

    python -I -S -B stopwatch.py time|count HANDLER FOLDER ...

It imports next to nothing itself, so that the subject pays for its own imports. FOLDERs are where modules are looked for;
with `-I -S` there are no others but Python's own. Events are lines on standard input; figures are lines on what was
standard output, which the subject no longer has. `count` counts how often authorities are loaded instead of timing.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import threading
import time

_TIMEOUT_SECONDS = 60


class _Context:
    """What Lambda passes along with an event."""

    function_name = "escalate"
    function_version = "$LATEST"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:escalate"

    def __init__(self, request_id: str) -> None:
        self.aws_request_id = request_id
        self._until = time.monotonic() + _TIMEOUT_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return int((self._until - time.monotonic()) * 1000)


class _Loads:
    """Counts the loads of certificate authorities, by whether botocore asks for it or somebody else.

    A profiler sees the very method of OpenSSL's context being called, whoever calls it; nothing has to be replaced. An
    audit hook would not do: OpenSSL opens the file by itself.
    """

    LOADING = ("load_verify_locations", "set_default_verify_paths")

    def __init__(self) -> None:
        self.counts = {"aws": 0, "cloudflare": 0}

    def start(self) -> None:
        threading.setprofile(self._see)
        sys.setprofile(self._see)

    def _see(self, frame: object, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") in self.LOADING:
            caller = frame
            while caller is not None and not caller.f_globals["__name__"].startswith("botocore"):  # type: ignore[attr-defined]  # its type would be an import
                caller = caller.f_back  # type: ignore[attr-defined]  # the same
            self.counts["aws" if caller is not None else "cloudflare"] += 1


def _peak_bytes() -> int:
    """Of this process alone: getrusage remembers its parent's as well, from before Python was started."""
    try:
        with open("/proc/self/status") as status:  # noqa: PTH123  # pathlib would be an import
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except OSError:  # no Linux; there the unit is bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _main(mode: str, handler_name: str, *folders: str) -> None:
    figures = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the log
    sys.path[:0] = folders
    module, _, name = handler_name.rpartition(".")
    loads = _Loads()
    if mode == "count":
        loads.start()
    handler = None
    for number, line in enumerate(sys.stdin):
        event = json.loads(line)
        wall, cpu = time.perf_counter(), time.process_time()
        if handler is None:
            handler = getattr(importlib.import_module(module), name)
        ready = time.perf_counter()
        response = handler(event, _Context(f"request-{number}"))
        took = {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
            "init": ready - wall,
            "peak": _peak_bytes(),
            "failures": len(response["batchItemFailures"]),
            "loads": loads.counts,
        }
        figures.write(json.dumps(took) + "\n")
        figures.flush()


if __name__ == "__main__":
    _main(*sys.argv[1:])
