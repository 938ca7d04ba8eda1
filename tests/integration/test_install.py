"""The installed command: what its package has in it, and that it works without the repository."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import jsonschema
import pytest

from functions.release import RELEASE
from tests.integration.world import World

ROOT = Path(__file__).parents[2]
# Of a package: the folder that its modules are imported from.
LIBRARIES = Path(jsonschema.__file__).parents[1]
# Imported for the type checker alone.
STUBS = {"mypy_boto3_dynamodb", "mypy_boto3_secretsmanager", "mypy_boto3_sns", "mypy_boto3_sqs"}
# botocore is boto3's other half, released together with it.
COMES_ALONG = {"botocore": "boto3"}


@dataclass(frozen=True)
class Installed:
    """A wheel of the repository, and an environment that it is installed into."""

    wheel: Path
    folder: Path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `escalator` far from the repository."""
        return subprocess.run(
            [str(self.folder / "bin" / "escalator"), *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"]} | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build and install without a network: the build backend and the libraries are those of the tests."""
    built, folder = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("installed")
    _pip("wheel", "--no-build-isolation", "--wheel-dir", str(built), str(ROOT))
    [wheel] = built.glob("*.whl")
    venv.create(folder, symlinks=True)
    _pip("--python", str(folder), "install", str(wheel))
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(f"{LIBRARIES}\n", "utf-8")
    return Installed(wheel, folder)


def test_package_has_the_command_and_no_more(installed: Installed) -> None:
    """Code, schemas and the parts of the report; no local stack, no tests, no pins."""
    names = [name for name in ZipFile(installed.wheel).namelist() if ".dist-info/" not in name]
    expected = [
        path.relative_to(ROOT).as_posix()
        for folder in ("functions", "ops/escalator", "schemas")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".json", ".html", ".css", ".js"}
    ]
    expected += ["ops/__init__.py", "ops/interrupt.py", "ops/loopback.py"]
    assert sorted(expected) == sorted(names)


def test_version_is_the_release(installed: Installed) -> None:
    """The package, its file name and the command give one version, which is in functions/release.py alone."""
    done = installed.run("--version")
    assert (0, f"{RELEASE}\n", "") == (done.returncode, done.stdout, done.stderr)
    assert f"-{RELEASE}-" in installed.wheel.name
    assert RELEASE not in (ROOT / "pyproject.toml").read_text("utf-8")


def test_help_comes_from_the_installed_package(installed: Installed) -> None:
    """The command finds its modules and schemas without the repository."""
    done = installed.run("history", "--help")
    assert 0 == done.returncode, done.stderr
    assert done.stdout.startswith("Usage: escalator history [OPTIONS]")


def test_report_has_its_style_and_script(installed: Installed, world: World, tmp_path: Path) -> None:
    """The page is made from files of the package."""
    report = tmp_path / "report.html"
    done = installed.run("report", "--table", world.stack.table, "--output", str(report), **world.stack.aws)
    assert 0 == done.returncode, done.stderr
    page = report.read_text("utf-8")
    for name in ("page.css", "page.js"):
        assert (ROOT / "ops" / "escalator" / "report" / name).read_text("utf-8").strip() in page


def test_dependencies_are_what_is_imported() -> None:
    """Neither is a library missing, nor is one installed for nothing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[^a-z0-9-]", it)[0].replace("-", "_") for it in project["dependencies"]}
    imported = {name for folder in ("functions", "ops/escalator") for name in _imports(ROOT / folder)}
    foreign = imported - STUBS - {"functions", "ops"} - sys.stdlib_module_names
    assert declared == {COMES_ALONG.get(name, name) for name in foreign}


def _imports(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]
