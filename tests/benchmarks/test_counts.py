"""What is counted, and never what is timed: calls, connections, loads of authorities, bytes of the package.

Subjects run from this environment, each in a process of its own, against the benchmark's servers. Packages are worked out
from what is installed here, so that nothing is fetched: a peer's is its wheels' files, this function's is the same for its
requirements, with all that the recipe in the Makefile does to it.
"""

import ast
import compileall
import py_compile
import shutil
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.ballast import SERVICES, drop_ballast
from tests.benchmarks.authority import make_certificates
from tests.benchmarks.distributions import closure, shipped
from tests.benchmarks.figures import Figures
from tests.benchmarks.measure import Laboratory
from tests.benchmarks.package import ROOT, copy_sources, size
from tests.benchmarks.server import Servers
from tests.benchmarks.subjects import FLOOR, FUNCTION, NAIVE, POWERTOOLS, SUBJECTS, WITH_CONTEXT, Subject
from tests.benchmarks.targets import CALLS, CLOUDFLARE_LOADS, PACKAGE_RATIO, calls

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
Counted = dict[str, Figures]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    """The counts of every subject: of its first batch of ten escalations, and of the next."""
    folder = tmp_path_factory.mktemp("benchmark")
    certificates = make_certificates(folder)
    results = {subject.name: Figures() for subject in SUBJECTS}
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


@pytest.mark.parametrize("subject", [FUNCTION, WITH_CONTEXT], ids=lambda it: it.name)
def test_ten_escalations(counted: Counted, subject: Subject) -> None:
    """They take no more calls than ten questions, a claim, a publish and a mark; context is one more question each."""
    figures = counted[subject.name]
    assert 10 == figures.calls["cloudflare detections"]
    assert 10 >= figures.calls["cloudflare context"]
    assert CALLS >= calls(figures)


@pytest.mark.parametrize("subject", [FUNCTION, WITH_CONTEXT], ids=lambda it: it.name)
def test_the_authorities(counted: Counted, subject: Subject) -> None:
    """They are loaded once for all of an environment's connections to Cloudflare."""
    assert CLOUDFLARE_LOADS == counted[subject.name].loads["cloudflare"]


def test_kept_connections(counted: Counted) -> None:
    """The second batch makes none of its own."""
    assert [] == [it for it in counted[FUNCTION.name].calls if it.endswith("handshake")]


PEERS = {
    NAIVE: {"cloudflare detections": 10, "sns Publish": 10, "dynamodb PutItem": 10},
    POWERTOOLS: {
        "cloudflare detections": 10,
        "sns Publish": 10,
        "dynamodb PutItem": 20,  # the record, and the idempotency item that is completed by an update
        "dynamodb UpdateItem": 10,
    },
    FLOOR: {"cloudflare detections": 10, "dynamodb TransactWriteItems": 2, "sns PublishBatch": 1},
}


@pytest.mark.parametrize("subject", PEERS, ids=lambda it: it.name)
def test_a_peer(counted: Counted, subject: Subject) -> None:
    """It does the whole work, in no more calls than its way of writing it needs, and keeps its connections."""
    assert Counter(PEERS[subject]) == counted[subject.name].calls


def test_the_package(tmp_path: Path) -> None:
    """It is small beside what pip installs for the naive peer."""
    naive = sum(_bytes(NAIVE))
    assert PACKAGE_RATIO >= size(_package(tmp_path)) / naive


def _bytes(subject: Subject) -> Iterator[int]:
    for distribution in closure(subject.requires or ()):
        yield from (Path(str(path.locate())).stat().st_size for path in shipped(distribution))


def _package(folder: Path) -> Path:
    """As the recipe makes it: installed files, ours, no ballast, byte code, a compiled wheel for either architecture."""
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
    drop_ballast(folder)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    assert compileall.compile_dir(folder, quiet=1, workers=0, invalidation_mode=mode)
    return folder


def test_what_is_shipped_of_botocore() -> None:
    """Exactly the services that the function makes clients for: one that is missing would fail in Lambda alone."""
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
