"""The dispositions that charts show, from the gravest on, each with the class that colours it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

_KNOWN = {"MALICIOUS": "malicious", "MALICIOUS-BEC": "bec", "SUSPICIOUS": "suspicious"}
_UNLISTED = 2
"""How many others get a colour of their own; five can be told apart, and more are `other`."""


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart: the dispositions that it stands for."""

    name: str
    style: str
    dispositions: frozenset[str]

    def count(self, counts: Mapping[str, int]) -> int:
        """How many of these there are among counts by disposition."""
        return sum(counts[it] for it in self.dispositions & counts.keys())


def series_of(dispositions: Counter[str]) -> list[Series]:
    """The known ones that occur, the most frequent of the others, and all the rest as one."""
    known = [Series(name, style, frozenset({name})) for name, style in _KNOWN.items() if dispositions[name]]
    unlisted = [name for name, count in dispositions.most_common() if count and name not in _KNOWN]
    more = [Series(name, f"more{n}", frozenset({name})) for n, name in enumerate(unlisted[:_UNLISTED])]
    rest = frozenset(unlisted[_UNLISTED:])
    return known + more + ([Series(f"{len(rest)} others", "other", rest)] if rest else [])
