"""The language of the project: plain technical English, one word for one meaning."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BANNED = (
    r"whom",
    r"thereof",
    r"bark(s|ed)?",
    r"mend(s|ed|ing)?",
    r"(nobody|somebody|anybody)",
    r"lies there",
    r"stands? (in|at|under|there|here|for)",
    r"in vain",
    r"(was|were|is|be|been) told",
    r"yet another",
    r"(deed|fate|ballast|sieve|trail)s?",
    r"grav(e|er|est|ity)",
    r"hopeless",
    r"below the line",
    r"even-so",
    r"changes? (its|of) mind",
    r"thrice",
    r"as good as",
    r"whosever",
    r"so many (seconds|requests|records|questions)",
    r"consignment",
    r"(stand-in|paper ledger)",
)
"""Words of the old dialect, and phrases that a reader has to read twice. STYLE: imitate the documentation of AWS or httpx."""
_PATTERN = re.compile(rf"\b({'|'.join(BANNED)})\b", re.IGNORECASE)
_TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".html", ".js", ".css", ".sh", ""}
_EXEMPT = {"LICENSE", "CHANGELOG.md", "tests/unit/test_language.py"}
_GENERATED = {"__pycache__", "node_modules"}


def _files(folder: Path) -> Iterator[Path]:
    """The files of the project, without what git ignores: environments and build results begin with a dot."""
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in {".github", ".ci", ".gitignore"}
        if hidden or path.name in _GENERATED or path.suffix == ".egg-info":
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.suffix in _TEXT:
            yield path


FILES = [name for path in _files(ROOT) if (name := path.relative_to(ROOT).as_posix()) not in _EXEMPT]


@pytest.mark.parametrize("path", FILES)
def test_file_has_no_banned_word(path: str) -> None:
    """Names, docstrings, comments, messages, help, alarm texts and documentation alike."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    found = [
        f"{path}:{number}: {match[0]}" for number, line in enumerate(lines, 1) for match in _PATTERN.finditer(line)
    ]
    assert [] == found


def test_pattern_finds_a_banned_word() -> None:
    assert _PATTERN.search("Nobody mends this.")
