"""Handle Ctrl-C: print one line instead of a traceback, and exit with status 130.

    python -m ops.interrupt MODULE ARGUMENTS

This runs a module and also covers its imports, which take a second or two with the emulated AWS.
"""

import runpy
import sys
from collections.abc import Callable

INTERRUPTED = 130
"""128 plus the number of SIGINT, as shells report it."""


def interruptible(main: Callable[[], int]) -> int:
    """Call `main` and return its exit status, or 130 after Ctrl-C."""
    try:
        return main()
    except KeyboardInterrupt:
        print("Interrupted. All processes that this command started have ended.", file=sys.stderr)
        return INTERRUPTED


def _run_module() -> int:
    sys.argv[:] = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(interruptible(_run_module))
