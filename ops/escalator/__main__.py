"""`python -m ops.escalator`."""

import sys

from ops.interrupt import INTERRUPTED


def main() -> None:
    """Run the command. Importing it takes most of a second, in which Ctrl-C must not give a traceback either."""
    try:
        from ops.escalator.cli import escalator  # noqa: PLC0415

        escalator(prog_name="escalator")
    except KeyboardInterrupt:
        print("escalator: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
