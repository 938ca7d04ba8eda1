"""README and docs: run the session that they show, and compare options and lists with the code."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from functions.cloudflare.contract import DISPOSITIONS
from functions.domain.outcome import Outcome, Reason
from ops.escalator.dead_letters.message import RETRIES_EXHAUSTED
from ops.local.template import TEMPLATE, read_template

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {path.name: path.read_text("utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]}
SESSIONS = re.findall(r"```console\n\$ (.+)\n((?:.*\n)*?)```", README)
COMMANDS = sorted(
    {
        line.strip()
        for page in PAGES.values()
        for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
        if line.strip().startswith("escalator ")
    }
)
MAX_README_WORDS = 900

_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z)?"), "<time>"),
    (re.compile(r"in \d+\.\d s"), "in <seconds>"),
    (re.compile(r"with \d+ requests"), "with <number> requests"),
    # A machine under load may need one more try.
    (re.compile(r"(\b[A-Z]+ > )\1+"), r"\1"),
    (re.compile(r"[─\s]+"), " "),
)


def _normal(line: str) -> str:
    for pattern, word in _VARYING:
        line = pattern.sub(word, line)
    return line.strip()


@pytest.mark.parametrize(("command", "shown"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_session_prints_what_the_readme_shows(command: str, shown: str) -> None:
    """Each line is printed, in this order; `...` replaces omitted lines."""
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    printed = iter([_normal(line) for line in done.stdout.splitlines()])
    for line in shown.splitlines():
        if line == "...":
            continue
        expected = _normal(line.removesuffix("..."))
        assert any(it.startswith(expected) for it in printed), f"not printed, or out of order: {line}\n{done.stdout}"


def test_readme_shows_the_run() -> None:
    assert ["make run"] == [command for command, _ in SESSIONS]


@pytest.mark.parametrize("command", COMMANDS)
def test_escalator_command_of_the_docs_exists_with_its_options(command: str) -> None:
    """Its help names the command and every option that the docs use."""
    words = shlex.split(command.partition(" > ")[0])[1:]
    names = [it for it in words if not it.startswith("-")]
    group = names[:2] if names[0] in ("redrive", "feed") else names[:1]
    done = subprocess.run(
        [sys.executable, "-m", "ops.escalator", *group, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    assert [] == [it for it in words if it.startswith("--") and it not in done.stdout]


def test_readme_shows_an_alert_as_it_is_published() -> None:
    """The text block is part of a golden file, without what `...` leaves out."""
    [shown] = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    golden = (ROOT / "tests" / "golden" / "malicious.txt").read_text("utf-8")
    parts = [part.strip("\n") for part in shown.split("...\n")]
    assert [] == [part for part in parts if part not in golden]


def test_readme_is_short() -> None:
    words = re.sub(r"```.*?```", "", README, flags=re.DOTALL).split()
    assert len(words) < MAX_README_WORDS


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_to_files(page: str) -> None:
    folder = ROOT if page == "README.md" else ROOT / "docs"
    links = [it for it in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGES[page]) if "://" not in it]
    assert [] == [it for it in links if not (folder / it).exists()]


def test_every_page_is_linked_from_the_readme() -> None:
    assert [] == [name for name in PAGES if name != "README.md" and f"(docs/{name})" not in README]


def test_named_files_exist() -> None:
    """A file that a page names in code style is there."""
    named = {
        it for page in PAGES.values() for it in re.findall(r"`((?:functions|schemas|events|ops)/[\w/.]+\.\w+)`", page)
    }
    assert [] == sorted(it for it in named if not (ROOT / it).exists())


def test_configure_lists_all_parameters_and_variables() -> None:
    table = PAGES["configure.md"]
    named = set(re.findall(r"\| `([A-Z][A-Za-z]+)` \|", table)) | set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", table))
    template = read_template()
    assert set(template.cloudformation["Parameters"]) | set(template.variables) == named


def test_configure_lists_all_dispositions() -> None:
    [words] = re.findall(r"`EscalateOn` takes ([A-Z, \n-]+ and [A-Z]+)\.", PAGES["configure.md"])
    assert set(DISPOSITIONS) == set(re.findall(r"[A-Z]+(?:-[A-Z]+)?", words))


def test_all_alarms_are_explained() -> None:
    declared = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]
    alarms = {name for name, it in declared.items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    assert alarms == set(re.findall(r"^### ([A-Za-z]+Alarm)$", PAGES["outcomes-and-alarms.md"], re.MULTILINE))


def test_all_outcomes_and_reasons_are_explained() -> None:
    page = PAGES["outcomes-and-alarms.md"]
    assert {it.value for it in Outcome} == set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    explained = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", page))
    assert {*Reason, RETRIES_EXHAUSTED} <= explained
