"""A short run of `make chaos`, so that every run of the tests has one."""

from tests.faults.chaos import run
from tests.faults.report import tell


def test_short_chaos() -> None:
    """Every promise is kept while processes are killed and everything around them fails."""
    report = run(messages=120, seed=7)
    print(tell(report))
    assert report.faults["crashes"] > 0
    assert {} == {name: wrong for name, wrong in report.wrong.items() if wrong}
