"""The measured figures, and their names in the tables and the JSON file."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.batches import BATCH, SMALL, Scenario
from tests.benchmarks.environment import Took

COLD_WALL = "cold start with first batch, ms"
COLD_INIT = "  of this, import and init, ms"
COLD_CPU = "CPU of the cold start, ms"
MEMORY = "peak memory, MB"
MEMORY_LARGE = "peak memory with 1.2 MB detections, MB"
PACKAGE = "package unzipped, MB"
IMPORT = "import of all modules, ms"
ALL = SMALL[0]


def warm_wall(scenario: Scenario) -> str:
    """Name the wall time of a warm batch of ten."""
    return f"warm batch, {scenario.label}, ms"


def cpu_per_message(scenario: Scenario) -> str:
    """Name the CPU time for each message in a warm batch of ten."""
    return f"CPU per message, {scenario.label}, ms"


@dataclass(slots=True)
class Statistics:
    """The measurements of one subject.

    samples:     one value for each round, by figure.
    calls:       HTTP calls of a warm batch of ten escalations.
    cold_calls:  HTTP calls and TLS handshakes of the first batch.
    loads:       loads of certificate authorities in an environment, for `aws` and `cloudflare`.
    """

    samples: dict[str, list[float]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    cold_calls: Counter[str] = field(default_factory=Counter)
    loads: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Add a sample."""
        self.samples.setdefault(name, []).append(value)

    def add_cold(self, took: Took) -> None:
        """Add the samples of an environment's first batch."""
        self.add(COLD_WALL, took.wall * 1000)
        self.add(COLD_INIT, took.init * 1000)
        self.add(COLD_CPU, took.cpu * 1000)

    def add_warm(self, scenario: Scenario, batches: list[Took]) -> None:
        """Add the medians of an environment's warm batches of one scenario."""
        self.add(warm_wall(scenario), median(it.wall for it in batches) * 1000)
        self.add(cpu_per_message(scenario), median(it.cpu for it in batches) * 1000 / BATCH)

    def median(self, name: str) -> float:
        """Return the median of a figure's samples."""
        return median(self.samples[name])


Results = dict[str, Statistics]
"""Statistics by name of the subject."""


def write_json(results: Results, run_info: dict[str, str], path: Path) -> None:
    """Write medians, samples and counts of all subjects to a file."""
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
    path.write_text(json.dumps({"run": run_info, "subjects": subjects}, indent=1) + "\n", encoding="utf-8")
