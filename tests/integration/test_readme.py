"""The README cannot drift: what it shows is run, and compared."""

import re
import subprocess
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from functions.cloudflare.contract import DISPOSITIONS
from functions.escalate.outcome import Outcome, Reason
from ops.escalator.dead_letter import RETRIES_EXHAUSTED
from ops.local.template import TEMPLATE, read_template

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SESSIONS = re.findall(r"```console\n\$ (.+)\n((?:.*\n)*?)```", README)

_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z)?"), "<time>"),
    (re.compile(r"in \d+\.\d s"), "in <seconds>"),
    (re.compile(r"with \d+ questions"), "with <so many> questions"),
    # On a machine under load one more try is no news.
    (re.compile(r"(\b[A-Z]+ > )\1+"), r"\1"),
    (re.compile(r"[─\s]+"), " "),
)


def _normal(line: str) -> str:
    for pattern, word in _VARYING:
        line = pattern.sub(word, line)
    return line.strip()


@pytest.mark.parametrize(("command", "shown"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_session(command: str, shown: str) -> None:
    """Each line that the README shows is printed, in this order; `...` stands for what is left out."""
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    printed = iter([_normal(line) for line in done.stdout.splitlines()])
    for line in shown.splitlines():
        if line == "...":
            continue
        wanted = _normal(line.removesuffix("..."))
        assert any(it.startswith(wanted) for it in printed), f"not printed, or not in this place: {line}\n{done.stdout}"


def test_sessions_are_found() -> None:
    """The README shows the run."""
    assert ["make run"] == [command for command, _ in SESSIONS]


def test_parameters() -> None:
    """Every parameter of the template and every variable of the function is in the README, and no other."""
    table = README.partition("## Configure")[2].partition("## ")[0]
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", table)) | set(re.findall(r"`([A-Z_]{4,})`", table))
    template = read_template()
    assert set(template.cloudformation["Parameters"]) | set(template.variables) == named


def test_alarms() -> None:
    """Every alarm is explained."""
    declared = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]
    alarms = {name for name, it in declared.items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    assert alarms == set(re.findall(r"^\| `([A-Za-z]+Alarm)` \|", README, re.MULTILINE))


def test_dispositions() -> None:
    """Every word that EscalateOn takes is named."""
    [words] = re.findall(r"`EscalateOn` takes ([A-Z, \n-]+ and [A-Z]+)\.", README)
    assert set(DISPOSITIONS) == set(re.findall(r"[A-Z]+(?:-[A-Z]+)?", words))


def test_outcomes_and_reasons() -> None:
    """Every outcome is explained, and every reason for which a message can be rejected."""
    assert {it.value for it in Outcome} == set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    rejections = README.partition("**When the dead-letter alarm comes**")[2].partition("**When another")[0]
    rows = "\n".join(line for line in rejections.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", rows)) == {
        Reason.MALFORMED_BODY,
        Reason.INVALID_ID,
        Reason.ACCOUNT_NOT_CONFIGURED,
        Reason.UNKNOWN_DISPOSITION,
        Reason.INVALID_ANSWER,
        Reason.REFUSED_BY_CLOUDFLARE,
        Reason.DEFERRED_TOO_LONG,
        RETRIES_EXHAUSTED,
    }
