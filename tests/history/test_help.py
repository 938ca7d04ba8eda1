"""`escalator --help`: commands by job, examples, and shell completion."""

import pytest
from click.testing import CliRunner

from ops.escalator.cli import COMMANDS, escalator

RECORD_COMMANDS = [it.name or "" for it in (*COMMANDS["Look at records"], *COMMANDS["Write files"])]


def help_text(*args: str) -> str:
    """What `escalator ... --help` prints."""
    done = CliRunner().invoke(escalator, [*args, "--help"], prog_name="escalator")
    assert 0 == done.exit_code, done.output
    return done.stdout


def test_help_lists_every_command_under_its_job() -> None:
    """No command is missing from the sections."""
    lines = help_text().splitlines()
    listed: dict[str, list[str]] = {}
    for job, commands in COMMANDS.items():
        start = lines.index(f"{job}:") + 1
        listed[job] = [line.split()[0] for line in lines[start : start + len(commands)]]
    assert {job: [it.name for it in commands] for job, commands in COMMANDS.items()} == listed
    assert {*escalator.commands} == {name for names in listed.values() for name in names}


def test_help_says_how_to_enable_completion() -> None:
    """The command is the one that click provides."""
    assert 'eval "$(_ESCALATOR_COMPLETE=bash_source escalator)"' in help_text()
    done = CliRunner().invoke(escalator, env={"_ESCALATOR_COMPLETE": "bash_source"}, prog_name="escalator")
    assert "complete -o nosort -F _escalator_completion escalator" in done.stdout


@pytest.mark.parametrize("name", RECORD_COMMANDS)
def test_help_of_a_command_has_an_example(name: str) -> None:
    """The example is a complete command line."""
    assert (
        help_text(name).replace("Examples:", "Example:").partition("Example:\n")[2].startswith(f"    escalator {name} ")
    )
