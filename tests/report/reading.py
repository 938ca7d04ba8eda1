"""A report as a reader has it before her, and everything that it does beside being read."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Dialog, Page

OWNED = "window.owned"
"""What a script of an attacker's would set."""


@dataclass(slots=True)
class Reading:
    """One page in a browser. deeds: requests, messages on the console, errors, dialogs and windows, as they came."""

    page: Page
    deeds: list[str] = field(default_factory=list)

    def open(self, file: Path) -> Self:
        """Open a file, and wait until it has loaded."""

        def dismissed(it: Dialog) -> None:
            self.deeds.append(f"dialog: {it.message}")
            it.dismiss()

        self.page.on("request", lambda it: self.deeds.append(f"request: {it.url[:80]}"))
        self.page.on("console", lambda it: self.deeds.append(f"{it.type}: {it.text}"))
        self.page.on("pageerror", lambda it: self.deeds.append(f"error: {it.message}"))
        self.page.on("popup", lambda it: self.deeds.append(f"window: {it.url}"))
        self.page.on("requestfailed", lambda it: self.deeds.append(f"failed: {it.failure}"))
        self.page.on("dialog", dismissed)
        self.page.goto(file.as_uri())
        return self

    @property
    def owned(self) -> bool:
        """Whether a script has run that is not the page's."""
        return bool(self.page.evaluate(f"{OWNED} !== undefined"))

    def ask(self, expression: str) -> Any:
        """What an expression of JavaScript gives in the page."""
        return self.page.evaluate(expression)

    def settle(self) -> None:
        """Wait until the page has drawn twice: what a script began has been asked for by then."""
        self.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def column(self, style: str) -> list[str]:
        """The text of one column of the list, of the rows that are there."""
        return self.page.locator(f"#rows .line .{style}").all_inner_texts()

    def show_all(self) -> None:
        """Have every row that matches shown."""
        more = self.page.locator("#more")
        while more.is_visible():
            more.click()

    def open_all(self) -> None:
        """Have the detail of every row shown."""
        self.ask("document.querySelectorAll('.mail button[aria-expanded=false]').forEach((it) => it.click())")
