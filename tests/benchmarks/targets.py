"""The function's targets, as ratios within one run, because absolute times depend on the machine."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks import figures
from tests.benchmarks.figures import ALL, Results, Statistics
from tests.benchmarks.subjects import FLOOR, FUNCTION, NAIVE, POWERTOOLS

CALLS = 20
"""For ten escalations: ten detections, reads of emails and of campaigns, a claim, a publish to each of two topics, a mark, two
transactions for 120 pointers, and the counts of what alerts say. Message details, one request each, do not count."""
CLOUDFLARE_LOADS = 1
PACKAGE_RATIO = 0.35
SOURCES = "sources alone"
"""The name of the measurement of the function's modules without byte code."""


@dataclass(frozen=True, slots=True)
class Target:
    """A limit for one figure of the function, absolute or as a ratio to a baseline's figure."""

    what: str
    value: float
    limit: float
    against: str = ""
    other: float = 0.0

    @property
    def measured(self) -> float:
        """The value to compare with the limit."""
        return self.value / self.other if self.against else self.value

    @property
    def met(self) -> bool:
        """Whether the value is within the limit."""
        return self.measured <= self.limit


_RATIOS = (
    (figures.warm_wall(ALL), ((NAIVE, 0.10), (POWERTOOLS, 0.13), (FLOOR, 1.25))),
    (figures.cpu_per_message(ALL), ((NAIVE, 0.08), (POWERTOOLS, 0.20))),
    (figures.COLD_WALL, ((NAIVE, 0.40), (POWERTOOLS, 0.35))),
    (figures.MEMORY, ((NAIVE, 0.80), (POWERTOOLS, 0.70))),
    (figures.PACKAGE, ((NAIVE, PACKAGE_RATIO),)),
)


def targets(results: Results) -> Iterator[Target]:
    """Yield all targets with their measured values."""
    function = results[FUNCTION.name]
    for name, limits in _RATIOS:
        for baseline, limit in limits:
            yield Target(name, function.median(name), limit, baseline.name, results[baseline.name].median(name))
    sources = results[SOURCES].median(figures.IMPORT)
    yield Target(figures.IMPORT, function.median(figures.IMPORT), 0.6, SOURCES, sources)
    yield Target("calls for ten escalations, without message details", calls(function), CALLS)
    yield Target("loads of authorities for Cloudflare", function.loads["cloudflare"], CLOUDFLARE_LOADS)


def calls(statistics: Statistics) -> int:
    """Count the HTTP calls of a warm batch of ten escalations, without those for message details."""
    return sum(count for call, count in statistics.calls.items() if not is_excluded(call))


def is_excluded(call: str) -> bool:
    """Whether a count is not part of the comparison: message details, or a handshake."""
    return call.endswith((" details", " handshake"))


def handshakes(counts: Counter[str]) -> int:
    """Count the TLS handshakes."""
    return sum(count for call, count in counts.items() if call.endswith(" handshake"))
