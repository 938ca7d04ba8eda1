"""Measure all subjects in interleaved rounds, each in new processes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import figures
from tests.benchmarks.batches import LARGE, SMALL, Scenario, events
from tests.benchmarks.certificates import Certificates
from tests.benchmarks.environment import Environment, Took
from tests.benchmarks.figures import Results, Statistics
from tests.benchmarks.server import Servers
from tests.benchmarks.subjects import Subject, variables

WARM_SMALL, WARM_LARGE = 3, 1
"""Warm batches of one scenario in one environment. With large detections, one batch of `naive` takes three seconds."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The servers, certificates and Python for all measurements."""

    servers: Servers
    certificates: Certificates
    python: str

    def start(
        self, subject: Subject, folders: Sequence[Path], *, count_loads: bool = False
    ) -> AbstractContextManager[Environment]:
        """Start a new environment. folders: the package, and other folders with modules."""
        settings = variables(subject, self.servers.ports, self.certificates, str(folders[0]))
        return Environment(subject.handler, folders, settings, self.python, count_loads=count_loads)

    def count(self, subject: Subject, folders: Sequence[Path], results: Statistics) -> None:
        """Count calls, handshakes and loads of authorities. They never vary, so one environment is enough."""
        batches = events(SMALL[0])
        with self.start(subject, folders, count_loads=True) as environment:
            self.servers.take_counts()
            environment.invoke(next(batches))
            results.cold_calls = self.servers.take_counts()
            results.loads = environment.invoke(next(batches)).loads
            results.calls = self.servers.take_counts()

    def time(self, subject: Subject, folders: Sequence[Path], results: Statistics) -> None:
        """Measure one round of a subject: an environment for small detections, and one for large ones."""
        cold, peak = self._time(subject, folders, results, SMALL, WARM_SMALL)
        results.add_cold(cold)
        results.add(figures.MEMORY, peak / 1e6)
        _, peak = self._time(subject, folders, results, LARGE, WARM_LARGE)
        results.add(figures.MEMORY_LARGE, peak / 1e6)

    def _time(
        self,
        subject: Subject,
        folders: Sequence[Path],
        results: Statistics,
        scenarios: Sequence[Scenario],
        batches: int,
    ) -> tuple[Took, int]:
        with self.start(subject, folders) as environment:
            cold = last = environment.invoke(next(events(scenarios[0])))
            for scenario in scenarios:
                scenario_events = events(scenario)
                took = [environment.invoke(next(scenario_events)) for _ in range(batches)]
                results.add_warm(scenario, took)
                last = took[-1]
        return cold, last.peak


def run(laboratory: Laboratory, packages: dict[Subject, Path], rounds: int, progress: Progress) -> Results:
    """Measure all subjects. progress: receives a description of each step."""
    results = {subject.name: Statistics() for subject in packages}
    for subject, package in packages.items():
        progress(f"counting the calls of {subject.name}")
        laboratory.count(subject, [package], results[subject.name])
    for number in range(rounds):
        # Each round starts with another subject, so that effects of the previous subject average out.
        order = list(packages)
        order = order[number % len(order) :] + order[: number % len(order)]
        for subject in order:
            progress(f"round {number + 1} of {rounds}: {subject.name}")
            laboratory.time(subject, [packages[subject]], results[subject.name])
    return results
