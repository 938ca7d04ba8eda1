"""`make bench`: measure the function and the baselines, print tables, and write JSON.

    python -m tests.benchmarks [--rounds N] [--json FILE] [--plot FILE]

A missed target does not make it fail, because times depend on the machine.
"""

import argparse
import platform
import tempfile
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from rich.console import Console

from tests.benchmarks import figures
from tests.benchmarks.certificates import make_certificates
from tests.benchmarks.distributions import pins
from tests.benchmarks.figures import Results, Statistics, write_json
from tests.benchmarks.imports import pairs, without_byte_code
from tests.benchmarks.measure import Laboratory, Progress, run
from tests.benchmarks.package import Python, build, choose_python, size
from tests.benchmarks.picture import draw
from tests.benchmarks.server import Servers
from tests.benchmarks.subjects import FUNCTION, NAIVE, POWERTOOLS, SUBJECTS
from tests.benchmarks.table import show
from tests.benchmarks.targets import SOURCES, targets

_COLUMNS = 120
"""Width of the tables when the output is not a terminal."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the function and the baselines.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of measurements (default: %(default)s)")
    parser.add_argument(
        "--json", type=Path, default=Path(".local/bench.json"), help="file for all samples (default: %(default)s)"
    )
    parser.add_argument("--plot", type=Path, help="SVG file for a picture of the figures")
    options = parser.parse_args()
    console, python = Console(), choose_python()
    if not console.is_terminal:
        console = Console(width=_COLUMNS)
    with tempfile.TemporaryDirectory() as folder, console.status("") as status:
        results = _measure(Path(folder), python, max(1, options.rounds), status.update)
    run_info = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": str(options.rounds),
        "python": python.version,
        "machine": f"{platform.system()} {platform.machine()}",
        "packages": " ".join(pins([*(NAIVE.requires or ()), *(POWERTOOLS.requires or ())])),
    }
    show(console, results, list(targets(results)))
    write_json(results, run_info, options.json)
    console.print(f"Python {python.version}, {options.rounds} rounds. All samples: {options.json}")
    if options.plot:
        options.plot.write_text(draw(results), encoding="utf-8")


def _measure(folder: Path, python: Python, rounds: int, progress: Progress) -> Results:
    progress("building the packages")
    built = {it.package: it for it in SUBJECTS}
    packages = {name: build(it, folder / "packages", python) for name, it in built.items()}
    sizes = {name: size(package) for name, package in packages.items()}
    certificates = make_certificates(folder)
    with Servers(certificates) as servers:
        laboratory = Laboratory(servers, certificates, python.path)
        results = run(laboratory, {it: packages[it.package] for it in SUBJECTS}, rounds, progress)
    for it in SUBJECTS:
        results[it.name].add(figures.PACKAGE, sizes[it.package] / 1e6)
    progress("importing with and without byte code")
    package = packages[FUNCTION.package]
    sources = results[SOURCES] = Statistics()
    for with_byte_code, without in islice(pairs(package, without_byte_code(package), python), rounds):
        results[FUNCTION.name].add(figures.IMPORT, with_byte_code * 1000)
        sources.add(figures.IMPORT, without * 1000)
    return results


if __name__ == "__main__":
    main()
