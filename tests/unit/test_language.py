"""The language of the project: plain technical English, one word for one meaning."""

import re
import subprocess
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
FILES = [
    path
    for path in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if Path(path).suffix in _TEXT and path not in _EXEMPT
]


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
