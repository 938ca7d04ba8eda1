"""Linkifiers of web clients, which run in Node.js: how to get them, and what they find.

    python -m tests.linkifiers.linkifiers

installs them with npm next to this file, at the versions in package.json. It is bounded in time. Where they cannot be
installed it says why, and fails only with `CI=true`, and only if Node.js and npm are there.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.clock import HANG_SECONDS
from tests.report.browser import in_ci

FOLDER = Path(__file__).parent
NO_NODE = "node and npm are not installed, so no linkifier reads the defanged texts"
NOT_INSTALLED = "The linkifiers are not installed, so none reads the defanged texts: see why `make linkifiers` cannot"
_PACKAGE = FOLDER / "package.json"
_INSTALLED = FOLDER / "node_modules" / ".installed.json"
"""A copy of the package.json that was installed."""
# The versions are exact, also those of indirect dependencies. A lock file would have the addresses of one registry.
_NPM = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
# A mirror that hangs costs a minute, and not the whole bound.
_NPM += ["--fetch-timeout=30000", "--fetch-retries=1"]
_NPM_SECONDS = 180

Found = tuple[str, str, list[str]]
"""The linkifier, the text, and the links."""


def has_node() -> bool:
    """Whether there is what runs linkifiers."""
    return None not in (shutil.which("node"), shutil.which("npm"))


def installed() -> bool:
    """Whether the linkifiers of package.json are there."""
    return _INSTALLED.exists() and _INSTALLED.read_bytes() == _PACKAGE.read_bytes()


def find_links(texts: Iterable[str]) -> list[Found]:
    """What the linkifiers find in these texts."""
    done = subprocess.run(
        ["node", "find_links.js"],
        cwd=FOLDER,
        input="".join(f"{json.dumps(it)}\n" for it in texts),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=5 * HANG_SECONDS,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return [(name, text, links) for name, text, links in map(json.loads, done.stdout.splitlines())]


def _install() -> str:
    """Install them; why that failed, in one line, or nothing."""
    try:
        done = subprocess.run(
            _NPM, cwd=FOLDER, capture_output=True, text=True, errors="replace", check=False, timeout=_NPM_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"`npm install` took more than {_NPM_SECONDS} s"
    if done.returncode:
        lines = [it.strip() for it in done.stderr.splitlines() if it.strip()]
        return f"`npm install` ended with {done.returncode}: {' '.join(lines[:2])[:200] or 'it printed nothing'}"
    shutil.copyfile(_PACKAGE, _INSTALLED)
    return ""


def main() -> int:
    """Have the linkifiers, or say why there are none."""
    if installed() or not has_node():
        return 0
    print("Installing linkifiers for the test of defanged texts (once) ...", flush=True)
    failed = _install()
    if failed:
        print(f"No linkifiers can be had: {failed}.", file=sys.stderr)
    return 1 if failed and in_ci() else 0


if __name__ == "__main__":
    sys.exit(main())
