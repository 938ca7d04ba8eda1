"""A report about mail whose senders wrote for its reader: it is read, and nothing else happens."""

import unicodedata
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from tests.clock import eventually
from tests.report.conftest import PHONE, Read, Report
from tests.report.records import HOSTILE, records
from tests.unit.mail_client import links

ELEMENTS = """
    html head meta title style script template body header main footer section a h1 h2 h3 p span dl dt dd div ul ol li
    table thead tbody tr th td time button input select option label details summary svg g rect line text
"""
"""Every element that a report may have, whatever is in its records."""
ATTRIBUTES = """
    aria-describedby aria-expanded aria-hidden aria-label aria-labelledby aria-sort autocomplete charset class colspan
    content data-column for height hidden href http-equiv id lang name placeholder role scope spellcheck tabindex
    text-anchor type value width x x1 x2 y y1 y2
"""
BEYOND = f"""
    (() => {{
        const [elements, attributes] = [`{ELEMENTS}`, `{ATTRIBUTES}`].map((it) => new Set(it.split(/\\s+/)));
        const found = [...document.querySelectorAll("*")].flatMap((it) => [`<${{it.localName}}>`, ...it.getAttributeNames()]);
        return [...new Set(found)].filter((it) => !elements.has(it.replace(/[<>]/g, "")) && !attributes.has(it));
    }})()
"""
"""What a page has beyond these."""


def test_a_thousand_records(thousand_report: Path, read: Read) -> None:
    """With every row shown and opened there was one request, for the file itself, and not a word on the console."""
    reading = read(thousand_report)
    reading.show_all()
    reading.open_all()
    assert 1_000 == reading.page.locator(".detail").count()
    assert ([f"request: {thousand_report.as_uri()[:80]}"], False) == (reading.deeds, reading.owned)
    assert [] == reading.ask(BEYOND)


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_a_single_record(payload: str, report: Report, read: Read) -> None:
    """Also where it is all there is, and what it says stands in the charts: it is read, and nothing happens."""
    at = list(HOSTILE.values()).index(payload)
    path = report(list(records(len(HOSTILE)))[at : at + 1])
    reading = read(path)
    reading.open_all()
    assert 1 == reading.page.locator(".detail").count() == reading.page.locator(".find >> nth=0").count()
    assert ([f"request: {path.as_uri()[:80]}"], False, []) == (reading.deeds, reading.owned, reading.ask(BEYOND))


@pytest.mark.parametrize("size", [PHONE, ViewportSize(width=320, height=600)], ids=["phone", "small phone"])
def test_a_phone(size: ViewportSize, report: Report, read: Read) -> None:
    """Nothing that a sender writes makes the page wider than a phone, opened or not."""
    reading = read(report(list(records(len(HOSTILE)))), size=size)
    assert size["width"] == reading.ask("document.documentElement.scrollWidth")
    reading.open_all()
    assert size["width"] == reading.ask("document.documentElement.scrollWidth")


def test_what_is_read(report: Report, read: Read) -> None:
    """No link, and no character that nobody sees; and the text is still there to be read."""
    reading = read(report(list(records(len(HOSTILE)))))
    reading.open_all()
    shown = reading.ask("document.body.innerText")
    assert [] == links(shown)
    assert set() == {it for it in shown if unicodedata.category(it)[0] == "C"} - {"\n", "\t"}
    assert [] == [
        it for it in ("<script>window[.]owned=1</script>", "{{script}}", "invoice_ gpj[.]exe") if it not in shown
    ]


def test_words_of_the_table(report: Report, read: Read) -> None:
    """A disposition with a payload in it can be filtered by, like any other."""
    reading = read(report(list(records(len(HOSTILE)))))
    options = reading.page.locator("#disposition option").all_inner_texts()
    [chosen] = [it for it in options if it.startswith("MALICIOUS-<IMG")]
    reading.page.locator("#disposition").select_option(label=chosen)
    assert [chosen] == reading.column("disposition")
    assert not reading.owned


UNDEFENDED = {
    "script": ("<script>window.owned=1</script>", True, []),
    "handler": ('<svg onload="window.owned=1"></svg>', True, []),
    "image": ('<img src="https://evil.example/a">', False, ["request: https://evil.example/a"]),
    "style": (
        "<style>body{background:url(https://evil.example/a)}</style>",
        False,
        ["request: https://evil.example/a"],
    ),
    "log": ("<script>console.log('here')</script>", False, ["log: here"]),
    "error": ("<script>missing()</script>", False, ["error: missing is not defined"]),
    "dialog": ("<script>alert('here')</script>", False, ["dialog: here"]),
}


@pytest.mark.parametrize(("html", "owned", "deeds"), UNDEFENDED.values(), ids=UNDEFENDED)
def test_a_page_without_defence(html: str, owned: bool, deeds: list[str], tmp_path: Path, read: Read) -> None:
    """It is seen to do what it does: the tests of this file would notice."""
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html>{html}", encoding="utf-8")
    reading = read(page)
    reading.page.wait_for_load_state()
    seen = [it for it in reading.deeds[1:] if "ERR_INTERNET_DISCONNECTED" not in it]
    assert (owned, deeds) == (reading.owned, seen)


INJECTED = {
    "script": "document.body.append(Object.assign(document.createElement('script'), {text: 'window.owned=1'}))",
    "handler": "document.body.setAttribute('onclick', 'window.owned=1'), document.body.click()",
    "html": "document.body.innerHTML = '<b>'",
    "image": "document.body.append(Object.assign(new Image(), {src: 'https://evil.example/a'}))",
    "fetch": "fetch('https://evil.example/a').catch(() => 0)",
    "style": "document.body.setAttribute('style', 'background: red')",
}


@pytest.mark.parametrize("injected", INJECTED.values(), ids=INJECTED)
def test_were_something_to_slip_through(injected: str, report: Report, read: Read) -> None:
    """The page's own policy refuses it: it runs nothing, asks for nothing, and says on the console that it was tried."""
    reading = read(report([]))
    with reading.page.expect_console_message(lambda it: "Content Security Policy" in it.text or "Trusted" in it.text):
        reading.ask(f"(() => {{ try {{ {injected} }} catch (it) {{ console.log(it.message) }} }})()")
    reading.settle()

    def asked() -> list[str]:
        reading.ask("0")  # what the browser has reported by now is taken in by the next call
        return [it for it in reading.deeds[1:] if it.startswith("request")]

    eventually(
        lambda: len(asked()) == reading.deeds.count("failed: csp"),
        "the page's policy refuses every request of the page",
    )
    assert not reading.owned
