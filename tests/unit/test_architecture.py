"""What holds the modules apart, and the template and the code together."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.escalate.outcome import Reason
from functions.escalate.settings import InvalidSettings, read_settings
from tests.clock import HANG_SECONDS

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "functions").rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
PURE = [
    *(name for name in MODULES if name.startswith("functions.alert.")),
    "functions.cloudflare.context",
    "functions.cloudflare.contract",
    "functions.cloudflare.detection",
    "functions.cloudflare.envelope",
    "functions.cloudflare.errors",
    "functions.cloudflare.excerpt",
    "functions.cloudflare.message_id",
    "functions.cloudflare.pace",
    "functions.cloudflare.recipients",
    "functions.cloudflare.values",
    "functions.escalate.cases",
    "functions.escalate.chunks",
    "functions.escalate.decision",
    "functions.escalate.message",
    "functions.escalate.outcome",
    "functions.escalate.request",
    "functions.escalate.settings",
    "functions.escalate.severity",
    "functions.escalate.verdict",
    "functions.ledger.item",
    "functions.ledger.keys",
    "functions.ledger.pointers",
    "functions.ledger.record",
    "functions.ledger.standing",
    "functions.ledger.wire",
]
WIRES = {"boto3", "botocore", "urllib3", "http", "socket", "ssl", "requests"}
ENTRY = "functions.escalate.main"
PARTS = ("cloudflare", "ledger", "alert", "escalate")
"""From the inside out: each may know of those before it."""


def imports(module: str) -> Iterator[str]:
    """What a module imports when it runs, by full name."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, f"{module} imports relatively"
            yield node.module


def part(name: str) -> str:
    """The folder of functions/ that a module of ours is in; nothing for any other module."""
    return name.split(".")[1] if name.startswith("functions.") else ""


def reaches(module: str) -> dict[str, str]:
    """All that a module imports by way of ours, each with the module of ours that does."""
    found: dict[str, str] = {}
    seen, ahead = set[str](), [module]
    while ahead:
        here = ahead.pop()
        seen.add(here)
        for name in imports(here):
            if name in TREES:
                ahead += [name] if name not in seen else []
            else:
                found.setdefault(name.split(".")[0], here)
    return found


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module(module: str) -> None:
    """It reaches no network, neither itself nor by what it imports of ours."""
    assert {} == {name: by for name, by in reaches(module).items() if name in WIRES}


def test_the_parts() -> None:
    """Cloudflare, the ledger and the alerts know nothing of the function that stands between them, nor of a later part."""
    inward = [
        (module, name)
        for module in TREES
        for name in imports(module)
        if part(module) in PARTS and part(name) in PARTS and PARTS.index(part(name)) > PARTS.index(part(module))
    ]
    assert inward == []


def test_every_part() -> None:
    """The order is that of all there are."""
    assert {*PARTS} == {part(name) for name in MODULES if name.count(".") > 1}


def test_importing() -> None:
    """It needs no environment and does nothing: only the module that Lambda imports reads settings."""
    names = [name for name in MODULES if name != ENTRY]
    program = (
        f"import importlib, sys; sys.path.insert(0, {str(ROOT)!r}); [importlib.import_module(it) for it in {names!r}]"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", program],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_SECONDS,
    )
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


class Recorder(Mapping[str, str]):
    """An environment without anything in it that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms as what stands in them."""


def _as_it_is(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


Template.add_multi_constructor("!", _as_it_is)


def test_the_settings_and_the_template() -> None:
    """What the function reads the template sets, and what the template sets the function reads."""
    with (ROOT / "template.yaml").open(encoding="utf-8") as text:
        template = yaml.load(text, Template)
    [function] = [it for it in template["Resources"].values() if it["Type"] == "AWS::Serverless::Function"]
    environment = Recorder()
    with pytest.raises(InvalidSettings):
        read_settings(environment)
    # The AWS SDK's own, not ours.
    assert function["Properties"]["Environment"]["Variables"].keys() - {"AWS_ENDPOINT_URL"} == environment.asked


@pytest.mark.parametrize("reason", Reason.__members__)
def test_every_reason(reason: str) -> None:
    """Some code gives it: one that nothing gives would be counted, alarmed and redriven by in vain."""
    elsewhere = {"functions.escalate.outcome", "functions.escalate.telemetry"}
    users = [
        module
        for module, tree in TREES.items()
        if module not in elsewhere
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == reason and ast.unparse(node.value) == "Reason"
    ]
    assert users != []
