"""A report open in a browser, and everything that the page does there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Dialog, Page

OWNED = "window.owned"
"""The variable that an attacker's script would set."""


@dataclass(slots=True)
class BrowserPage:
    """One page in a browser. activity: requests, console messages, errors, dialogs and windows, in their order."""

    page: Page
    activity: list[str] = field(default_factory=list)

    def open(self, file: Path) -> Self:
        """Open a file and wait until it has loaded."""

        def dismissed(it: Dialog) -> None:
            self.activity.append(f"dialog: {it.message}")
            it.dismiss()

        self.page.on("request", lambda it: self.activity.append(f"request: {it.url[:80]}"))
        self.page.on("console", lambda it: self.activity.append(f"{it.type}: {it.text}"))
        self.page.on("pageerror", lambda it: self.activity.append(f"error: {it.message}"))
        self.page.on("popup", lambda it: self.activity.append(f"window: {it.url}"))
        self.page.on("requestfailed", lambda it: self.activity.append(f"failed: {it.failure}"))
        self.page.on("dialog", dismissed)
        self.page.goto(file.as_uri())
        return self

    @property
    def owned(self) -> bool:
        """Whether a script has run that is not part of the page."""
        return bool(self.page.evaluate(f"{OWNED} !== undefined"))

    def evaluate(self, expression: str) -> Any:
        """Evaluate a JavaScript expression in the page."""
        return self.page.evaluate(expression)

    def settle(self) -> None:
        """Wait until the page has drawn twice: what a script began has been asked for by then."""
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def column(self, style: str) -> list[str]:
        """The texts of one column of the list, of all rows shown."""
        return self.page.locator(f"#rows .line .{style}").all_inner_texts()

    def show_all(self) -> None:
        """Show every row that matches."""
        more = self.page.locator("#more")
        while more.is_visible():
            more.click()

    def open_all(self) -> None:
        """Show the details of every row."""
        self.evaluate("document.querySelectorAll('.mail button[aria-expanded=false]').forEach((it) => it.click())")
