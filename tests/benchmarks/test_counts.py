"""Counts of the benchmark, without times: calls, connections, loads of authorities, size of the package.

Subjects run in this virtual environment, each in its own process, against the benchmark's servers. Packages are made from
the installed distributions, without downloads: a baseline's package has the files of its wheels. This function's package
has those of its requirements, with all changes that the recipe in the Makefile makes.
"""

import ast
import compileall
import py_compile
import re
import shutil
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.build.prune_botocore import SERVICES, prune_botocore
from ops.build.strip_debug import strip_debug
from tests.benchmarks.certificates import make_certificates
from tests.benchmarks.distributions import closure, shipped
from tests.benchmarks.figures import Statistics
from tests.benchmarks.measure import Laboratory
from tests.benchmarks.package import ROOT, copy_sources, size
from tests.benchmarks.server import Servers
from tests.benchmarks.subjects import FLOOR, FUNCTION, NAIVE, POWERTOOLS, SUBJECTS, WITH_DETAILS, Subject
from tests.benchmarks.targets import CALLS, CLOUDFLARE_LOADS, PACKAGE_RATIO, calls

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
Counted = dict[str, Statistics]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    """Count the calls of each subject's first two batches of ten escalations."""
    folder = tmp_path_factory.mktemp("benchmark")
    certificates = make_certificates(folder)
    results = {subject.name: Statistics() for subject in SUBJECTS}
    with Servers(certificates) as servers:
        laboratory = Laboratory(servers, certificates, sys.executable)
        for subject in SUBJECTS:
            laboratory.count(subject, [_sources(subject, folder), SITE_PACKAGES], results[subject.name])
    return results


def _sources(subject: Subject, folder: Path) -> Path:
    if subject.requires is None:
        return ROOT
    package = folder / subject.name
    package.mkdir()
    copy_sources(subject, package)
    return package


@pytest.mark.parametrize("subject", [FUNCTION, WITH_DETAILS], ids=lambda it: it.name)
def test_ten_escalations_need_few_calls(counted: Counted, subject: Subject) -> None:
    """Message details take one more request each."""
    figures = counted[subject.name]
    assert 10 == figures.calls["cloudflare detections"]
    assert 10 >= figures.calls["cloudflare details"]
    assert CALLS >= calls(figures)


@pytest.mark.parametrize("subject", [FUNCTION, WITH_DETAILS], ids=lambda it: it.name)
def test_authorities_are_loaded_once(counted: Counted, subject: Subject) -> None:
    """All connections of an environment to Cloudflare share them."""
    assert CLOUDFLARE_LOADS == counted[subject.name].loads["cloudflare"]


def test_second_batch_makes_no_connection(counted: Counted) -> None:
    """Connections are kept alive between batches."""
    assert [] == [it for it in counted[FUNCTION.name].calls if it.endswith("handshake")]


BASELINES = {
    NAIVE: {"cloudflare detections": 10, "sns Publish": 10, "dynamodb PutItem": 10},
    POWERTOOLS: {
        "cloudflare detections": 10,
        "sns Publish": 10,
        "dynamodb PutItem": 20,  # the record, and the idempotency item, which an update completes
        "dynamodb UpdateItem": 10,
    },
    FLOOR: {"cloudflare detections": 10, "dynamodb TransactWriteItems": 2, "sns PublishBatch": 1},
}


@pytest.mark.parametrize("subject", BASELINES, ids=lambda it: it.name)
def test_baseline_makes_only_the_calls_it_needs(counted: Counted, subject: Subject) -> None:
    """It does all of the work, and keeps its connections."""
    assert Counter(BASELINES[subject]) == counted[subject.name].calls


def test_package_is_small_compared_with_naive(tmp_path: Path) -> None:
    """The ratio is one of the targets."""
    naive = sum(_bytes(NAIVE))
    assert PACKAGE_RATIO >= size(_package(tmp_path)) / naive


def _bytes(subject: Subject) -> Iterator[int]:
    for distribution in closure(subject.requires or ()):
        yield from (Path(str(path.locate())).stat().st_size for path in shipped(distribution))


def _package(folder: Path) -> Path:
    """Make the package as the recipe does: compiled files for both architectures, pruned files and data, byte code."""
    lines = (ROOT / "functions" / "requirements.in").read_text(encoding="utf-8").splitlines()
    for distribution in closure(line for line in lines if line and not line.startswith("#")):
        for path in shipped(distribution):
            copy = folder / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(path.locate()), copy)
            if copy.suffix == ".so":
                shutil.copyfile(copy, copy.with_suffix(".other.so"))
    for ours in ("functions", "schemas"):
        shutil.copytree(ROOT / ours, folder / ours, ignore=shutil.ignore_patterns("__pycache__", "requirements.*"))
    [removed] = re.findall(r"rm -rf (bin .*)", (ROOT / "Makefile").read_text("utf-8"))
    for name in removed.split():
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink(missing_ok=True)
    strip_debug(folder)
    prune_botocore(folder)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    assert compileall.compile_dir(folder, quiet=1, workers=0, invalidation_mode=mode)
    return folder


def test_package_has_botocore_data_of_exactly_the_used_services() -> None:
    """A missing service would fail in Lambda only."""
    used = {
        node.args[0].value
        for path in (ROOT / "functions").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"client", "create_client"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert SERVICES == used
