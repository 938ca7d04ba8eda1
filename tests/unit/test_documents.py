"""CHANGELOG.md, CONTRIBUTING.md and SECURITY.md against the repository."""

import re
from pathlib import Path

import pytest

from functions.release import RELEASE

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
VERSIONS = dict(re.findall(r"^## (\S+).*\n((?:(?!## ).*\n)*)", CHANGELOG, re.MULTILINE))
PATH = re.compile(r"`(?:[^`\n]* )?((?:tests|functions|events|ops|\.github)(?:/[\w./-]+)?|[\w.-]+\.(?:md|toml|yaml))`")


def test_changelog_has_the_release() -> None:
    """The version that functions/release.py names is described."""
    assert RELEASE in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_version_has_upgrade_notes(version: str) -> None:
    """Also where there is nothing to do."""
    assert "\n### Upgrade notes\n" in VERSIONS[version]


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "SECURITY.md"])
def test_named_files_exist(document: str) -> None:
    """A path that a document names is in the repository."""
    named = set(PATH.findall((ROOT / document).read_text("utf-8")))
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_named_targets_exist() -> None:
    """A make target that CONTRIBUTING.md names is in the Makefile."""
    named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "CONTRIBUTING.md").read_text("utf-8")))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= targets
