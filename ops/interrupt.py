"""Ctrl-C: one line instead of a traceback, and the status that a shell gives for it.

    python -m ops.interrupt MODULE ARGUMENTS

runs a module so, from its first import on: with the emulated AWS that is a second or two.
"""

import runpy
import sys
from collections.abc import Callable

INTERRUPTED = 130
"""128 and the number of SIGINT."""


def interruptible(main: Callable[[], int]) -> int:
    """Run it; its exit status, or that of an interruption."""
    try:
        return main()
    except KeyboardInterrupt:
        print("Interrupted: everything that was started here has ended.", file=sys.stderr)
        return INTERRUPTED


def _run_module() -> int:
    sys.argv[:] = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(interruptible(_run_module))
