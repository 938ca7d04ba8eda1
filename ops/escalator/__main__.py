"""`python -m ops.escalator`."""

from ops.escalator.cli import escalator

if __name__ == "__main__":
    escalator(prog_name="escalator")
