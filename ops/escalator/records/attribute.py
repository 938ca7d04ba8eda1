"""Read single attributes of an item, and name the one that has a wrong type or an unknown value."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")

_EPOCH_YEAR = 1970
_SHOWN = 60
"""Characters of a wrong value that the problem quotes."""


class InvalidAttribute(ValueError):
    """An attribute that is missing or that has a value this release does not know."""

    def __init__(self, attribute: str, problem: str) -> None:
        super().__init__(f"{attribute} {problem}")
        self.attribute, self.problem = attribute, problem


def required(item: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T:
    """Read an attribute. Raises InvalidAttribute where it is missing or where `read` refuses its value."""
    if name not in item:
        raise InvalidAttribute(name, "is missing")
    value = item[name]
    try:
        return read(value)
    except (TypeError, ValueError, OverflowError, OSError) as exc:
        if isinstance(value, str):
            raise InvalidAttribute(name, f"has a value that this release does not know: {value[:_SHOWN]!r}") from exc
        raise InvalidAttribute(name, f"has the wrong type or value: {type(value).__name__}") from exc


def optional(item: Mapping[str, Any], name: str, read: Callable[[Any], T], default: Any = None) -> Any:
    """Read an attribute that can be missing."""
    return required(item, name, read) if name in item else default


def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of strings."""
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(text, value))


def integer(value: Any) -> int:
    """A number without a fraction."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def boolean(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise TypeError
    return value


def counts(value: Any) -> dict[str, int]:
    """An object of counts by name."""
    return {text(name): integer(count) for name, count in mapping(value).items()}


def utc_time(value: Any) -> datetime:
    """A time with an offset, in UTC. Times from before 1970 are refused: no clock of the ledger gives them."""
    at = datetime.fromisoformat(text(value))
    if at.tzinfo is None or at.astimezone(UTC).year < _EPOCH_YEAR:
        raise ValueError
    return at.astimezone(UTC)


def epoch_time(value: Any) -> datetime:
    """Seconds since 1970, in UTC."""
    return datetime.fromtimestamp(integer(value), UTC)
