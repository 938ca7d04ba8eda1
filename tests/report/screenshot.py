"""Write the screenshot of the report for the README, from sample records."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from ops.escalator.report.page import write_report
from tests.report.browser import NONE, find
from tests.report.records import PERIOD, items, read_all

RECORDS = 400


def main(output: Path) -> int:
    """Render the report and write the screenshot; the exit status."""
    browser = find()
    if browser is None:
        print(NONE, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        with page_file.open("w", encoding="utf-8") as out:
            write_report(read_all(items(RECORDS, hostile=False)), PERIOD, out)
        window = playwright.chromium.launch(executable_path=browser, args=["--disable-gpu"])
        page = window.new_page(viewport={"width": 1100, "height": 1000})
        page.goto(page_file.as_uri())
        page.screenshot(path=str(output))
        window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
