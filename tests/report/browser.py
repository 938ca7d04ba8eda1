"""The browser that reports are read in: where it is, and how to get one where there is none.

    python -m tests.report.browser

takes a Chromium that is there, else has playwright download one, else, as root on Debian or Ubuntu, installs the
distribution's. Each step is bounded in time. Where none can be had it says why, and fails only with `CI=true`.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NONE = "No browser starts here, so the reports are not read in one: install Chromium, or see why `make browser` cannot"
_PLAYWRIGHT = [sys.executable, "-m", "playwright"]
# A proxy or a mirror that hangs costs half a minute a try, and not the whole bound.
_APT = ["apt-get", "-qq", "-o", "Acquire::http::Timeout=30", "-o", "Acquire::Retries=1", "-o", "DPkg::Lock::Timeout=60"]
_PACKAGES = ["chromium", "fonts-liberation", "libatomic1"]
"""libatomic1 is for playwright's Node.js. Fonts are only recommended by Debian's Chromium, and without any a page has no text to measure."""


@cache
def find() -> str | None:
    """The path of a browser that starts: on the PATH, or as playwright installed it; None where there is none."""
    if _run([*_PLAYWRIGHT, "--version"], 60):  # its own Node.js does not start, so no browser can be driven
        return None
    on_path = (path for name in NAMES if (path := shutil.which(name)))
    return next(filter(_starts, on_path), None) or _of_playwright()


def in_ci() -> bool:
    """Whether it is a failure that there is none."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def _of_playwright() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) and _starts(path) else None  # noqa: PTH110  # playwright gives text


def _starts(path: str) -> bool:
    """Libraries may be missing, and Ubuntu's `chromium-browser` is a script that wants a snap."""
    return _run([path, "--version"], 30) == ""


def _install() -> Iterator[str]:
    """Try one way after the other until a browser starts; yields why each way gave none."""
    failed = _run([*_PLAYWRIGHT, "install", "chromium"], 180)
    if failed:
        yield failed
    elif _of_playwright():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        yield "apt-get is not tried, for that needs root on Debian or Ubuntu"
        return
    steps = [([*_APT, "update"], 120), ([*_APT, "install", "-y", "--no-install-recommends", *_PACKAGES], 300)]
    if not failed:
        steps.insert(0, ([*_PLAYWRIGHT, "install-deps", "chromium"], 300))
    for command, seconds in steps:
        failed = _run(command, seconds)
        if failed:
            yield failed


def _run(command: list[str], seconds: float) -> str:
    """Run a command and all that it starts, for so long at the most; why it failed, in one line, or nothing."""
    shown = " ".join(command).removeprefix(f"{sys.executable} -m ")
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        start_new_session=True,
    ) as process:
        try:
            printed, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"`{shown}` took more than {seconds:.0f} s"
        except KeyboardInterrupt:
            _end(process)
            raise
    if process.returncode == 0:
        return ""
    lines = [it.strip() for it in printed.splitlines() if it.strip()]
    why = next((it for it in lines if it.startswith(("Error:", "E:"))), lines[-1] if lines else "it printed nothing")
    return f"`{shown}` ended with {process.returncode}: {why[:200]}"


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started; dpkg gets the time to finish with a package."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def main() -> int:
    """Have a browser, or say why there is none."""
    if find():
        return 0
    print("Installing a browser for the tests of the report (once) ...", flush=True)
    reasons = list(_install())
    find.cache_clear()
    if find():
        return 0
    print(f"No browser can be had: {'; '.join(reasons)}.", file=sys.stderr)
    return 1 if in_ci() else 0


if __name__ == "__main__":
    sys.exit(main())
