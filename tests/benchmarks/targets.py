"""What the function is to reach, as ratios within one run; absolute times are of the machine."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks import figures
from tests.benchmarks.figures import ALL, Figures, Results
from tests.benchmarks.subjects import FLOOR, FUNCTION, NAIVE, POWERTOOLS

CALLS = 13
"""For ten escalations: ten questions, a claim, a publish, a mark. Context is one more question each, and stands apart."""
CLOUDFLARE_LOADS = 1
PACKAGE_RATIO = 0.35
SOURCES = "sources alone"
"""The name under which the function's modules without byte code are measured."""


@dataclass(frozen=True, slots=True)
class Target:
    """One figure of the function against somebody else's, or against a number alone."""

    what: str
    value: float
    limit: float
    against: str = ""
    other: float = 0.0

    @property
    def measured(self) -> float:
        """What is compared with the limit."""
        return self.value / self.other if self.against else self.value

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.measured <= self.limit


_RATIOS = (
    (figures.warm_wall(ALL), ((NAIVE, 0.10), (POWERTOOLS, 0.13), (FLOOR, 1.25))),
    (figures.cpu_per_message(ALL), ((NAIVE, 0.08), (POWERTOOLS, 0.20))),
    (figures.COLD_WALL, ((NAIVE, 0.40), (POWERTOOLS, 0.35))),
    (figures.MEMORY, ((NAIVE, 0.80), (POWERTOOLS, 0.70))),
    (figures.PACKAGE, ((NAIVE, PACKAGE_RATIO),)),
)


def targets(results: Results) -> Iterator[Target]:
    """Every target with what was measured."""
    function = results[FUNCTION.name]
    for name, limits in _RATIOS:
        for peer, limit in limits:
            yield Target(name, function.median(name), limit, peer.name, results[peer.name].median(name))
    sources = results[SOURCES].median(figures.IMPORT)
    yield Target(figures.IMPORT, function.median(figures.IMPORT), 0.6, SOURCES, sources)
    yield Target("calls for ten escalations, context apart", calls(function), CALLS)
    yield Target("loads of authorities for Cloudflare", function.loads["cloudflare"], CLOUDFLARE_LOADS)


def calls(of: Figures) -> int:
    """HTTP calls of a warm batch of ten escalations, but for those that ask for context."""
    return sum(count for call, count in of.calls.items() if not apart(call))


def apart(call: str) -> bool:
    """Whether a count is no call of the comparison: the context of an alert, or a handshake."""
    return call.endswith((" context", " handshake"))


def handshakes(counts: Counter[str]) -> int:
    """TLS connections made."""
    return sum(count for call, count in counts.items() if call.endswith(" handshake"))
