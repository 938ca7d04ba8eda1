"""CHANGELOG.md, CONTRIBUTING.md and SECURITY.md agree with the repository."""

import re
from pathlib import Path

import pytest

from functions.release import RELEASE

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
VERSIONS = dict(re.findall(r"^## (\S+).*\n((?:(?!## ).*\n)*)", CHANGELOG, re.MULTILINE))
PATH = re.compile(r"`(?:[^`\n]* )?((?:tests|functions|events|ops|\.github)(?:/[\w./-]+)?|[\w.-]+\.(?:md|toml|yaml))`")


def test_changelog_describes_the_release() -> None:
    """The version is in functions/release.py."""
    assert RELEASE in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_version_has_upgrade_notes(version: str) -> None:
    """This includes versions that need no upgrade steps."""
    assert "\n### Upgrade notes\n" in VERSIONS[version]


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "SECURITY.md"])
def test_named_files_exist(document: str) -> None:
    """Each path in a document is in the repository."""
    named = set(PATH.findall((ROOT / document).read_text("utf-8")))
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_named_targets_exist() -> None:
    """Each make target in CONTRIBUTING.md is in the Makefile."""
    named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "CONTRIBUTING.md").read_text("utf-8")))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= targets
