"""Imports between the modules of functions/, and the settings in template and code."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.domain.outcome import Reason
from functions.escalate.settings import InvalidSettings, read_settings
from functions.feed.settings import read_settings as read_feed_settings
from tests.clock import HANG_SECONDS

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "functions").rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
IMPURE = {
    "functions.aws",
    "functions.cloudflare.client",
    "functions.cloudflare.probe",
    "functions.cloudflare.transport",
    "functions.escalate.app",
    "functions.escalate.claim_results",
    "functions.escalate.finish",
    "functions.escalate.form_encoding",
    "functions.escalate.handler",
    "functions.escalate.investigate",
    "functions.escalate.notify",
    "functions.escalate.pipeline",
    "functions.escalate.queues",
    "functions.escalate.summaries",
    "functions.escalate.topic",
    "functions.feed.app",
    "functions.feed.commands",
    "functions.feed.details",
    "functions.feed.handler",
    "functions.feed.queue",
    "functions.feed.runner",
    "functions.feed.search_probe",
    "functions.feed.store",
    "functions.feed.telemetry",
    "functions.ledger.campaign_checks",
    "functions.ledger.campaign_copies",
    "functions.ledger.campaigns",
    "functions.ledger.claim",
    "functions.ledger.claim_attempt",
    "functions.ledger.ledger",
    "functions.ledger.record_counts",
    "functions.ledger.table",
    "functions.ledger.transaction",
}
"""Modules that use the network, or import one that does. All others are pure."""
NETWORK = {"boto3", "botocore", "urllib3", "http", "socket", "ssl", "requests"}
ENTRIES = {"functions.escalate.handler": "EscalateFunction", "functions.feed.handler": "FeedFunction"}
"""The modules that Lambda imports, with their functions in the template."""
LAYERS = (("domain",), ("cloudflare",), ("alert", "ledger"), ("escalate",), ("feed",))
"""The packages of functions/, from the innermost layer to the outermost. A package imports earlier layers only."""
DOMAIN_PARSERS = {"ada_url"}
"""Third-party modules that the domain may import. Each is a pure parser: no network, no files, no state."""
LAYER = {package: number for number, layer in enumerate(LAYERS) for package in layer}


def imports(module: str) -> Iterator[str]:
    """Yield the full names of a module's imports."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, f"{module} has a relative import"
            yield node.module


def package_of(name: str) -> str:
    """Return the package of functions/ that has a module; empty for other modules."""
    return name.split(".")[1] if name.startswith("functions.") else ""


def external_imports(module: str) -> dict[str, str]:
    """Map each external import of a module, direct or through modules of functions/, to the importing module."""
    found: dict[str, str] = {}
    seen, pending = set[str](), [module]
    while pending:
        current = pending.pop()
        seen.add(current)
        for name in imports(current):
            if name in TREES:
                pending += [name] if name not in seen else []
            else:
                found.setdefault(name.split(".")[0], current)
    return found


@pytest.mark.parametrize("module", sorted(MODULES.keys() - IMPURE))
def test_unlisted_module_uses_no_network(module: str) -> None:
    """It imports no network library, neither directly nor through another module."""
    assert {} == {name: by for name, by in external_imports(module).items() if name in NETWORK}


@pytest.mark.parametrize("module", sorted(IMPURE))
def test_listed_module_uses_the_network(module: str) -> None:
    """The list has no module that is pure."""
    assert {name for name in external_imports(module) if name in NETWORK}


def test_imports_point_to_inner_layers_only() -> None:
    """Entry points import services, services import adapters, adapters import the domain; siblings stay apart."""
    wrong = [
        (module, name)
        for module in TREES
        for name in imports(module)
        if (inner := LAYER.get(package_of(name))) is not None
        and package_of(module) != package_of(name)
        and (package_of(module) not in LAYER or inner >= LAYER[package_of(module)])
    ]
    assert wrong == []


def test_domain_imports_nothing_of_ours() -> None:
    """The domain has no dependency on schemas, clients or settings."""
    wrong = [
        (module, name)
        for module in TREES
        for name in imports(module)
        if package_of(module) == "domain" and name.startswith("functions.") and package_of(name) != "domain"
    ]
    assert wrong == []


def test_domain_imports_the_standard_library_and_pure_parsers_only() -> None:
    """Any other third-party module would be a client, or belongs to an adapter."""
    imported = {
        name.partition(".")[0] for module in TREES if package_of(module) == "domain" for name in imports(module)
    }
    assert imported - sys.stdlib_module_names - {"functions"} == DOMAIN_PARSERS


def test_every_package_has_a_layer() -> None:
    """A new package is placed in a layer."""
    assert {*LAYER} == {package_of(name) for name in MODULES if name.count(".") > 1}


def test_imports_have_no_side_effects_and_need_no_environment() -> None:
    """Only the modules that Lambda imports read settings."""
    names = [name for name in MODULES if name not in ENTRIES]
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


class RecordingEnvironment(Mapping[str, str]):
    """An empty environment that records the names of the requested variables."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Template(yaml.SafeLoader):
    """A YAML loader that reads CloudFormation's tags, such as `!Ref x`, as their values."""


def _untagged_value(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


Template.add_multi_constructor("!", _untagged_value)


@pytest.mark.parametrize(
    ("function", "read"), [("EscalateFunction", read_settings), ("FeedFunction", read_feed_settings)]
)
def test_template_sets_exactly_the_variables_that_a_function_reads(
    function: str, read: Callable[[Mapping[str, str]], object]
) -> None:
    """A variable that is not read would have no effect."""
    environment = RecordingEnvironment()
    with pytest.raises(InvalidSettings):
        read(environment)
    assert read_template_resource(function)["Environment"]["Variables"].keys() == environment.names


@pytest.mark.parametrize(("entry", "function"), ENTRIES.items())
def test_template_names_the_module_that_lambda_imports(entry: str, function: str) -> None:
    assert f"{entry}.handler" == read_template_resource(function)["Handler"]


def read_template_resource(name: str) -> Any:
    with (ROOT / "template.yaml").open(encoding="utf-8") as text:
        return yaml.load(text, Template)["Resources"][name]["Properties"]


@pytest.mark.parametrize("reason", Reason.__members__)
def test_every_reason_is_used(reason: str) -> None:
    """Metrics, alarms and filters for an unused reason would have no effect."""
    definitions = {"functions.domain.outcome", "functions.escalate.telemetry"}
    users = [
        module
        for module, tree in TREES.items()
        if module not in definitions
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == reason and ast.unparse(node.value) == "Reason"
    ]
    assert users != []
