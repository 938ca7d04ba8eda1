"""The report at work: found, sorted, opened, by mouse, by keyboard, on a phone, in the dark, on paper."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from ops.escalator.report.entry import entry
from tests.report.conftest import DESK, PHONE, Read, Report
from tests.report.records import records

Entries = list[dict[str, Any]]


@pytest.fixture(scope="session")
def entries(thousand: list[dict[str, Any]]) -> Entries:
    """What the page is told of the thousand records, in its order."""
    return [entry(it) for it in thousand]


# --- finding ----------------------------------------------------------------------------------------------------------

CHOICES = {
    "disposition": "MALICIOUS-BEC",
    "severity": "Critical",
    "delivered": "unknown",
    "state": "PENDING",
    "outcome": "REJECTED",
}


@pytest.mark.parametrize(("field", "word"), CHOICES.items(), ids=CHOICES)
def test_a_choice(field: str, word: str, thousand_report: Path, entries: Entries, read: Read) -> None:
    """Exactly the records that have the chosen word are shown, and the status says how many of how many."""
    reading = read(thousand_report)
    reading.page.get_by_label(field.capitalize(), exact=True).select_option(word)
    expected = sum(it.get(field) == word for it in entries)
    assert f"{expected} of 1,000 records, {min(expected, 50)} shown" == reading.page.locator("#status").inner_text()
    reading.show_all()
    assert expected == reading.page.locator("#rows .line").count() > 0


SEARCHES = {
    "as it was": "larkfie1d.example",
    "as it is shown": "larkfie1d[.]example",
    "in capitals": "LARKFIE1D.EXAMPLE",
    "a link": "https://mfa.larkfie1d.example/e",
}


@pytest.mark.parametrize("text", SEARCHES.values(), ids=SEARCHES)
def test_a_domain(text: str, thousand_report: Path, entries: Entries, read: Read) -> None:
    """It is found in whichever way it is written, and wherever it stands in a record."""
    reading = read(thousand_report)
    reading.page.get_by_label("Find").fill(text)
    expected = sum("mfa[.]larkfie1d[.]example" in json.dumps(it) for it in entries)
    status = f"{expected} of 1,000 records, {min(expected, 50)} shown"
    reading.page.get_by_text(status, exact=True).wait_for()
    assert expected > 0


def test_words_and_a_choice_together(thousand_report: Path, entries: Entries, read: Read) -> None:
    """All of them have to match; clearing brings everything back."""
    reading = read(thousand_report)
    reading.page.get_by_label("Severity", exact=True).select_option("High")
    reading.page.get_by_label("Find").fill("mariners notices")
    expected = sum("Notices to mariners" in it.get("subject", "") and it["severity"] == "High" for it in entries)
    reading.page.get_by_text(f"{expected} of 1,000 records", exact=False).first.wait_for()
    assert {"High"} == set(reading.column("severity"))
    reading.page.get_by_role("button", name="Clear").click()
    assert "1,000 records, 50 shown" == reading.page.locator("#status").inner_text()


def test_nothing_that_matches(thousand_report: Path, read: Read) -> None:
    """The status says so, and what to do."""
    reading = read(thousand_report)
    reading.page.get_by_label("Find").fill("nobody ever wrote this")
    reading.page.get_by_text("No record matches. Clear the filter to see them all.").wait_for()
    assert 0 == reading.page.locator("#rows tr").count()


def test_a_domain_of_the_summary(thousand_report: Path, entries: Entries, read: Read) -> None:
    """Pressing it shows its records."""
    reading = read(thousand_report)
    button = reading.page.locator(".find").first
    domain = button.inner_text()
    button.click()
    assert domain == reading.page.get_by_label("Find").input_value()
    assert sum(domain in json.dumps(it) for it in entries) == int(
        reading.page.locator("#status").inner_text().split(" of ")[0]
    )


# --- sorting ----------------------------------------------------------------------------------------------------------

SEVERITIES = ["Informational", "Low", "Medium", "High", "Critical"]
Key = Callable[[Mapping[str, Any]], Any]
COLUMNS: dict[str, tuple[Key, bool]] = {
    "Severity": (lambda it: SEVERITIES.index(it["severity"]) if it.get("severity") in SEVERITIES else None, True),
    "Mail": (lambda it: it["subject"].lower() if "subject" in it else None, False),
    "Disposition": (lambda it: it.get("disposition"), False),
    "Delivered": (lambda it: ["unknown", "held", "delivered"].index(it["delivered"]), True),
    "State": (lambda it: it["state"], False),
    "Alerted after": (lambda it: it.get("seconds"), True),
    "Decided": (lambda it: it["decided"], False),
}
"""By heading: what the column sorts by, None where it is not known; and whether it begins with the greatest."""


def in_order(entries: Entries, key: Key, *, descending: bool) -> list[str]:
    """The ids of the records as they should stand: what is not known last, equals as they were."""
    known = [it for it in entries if key(it) is not None]
    unknown = [it for it in entries if key(it) is None]
    return [it["id"] for it in sorted(known, key=key, reverse=descending) + unknown]


@pytest.mark.parametrize("heading", COLUMNS)
def test_a_column(heading: str, thousand_report: Path, entries: Entries, read: Read) -> None:
    """Pressing its heading sorts by it, pressing again turns that round; assistive technology is told."""
    key, descending = COLUMNS[heading]
    reading = read(thousand_report)
    head = reading.page.locator(".ledger").get_by_role("columnheader", name=heading, exact=True)
    for direction in (descending, not descending):
        head.get_by_role("button").press("Enter")
        assert ("descending" if direction else "ascending") == head.get_attribute("aria-sort")
        assert 1 == reading.page.locator("[aria-sort]").count()
        reading.ask("[...document.querySelectorAll('.mail button')].slice(0, 50).forEach((it) => it.click())")
        shown = reading.ask(
            "[...document.querySelectorAll('.detail')].map((it) => [...it.querySelectorAll('dt')]"
            ".find((dt) => dt.textContent === 'Mail, as asked').nextSibling.textContent)"
        )
        assert in_order(entries, key, descending=direction)[:50] == shown


# --- opening ----------------------------------------------------------------------------------------------------------


def test_the_keyboard_alone(thousand_report: Path, read: Read) -> None:
    """From the top of the page into the list, and a record opened and closed again, with the focus to be seen."""
    reading = read(thousand_report)
    keys = reading.page.keyboard
    keys.press("Tab")
    assert "To the list of records" == reading.ask("document.activeElement.textContent")
    keys.press("Enter")
    for _ in range(30):
        keys.press("Tab")
        if reading.ask("document.activeElement.matches('.mail button')"):
            break
    keys.press("Enter")
    assert "true" == reading.ask("document.activeElement.ariaExpanded")
    assert reading.page.get_by_role("heading", name="What was found").is_visible()
    assert "2px" == reading.ask("getComputedStyle(document.activeElement).outlineWidth")
    keys.press("Space")
    assert ("false", 0) == (reading.ask("document.activeElement.ariaExpanded"), reading.page.locator(".detail").count())


SECTIONS = [
    "What was found",
    "Why it was decided so",
    "Where from",
    "Where to",
    "Threat categories",
    "Findings",
    "Links",
    "Attachments",
    "When",
    "Known as",
]


def test_a_detail(report: Report, read: Read) -> None:
    """It has all that is known: what, why, from where, to whom, each thing in the mail, when, and every id."""
    things = ("threat_categories", "findings", "links", "attachments")
    record = next(
        it
        for it in records(1_000, hostile=False)
        if all(it.get("detection", {}).get(name) for name in things) and it["drift"]
    )
    reading = read(report([record]))
    reading.page.locator("#rows .line .decided").click()
    assert SECTIONS == reading.page.locator(".detail h3").all_inner_texts()
    text = reading.page.locator(".detail").inner_text()
    attachment = record["detection"]["attachments"][0]
    ids = [record[it] for it in ("alert_id", "sns_message_id", "sqs_message_id", "investigate_id")]
    words = ["MALICIOUS, MALICIOUS-BEC, SUSPICIOUS", "$[.]findings[0][.]detection: enum", attachment["sha256"]]
    assert [] == [it for it in ids + words if it not in text]


# --- every reader -----------------------------------------------------------------------------------------------------

READERS: dict[str, dict[str, Any]] = {
    "desk, light": {"size": DESK, "color_scheme": "light"},
    "desk, dark": {"size": DESK, "color_scheme": "dark"},
    "phone, light": {"size": PHONE, "color_scheme": "light"},
    "phone, dark": {"size": PHONE, "color_scheme": "dark"},
}


@pytest.mark.parametrize("options", READERS.values(), ids=READERS)
def test_accessibility(options: dict[str, Any], report: Report, read: Read) -> None:
    """Axe finds nothing to object to, contrast among it, with two records opened, one of them hostile, and the chart's table."""
    reading = read(report(list(records(30))), **options)
    reading.page.locator(".mail button").first.click()
    reading.page.locator(".mail button").last.click()
    reading.page.locator("summary").click()
    found = Axe().run(reading.page)
    assert [] == [(it["id"], [node["html"] for node in it["nodes"]][:3]) for it in found.response["violations"]]


DRAWN = ["malicious", "bec", "suspicious", "more0", "more1", "other", "plain"]
COLOURS = """
    (styles) => ["body", ...styles].map((style) => {
        const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        rect.setAttribute("class", style);
        document.querySelector("svg").append(rect);
        const [ground, drawn] = [getComputedStyle(document.body).backgroundColor, getComputedStyle(rect).fill];
        return (style === "body" ? ground : drawn).match(/[0-9.]+/g).map(Number);
    })
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_drawn(scheme: str, report: Report, read: Read) -> None:
    """It stands out from its ground by at least 3 to 1, as WCAG 2.2 asks for graphics, in as many colours as there are."""
    reading = read(report(list(records(20))), color_scheme=scheme)
    ground, *drawn = reading.page.evaluate(COLOURS, DRAWN)
    assert len(DRAWN) == len({tuple(it) for it in drawn})
    assert [] == [(style, it) for style, it in zip(DRAWN, drawn, strict=True) if contrast(it, ground) < 3]


def contrast(one: list[float], other: list[float]) -> float:
    """The ratio of two colours, as WCAG defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: list[float]) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [it / 255 for it in colour[:3]]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts]
    return sum(weight * it for weight, it in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_reader_whom_motion_disturbs(report: Report, read: Read) -> None:
    """Nothing moves."""
    reading = read(report(list(records(3))), reduced_motion="reduce")
    assert "0s" == reading.ask(
        "getComputedStyle(document.querySelector('.mail button'), '::before').transitionDuration"
    )


def test_a_browser_without_scripts(thousand_report: Path, read: Read) -> None:
    """The figures and charts are there all the same, and the list says what it lacks."""
    reading = read(thousand_report, java_script_enabled=False)
    assert reading.page.get_by_role("img", name="Bar chart of escalations per day").is_visible()
    assert reading.page.get_by_text("The list needs the script of this page").is_visible()


def test_no_records(report: Report, read: Read) -> None:
    """The page says so, draws nothing, and has no error."""
    path = report([])
    reading = read(path)
    assert reading.page.get_by_text("No records in this period.", exact=True).is_visible()
    assert reading.page.get_by_text("Nothing was escalated in this period").is_visible()
    assert (0, False) == (reading.page.locator("svg").count(), reading.page.locator("#ledger").is_visible())
    assert [f"request: {path.as_uri()[:80]}"] == reading.deeds


def test_paper(thousand_report: Path, read: Read) -> None:
    """What only a screen can do is left out."""
    reading = read(thousand_report)
    reading.page.emulate_media(media="print")
    assert [False, False] == [reading.page.locator(it).first.is_visible() for it in (".filters", ".numbers")]
    assert reading.page.get_by_role("img", name="Bar chart of escalations per day").is_visible()
