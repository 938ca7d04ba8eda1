"""A short run of `make chaos`."""

from tests.faults.chaos import run
from tests.faults.report import format_report


def test_no_alert_is_lost_or_repeated_without_cause_in_chaos() -> None:
    """Faults are injected and processes are killed."""
    report = run(messages=120, seed=7)
    print(format_report(report))
    assert report.faults["crashes"] > 0
    assert {} == {name: wrong for name, wrong in report.wrong.items() if wrong}
