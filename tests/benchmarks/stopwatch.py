"""Runs in a subject's process: import the handler, pass it each event, and measure the call.

    python -I -S -B stopwatch.py time|count HANDLER FOLDER ...

It imports few modules itself, so that the times include the subject's own imports. Modules are in the FOLDERs; with
`-I -S`, Python adds only its own. Events are lines on standard input. Figures are lines on the original standard output,
which the subject cannot write to. `count` counts loads of certificate authorities; the times are then not usable.
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
    """The context object that Lambda passes with an event."""

    function_name = "escalate"
    function_version = "$LATEST"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:escalate"

    def __init__(self, request_id: str) -> None:
        self.aws_request_id = request_id
        self._deadline = time.monotonic() + _TIMEOUT_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return int((self._deadline - time.monotonic()) * 1000)


class _Loads:
    """Counts the loads of certificate authorities, by botocore and by all other callers.

    A profiler sees each call of the method of OpenSSL's context, without patches. An audit hook does not, because
    OpenSSL opens the file itself.
    """

    LOADING = ("load_verify_locations", "set_default_verify_paths")

    def __init__(self) -> None:
        self.counts = {"aws": 0, "cloudflare": 0}

    def start(self) -> None:
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    def _profile(self, frame: object, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") in self.LOADING:
            caller = frame
            while caller is not None and not caller.f_globals["__name__"].startswith("botocore"):  # type: ignore[attr-defined]  # its type would be an import
                caller = caller.f_back  # type: ignore[attr-defined]  # the same
            self.counts["aws" if caller is not None else "cloudflare"] += 1


def _peak_bytes() -> int:
    """Return this process's peak memory. getrusage includes the parent's, from before Python was started."""
    try:
        with open("/proc/self/status") as status:  # noqa: PTH123  # pathlib would be an import
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except OSError:  # not Linux; macOS reports bytes
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
