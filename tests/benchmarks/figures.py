"""The figures: their names, which are those of the table and of the JSON file, and how many there are of each."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.batches import BATCH, SMALL, Scenario
from tests.benchmarks.environment import Took

COLD_WALL = "cold start to first batch done, ms"
COLD_INIT = "of it import and init, ms"
COLD_CPU = "CPU of the cold start, ms"
MEMORY = "peak memory, MB"
MEMORY_LARGE = "peak memory with 1.2 MB detections, MB"
PACKAGE = "package unzipped, MB"
IMPORT = "import of all modules, ms"
ALL = SMALL[0]


def warm_wall(scenario: Scenario) -> str:
    """Of a batch of ten."""
    return f"warm batch, {scenario.label}, ms"


def cpu_per_message(scenario: Scenario) -> str:
    """In a warm batch of ten."""
    return f"CPU per message, {scenario.label}, ms"


@dataclass(slots=True)
class Figures:
    """What was measured of one subject.

    samples: one value for each round.
    calls:   HTTP calls of one warm batch of ten escalations; cold_calls: of the first one, with TLS handshakes.
    loads:   of certificate authorities in an environment, by `aws` and `cloudflare`.
    """

    samples: dict[str, list[float]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    cold_calls: Counter[str] = field(default_factory=Counter)
    loads: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """One more sample."""
        self.samples.setdefault(name, []).append(value)

    def add_cold(self, took: Took) -> None:
        """The first batch of an environment."""
        self.add(COLD_WALL, took.wall * 1000)
        self.add(COLD_INIT, took.init * 1000)
        self.add(COLD_CPU, took.cpu * 1000)

    def add_warm(self, scenario: Scenario, batches: list[Took]) -> None:
        """Later batches of one environment, of one scenario; their median is the sample."""
        self.add(warm_wall(scenario), median(it.wall for it in batches) * 1000)
        self.add(cpu_per_message(scenario), median(it.cpu for it in batches) * 1000 / BATCH)

    def median(self, name: str) -> float:
        """The figure."""
        return median(self.samples[name])


Results = dict[str, Figures]
"""By the name of the subject."""


def write_json(results: Results, about: dict[str, str], path: Path) -> None:
    """Medians, samples and counts of everybody."""
    subjects = {
        name: {
            "medians": {it: figures.median(it) for it in figures.samples},
            "samples": figures.samples,
            "calls": figures.calls,
            "cold_calls": figures.cold_calls,
            "loads": figures.loads,
        }
        for name, figures in results.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"about": about, "subjects": subjects}, indent=1) + "\n", encoding="utf-8")
