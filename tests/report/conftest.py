"""A browser, and reports to open in it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from ops.escalator.report.page import write_report
from tests.clock import HANG_SECONDS
from tests.report.browser import NONE, find, in_ci
from tests.report.browser_page import BrowserPage
from tests.report.records import PERIOD, items, read_all

Report = Callable[[list[dict[str, Any]]], Path]
Open = Callable[..., BrowserPage]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as `browser.py` finds it, without background requests.

    It is closed after each module: while it runs, this thread has an event loop, which other tests must not see.
    """
    path = find()
    if path is None:
        (pytest.fail if in_ci() else pytest.skip)(NONE)
    quiet = ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Write the report about some items."""

    def make(of: list[dict[str, Any]]) -> Path:
        path = tmp_path / "report.html"
        with path.open("w", encoding="utf-8") as out:
            write_report(read_all(of), PERIOD, out)
        return path

    return make


@pytest.fixture(scope="session")
def thousand() -> list[dict[str, Any]]:
    """A thousand items, hostile ones among them."""
    return list(items(1_000))


@pytest.fixture(scope="session")
def thousand_report(thousand: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report about them."""
    path = tmp_path_factory.mktemp("thousand") / "report.html"
    with path.open("w", encoding="utf-8") as out:
        write_report(read_all(thousand), PERIOD, out)
    return path


DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a file in a separate window. The options are those of a browser context."""
    with ExitStack() as windows:

        def open_file(file: Path, *, size: ViewportSize = DESK, **options: Any) -> BrowserPage:
            context = windows.enter_context(browser.new_context(viewport=size, offline=True, **options))
            context.set_default_timeout(1_000 * HANG_SECONDS)
            return BrowserPage(context.new_page()).open(file)

        yield open_file
