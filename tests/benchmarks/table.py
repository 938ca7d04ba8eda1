"""The tables: medians and calls of all subjects, and the function's targets."""

from rich import box
from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import Results
from tests.benchmarks.targets import SOURCES, Target, calls, handshakes


def show(console: Console, results: Results, targets: list[Target]) -> None:
    """Print all tables."""
    console.print(_medians(results), _calls(results), _targets(targets))
    missed = [it for it in targets if not it.met]
    verdict = f"{len(missed)} of {len(targets)} targets missed" if missed else "all targets met"
    console.print(f"\n[bold]{verdict}[/]")


def _medians(results: Results) -> Table:
    subjects = [name for name in results if name != SOURCES]
    table = _table("Medians, each subject in new processes", "figure", *subjects)
    for name in next(iter(results.values())).samples:
        cells = [results[it].samples.get(name) for it in subjects]
        if all(cells):
            table.add_row(name, *(_number(results[it].median(name)) for it in subjects))
    return table


def _calls(results: Results) -> Table:
    subjects = [name for name in results if name != SOURCES]
    table = _table("Calls of a warm batch of ten escalations", "call", *subjects)
    for call in sorted({call for it in subjects for call in results[it].calls}):
        table.add_row(call, *(str(results[it].calls[call] or "") for it in subjects))
    table.add_section()
    table.add_row("total, without message details", *(str(calls(results[it])) for it in subjects))
    table.add_section()
    table.add_row("TLS handshakes of an environment", *(str(handshakes(results[it].cold_calls)) for it in subjects))
    for service in ("cloudflare", "aws"):
        table.add_row(f"loads of authorities, {service}", *(str(results[it].loads[service]) for it in subjects))
    return table


def _targets(targets: list[Target]) -> Table:
    table = _table("Targets of the function", "figure", "function", "baseline", "", "ratio", "limit", "")
    for it in targets:
        verdict = "[green]met[/]" if it.met else "[red]missed[/]"
        other = (it.against, _number(it.other), f"{it.measured:.3f}") if it.against else ("", "", "")
        table.add_row(it.what, _number(it.value), *other, f"{it.limit:g}", verdict)
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column(first, no_wrap=True)
    for it in others:
        table.add_column(it, justify="right", no_wrap=True)
    return table


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
