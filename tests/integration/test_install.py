"""The installed command: the content of its package, and its use without the repository."""

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
from tests.integration.deployment import Deployment

ROOT = Path(__file__).parents[2]
# The folder with the installed libraries of the tests.
LIBRARIES = Path(jsonschema.__file__).parents[1]
# Imported for the type checker only.
STUBS = {"mypy_boto3_dynamodb", "mypy_boto3_secretsmanager", "mypy_boto3_sns", "mypy_boto3_sqs"}
# boto3 requires botocore, and both are released together.
PROVIDED_BY = {"botocore": "boto3"}


@dataclass(frozen=True)
class Installed:
    """A wheel of the repository, and an environment with it."""

    wheel: Path
    folder: Path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `escalator` outside the repository."""
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
    """Build and install the wheel without network access. Build backend and libraries are those of the tests."""
    built, folder = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("installed")
    _pip("wheel", "--no-build-isolation", "--wheel-dir", str(built), str(ROOT))
    [wheel] = built.glob("*.whl")
    venv.create(folder, symlinks=True)
    _pip("--python", str(folder), "install", str(wheel))
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(f"{LIBRARIES}\n", "utf-8")
    return Installed(wheel, folder)


def test_package_has_the_command_only(installed: Installed) -> None:
    """It has code, schemas and the files of the report, but not the local stack, tests and pins."""
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
    """The file name of the wheel and the command have the version, which is in functions/release.py only."""
    done = installed.run("--version")
    assert (0, f"{RELEASE}\n", "") == (done.returncode, done.stdout, done.stderr)
    assert f"-{RELEASE}-" in installed.wheel.name
    assert RELEASE not in (ROOT / "pyproject.toml").read_text("utf-8")


def test_help_works_without_the_repository(installed: Installed) -> None:
    """The command finds its modules and schemas in the package."""
    done = installed.run("history", "--help")
    assert 0 == done.returncode, done.stderr
    assert done.stdout.startswith("Usage: escalator history [OPTIONS]")


def test_report_has_its_style_and_script(installed: Installed, deployment: Deployment, tmp_path: Path) -> None:
    """The package has the files of the page."""
    report = tmp_path / "report.html"
    done = installed.run("report", "--table", deployment.stack.table, "--output", str(report), **deployment.stack.aws)
    assert 0 == done.returncode, done.stderr
    page = report.read_text("utf-8")
    for name in ("page.css", "page.js"):
        assert (ROOT / "ops" / "escalator" / "report" / name).read_text("utf-8").strip() in page


def test_declared_dependencies_are_the_imported_libraries() -> None:
    """None is missing, and none is unused."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[^a-z0-9-]", it)[0].replace("-", "_") for it in project["dependencies"]}
    imported = {name for folder in ("functions", "ops/escalator") for name in _imports(ROOT / folder)}
    libraries = imported - STUBS - {"functions", "ops"} - sys.stdlib_module_names
    assert declared == {PROVIDED_BY.get(name, name) for name in libraries}


def _imports(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]
