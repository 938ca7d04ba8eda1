"""A short notation for the points of a metric."""


def points(text: str) -> list[float | None]:
    """`0*3 7 -` -> three zeros, a seven, and a period without a value."""
    found: list[float | None] = []
    for word in text.split():
        value, _, count = word.partition("*")
        found += [None if value == "-" else float(value)] * int(count or 1)
    return found
