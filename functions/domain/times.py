"""Read the times that Cloudflare and senders give, and write durations for people."""

from datetime import UTC, datetime

_EPOCH_YEAR = 1970
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_TENTHS_BELOW = 9.95
"""Seconds. From here on, one decimal would round to 10.0."""


def read_time(text: str | None) -> datetime | None:
    """A time in UTC; None for text that is not a time of the years 1970 to 9999. A time without a zone is UTC."""
    try:
        at = datetime.fromisoformat(text or "")
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year >= _EPOCH_YEAR else None


def duration(seconds: float) -> str:
    """A duration in at most two units: `0.3 s`, `12 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < _TENTHS_BELOW:
        return f"{seconds:.1f} s"
    rest = round(seconds)
    parts: list[str] = []
    for unit, size in _UNITS:
        if rest >= size or parts:
            parts.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))
