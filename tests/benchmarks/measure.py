"""The measuring: every subject in every round, one after the other, each in processes of its own."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import figures
from tests.benchmarks.authority import Certificates
from tests.benchmarks.batches import LARGE, SMALL, Scenario, events
from tests.benchmarks.environment import Environment, Took
from tests.benchmarks.figures import Figures, Results
from tests.benchmarks.server import Servers
from tests.benchmarks.subjects import Subject, variables

WARM_SMALL, WARM_LARGE = 3, 1
"""Warm batches of one scenario in one environment; a naive one with large detections takes three seconds."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Where subjects are measured. python: that runs them."""

    servers: Servers
    certificates: Certificates
    python: str

    def start(
        self, subject: Subject, folders: Sequence[Path], *, count_loads: bool = False
    ) -> AbstractContextManager[Environment]:
        """A fresh environment. folders: the package, and where else modules are."""
        settings = variables(subject, self.servers.ports, self.certificates, str(folders[0]))
        return Environment(subject.handler, folders, settings, self.python, count_loads=count_loads)

    def count(self, subject: Subject, folders: Sequence[Path], results: Figures) -> None:
        """Calls, handshakes and loads of authorities: the same each time, so that one environment is enough."""
        batches = events(SMALL[0])
        with self.start(subject, folders, count_loads=True) as environment:
            self.servers.take_counts()
            environment.invoke(next(batches))
            results.cold_calls = self.servers.take_counts()
            results.loads = environment.invoke(next(batches)).loads
            results.calls = self.servers.take_counts()

    def time(self, subject: Subject, folders: Sequence[Path], results: Figures) -> None:
        """One round of one subject: an environment for small detections, and one for large ones."""
        cold, peak = self._time(subject, folders, results, SMALL, WARM_SMALL)
        results.add_cold(cold)
        results.add(figures.MEMORY, peak / 1e6)
        _, peak = self._time(subject, folders, results, LARGE, WARM_LARGE)
        results.add(figures.MEMORY_LARGE, peak / 1e6)

    def _time(
        self, subject: Subject, folders: Sequence[Path], results: Figures, scenarios: Sequence[Scenario], batches: int
    ) -> tuple[Took, int]:
        with self.start(subject, folders) as environment:
            cold = last = environment.invoke(next(events(scenarios[0])))
            for scenario in scenarios:
                ahead = events(scenario)
                took = [environment.invoke(next(ahead)) for _ in range(batches)]
                results.add_warm(scenario, took)
                last = took[-1]
        return cold, last.peak


def run(laboratory: Laboratory, packages: dict[Subject, Path], rounds: int, tell: Tell) -> Results:
    """All figures that processes give. tell: is told what is being done."""
    results = {subject.name: Figures() for subject in packages}
    for subject, package in packages.items():
        tell(f"counting the calls of {subject.name}")
        laboratory.count(subject, [package], results[subject.name])
    for number in range(rounds):
        # Each round begins with another one: whatever a neighbour costs, everybody is everybody's neighbour.
        order = list(packages)
        order = order[number % len(order) :] + order[: number % len(order)]
        for subject in order:
            tell(f"round {number + 1} of {rounds}: {subject.name}")
            laboratory.time(subject, [packages[subject]], results[subject.name])
    return results
