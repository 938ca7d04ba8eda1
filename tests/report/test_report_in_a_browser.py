"""The report in a browser: filters, sorting and details, by mouse and keyboard, on a phone, in the dark, on paper."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from ops.escalator.report.record_view import record_view
from tests.report.conftest import DESK, PHONE, Open, Report
from tests.report.records import items, read_all

Views = list[dict[str, Any]]


@pytest.fixture(scope="session")
def views(thousand: list[dict[str, Any]]) -> Views:
    """The data of the page about the thousand records, in its order."""
    return [record_view(it) for it in read_all(thousand)]


# --- filters ----------------------------------------------------------------------------------------------------------

CHOICES = {
    "disposition": "MALICIOUS-BEC",
    "severity": "Critical",
    "delivery": "delivery unknown",
    "state": "PENDING",
    "outcome": "REJECTED",
}


@pytest.mark.parametrize(("field", "word"), CHOICES.items(), ids=CHOICES)
def test_choice_filters_the_list(field: str, word: str, thousand_report: Path, views: Views, open_page: Open) -> None:
    """The list shows exactly the records with this value, and the status counts them."""
    tab = open_page(thousand_report)
    tab.page.get_by_label(field.capitalize(), exact=True).select_option(word)
    expected = sum(it.get(field) == word for it in views)
    assert f"{expected} of 1,000 records, {min(expected, 50)} shown" == tab.page.locator("#status").inner_text()
    tab.show_all()
    assert expected == tab.page.locator("#rows .line").count() > 0


SEARCHES = {
    "as written": "larkfie1d.example",
    "as shown": "larkfie1d[.]example",
    "in capitals": "LARKFIE1D.EXAMPLE",
    "a link": "https://mfa.larkfie1d.example/e",
}


@pytest.mark.parametrize("text", SEARCHES.values(), ids=SEARCHES)
def test_search_finds_a_domain_in_any_spelling(text: str, thousand_report: Path, views: Views, open_page: Open) -> None:
    """It is found in every field of a record."""
    tab = open_page(thousand_report)
    tab.page.get_by_label("Find").fill(text)
    expected = sum("mfa[.]larkfie1d[.]example" in json.dumps(it) for it in views)
    status = f"{expected} of 1,000 records, {min(expected, 50)} shown"
    tab.page.get_by_text(status, exact=True).wait_for()
    assert expected > 0


def test_search_and_choice_combine(thousand_report: Path, views: Views, open_page: Open) -> None:
    """A record must match both. Clear shows all records again."""
    tab = open_page(thousand_report)
    tab.page.get_by_label("Severity", exact=True).select_option("High")
    tab.page.get_by_label("Find").fill("mariners notices")
    expected = sum("Notices to mariners" in it.get("subject", "") and it["severity"] == "High" for it in views)
    tab.page.get_by_text(f"{expected} of 1,000 records", exact=False).first.wait_for()
    assert {"High"} == set(tab.column("severity"))
    tab.page.get_by_role("button", name="Clear").click()
    assert "1,000 records, 50 shown" == tab.page.locator("#status").inner_text()


def test_search_without_a_match_says_so(thousand_report: Path, open_page: Open) -> None:
    """The status says what to do."""
    tab = open_page(thousand_report)
    tab.page.get_by_label("Find").fill("text of no record")
    tab.page.get_by_text("No record matches. Clear the filter to see them all.").wait_for()
    assert 0 == tab.page.locator("#rows tr").count()


def test_domain_in_the_summary_searches_the_list(thousand_report: Path, views: Views, open_page: Open) -> None:
    """A click shows the records of this domain."""
    tab = open_page(thousand_report)
    button = tab.page.locator(".find").first
    domain = button.inner_text()
    button.click()
    assert domain == tab.page.get_by_label("Find").input_value()
    assert sum(domain in json.dumps(it) for it in views) == int(
        tab.page.locator("#status").inner_text().split(" of ")[0]
    )


# --- sorting ----------------------------------------------------------------------------------------------------------

SEVERITIES = ["Informational", "Low", "Medium", "High", "Critical"]
DELIVERIES = [
    "delivery unknown",
    "not delivered yet",
    "rejected",
    "quarantined",
    "moved out of an inbox",
    "in an inbox",
]
Key = Callable[[Mapping[str, Any]], Any]
COLUMNS: dict[str, tuple[Key, bool]] = {
    "Severity": (lambda it: SEVERITIES.index(it["severity"]) if it.get("severity") in SEVERITIES else None, True),
    "Email": (lambda it: it["subject"].lower() if "subject" in it else None, False),
    "Disposition": (lambda it: it.get("disposition"), False),
    "Delivery": (lambda it: DELIVERIES.index(it["delivery"]), True),
    "State": (lambda it: it["state"], False),
    "Alerted after": (lambda it: it.get("seconds"), True),
    "Decided": (lambda it: it["decided"], False),
}
"""By heading: the sort key, None for an unknown value; and whether the first click sorts in descending order."""


def in_order(views: Views, key: Key, *, descending: bool) -> list[str]:
    """The ids of the records in the expected order: unknown values last, equal values in their old order."""
    known = [it for it in views if key(it) is not None]
    unknown = [it for it in views if key(it) is None]
    return [it["id"] for it in sorted(known, key=key, reverse=descending) + unknown]


@pytest.mark.parametrize("heading", COLUMNS)
def test_heading_sorts_the_list(heading: str, thousand_report: Path, views: Views, open_page: Open) -> None:
    """A second click reverses the order, and aria-sort says which order it is."""
    key, descending = COLUMNS[heading]
    tab = open_page(thousand_report)
    head = tab.page.locator(".ledger").get_by_role("columnheader", name=heading, exact=True)
    for direction in (descending, not descending):
        head.get_by_role("button").press("Enter")
        assert ("descending" if direction else "ascending") == head.get_attribute("aria-sort")
        assert 1 == tab.page.locator("[aria-sort]").count()
        tab.evaluate("[...document.querySelectorAll('.mail button')].slice(0, 50).forEach((it) => it.click())")
        shown = tab.evaluate(
            "[...document.querySelectorAll('.detail')].map((it) => [...it.querySelectorAll('dt')]"
            ".find((dt) => dt.textContent === 'Id in the request').nextSibling.textContent)"
        )
        assert in_order(views, key, descending=direction)[:50] == shown


# --- details ----------------------------------------------------------------------------------------------------------


def test_keyboard_opens_and_closes_a_record(thousand_report: Path, open_page: Open) -> None:
    """The focus is visible from the top of the page to the list."""
    tab = open_page(thousand_report)
    keys = tab.page.keyboard
    keys.press("Tab")
    assert "To the list of records" == tab.evaluate("document.activeElement.textContent")
    keys.press("Enter")
    for _ in range(30):
        keys.press("Tab")
        if tab.evaluate("document.activeElement.matches('.mail button')"):
            break
    keys.press("Enter")
    assert "true" == tab.evaluate("document.activeElement.ariaExpanded")
    assert tab.page.get_by_role("heading", name="What was found").is_visible()
    assert "2px" == tab.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    keys.press("Space")
    assert ("false", 0) == (tab.evaluate("document.activeElement.ariaExpanded"), tab.page.locator(".detail").count())


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


def test_details_have_everything_known(report: Report, open_page: Open) -> None:
    """The details have every section and every id."""
    things = ("threat_categories", "findings", "links", "attachments")
    item = next(
        it
        for it in items(1_000, hostile=False)
        if all(it.get("detection", {}).get(name) for name in things) and it["drift"]
    )
    tab = open_page(report([item]))
    tab.page.locator("#rows .line .decided").click()
    assert SECTIONS == tab.page.locator(".detail h3").all_inner_texts()
    text = tab.page.locator(".detail").inner_text()
    attachment = item["detection"]["attachments"][0]
    ids = [item[it] for it in ("alert_id", "sns_message_id", "sqs_message_id", "investigate_id")]
    words = ["MALICIOUS, MALICIOUS-BEC, SUSPICIOUS", "$[.]findings[0][.]detection: enum", attachment["sha256"]]
    assert [] == [it for it in ids + words if it not in text]


# --- all readers -----------------------------------------------------------------------------------------------------

READERS: dict[str, dict[str, Any]] = {
    "desk, light": {"size": DESK, "color_scheme": "light"},
    "desk, dark": {"size": DESK, "color_scheme": "dark"},
    "phone, light": {"size": PHONE, "color_scheme": "light"},
    "phone, dark": {"size": PHONE, "color_scheme": "dark"},
}


@pytest.mark.parametrize("options", READERS.values(), ids=READERS)
def test_page_has_no_accessibility_violation(options: dict[str, Any], report: Report, open_page: Open) -> None:
    """Axe checks contrast, too, with two records open, one of them hostile, and the chart's table."""
    tab = open_page(report(list(items(30))), **options)
    tab.page.locator(".mail button").first.click()
    tab.page.locator(".mail button").last.click()
    tab.page.locator("summary").click()
    found = Axe().run(tab.page)
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
def test_drawn_colours_have_contrast(scheme: str, report: Report, open_page: Open) -> None:
    """Each colour is distinct and has 3:1 to its ground, as WCAG 2.2 requires for graphics."""
    tab = open_page(report(list(items(20))), color_scheme=scheme)
    ground, *drawn = tab.page.evaluate(COLOURS, DRAWN)
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


def test_reduced_motion_stops_transitions(report: Report, open_page: Open) -> None:
    """Readers can ask their system for this."""
    tab = open_page(report(list(items(3))), reduced_motion="reduce")
    assert "0s" == tab.evaluate(
        "getComputedStyle(document.querySelector('.mail button'), '::before').transitionDuration"
    )


def test_page_without_scripts_has_charts(thousand_report: Path, open_page: Open) -> None:
    """The list says that it needs the script."""
    tab = open_page(thousand_report, java_script_enabled=False)
    assert tab.page.get_by_role("img", name="Bar chart of escalations per day").is_visible()
    assert tab.page.get_by_text("The list needs the script of this page").is_visible()


def test_page_of_no_records_says_so(report: Report, open_page: Open) -> None:
    """It draws nothing and has no error."""
    path = report([])
    tab = open_page(path)
    assert tab.page.get_by_text("No records in this period.", exact=True).is_visible()
    assert tab.page.get_by_text("Nothing was escalated in this period").is_visible()
    assert (0, False) == (tab.page.locator("svg").count(), tab.page.locator("#ledger").is_visible())
    assert [f"request: {path.as_uri()[:80]}"] == tab.activity


def test_print_leaves_out_controls(thousand_report: Path, open_page: Open) -> None:
    """Paper has no filters."""
    tab = open_page(thousand_report)
    tab.page.emulate_media(media="print")
    assert [False, False] == [tab.page.locator(it).first.is_visible() for it in (".filters", ".numbers")]
    assert tab.page.get_by_role("img", name="Bar chart of escalations per day").is_visible()
