"""One line of the result: what was checked, what was found, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """It works, and can stop working or cost something."""
    FAILURE = "failure"
    """Something does not work, or could not be checked."""
    SKIPPED = "skipped"
    """Another failure prevents the check."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line. found: one sentence or less. advice: what to do; empty where nothing is to do."""

    name: str
    status: Status
    found: str
    advice: str = ""

    def row(self) -> dict[str, str]:
        """The values of an output row."""
        return {"status": self.status.value, "check": self.name, "found": self.found, "advice": self.advice}


def ok(name: str, found: str) -> Check:
    """Nothing to do."""
    return Check(name, Status.OK, found)


def warning(name: str, found: str, advice: str) -> Check:
    """Works for now."""
    return Check(name, Status.WARNING, found, advice)


def failure(name: str, found: str, advice: str) -> Check:
    """Does not work."""
    return Check(name, Status.FAILURE, found, advice)


def skipped(*names: str, because: str) -> list[Check]:
    """Checks that another failure prevents."""
    return [Check(name, Status.SKIPPED, f"not checked: {because}") for name in names]


def listed(items: list[str], most: int = 3) -> str:
    """The first items, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
