"""A report about emails whose senders attack its reader: the page shows their text and does nothing else."""

import unicodedata
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from tests.clock import eventually
from tests.report.conftest import PHONE, Open, Report
from tests.report.records import HOSTILE, items, unreadable_item
from tests.unit.mail_client import links

ELEMENTS = """
    html head meta title style script template body header main footer section a h1 h2 h3 p span dl dt dd div ul ol li
    table thead tbody tr th td time button input select option label details summary svg g rect line text
"""
"""Every element that a report may have, whatever its records contain."""
ATTRIBUTES = """
    aria-describedby aria-expanded aria-hidden aria-label aria-labelledby aria-sort autocomplete charset class colspan
    content data-column for height hidden href http-equiv id lang name placeholder role scope spellcheck tabindex
    text-anchor type value width x x1 x2 y y1 y2
"""
UNEXPECTED = f"""
    (() => {{
        const [elements, attributes] = [`{ELEMENTS}`, `{ATTRIBUTES}`].map((it) => new Set(it.split(/\\s+/)));
        const found = [...document.querySelectorAll("*")].flatMap((it) => [`<${{it.localName}}>`, ...it.getAttributeNames()]);
        return [...new Set(found)].filter((it) => !elements.has(it.replace(/[<>]/g, "")) && !attributes.has(it));
    }})()
"""
"""Elements and attributes of a page that are not in these lists."""


def test_page_of_a_thousand_records_makes_one_request(thousand_report: Path, open_page: Open) -> None:
    """With every row open, the only request is for the file itself, and the console is empty."""
    tab = open_page(thousand_report)
    tab.show_all()
    tab.open_all()
    assert 1_000 == tab.page.locator(".detail").count()
    assert ([f"request: {thousand_report.as_uri()[:80]}"], False) == (tab.activity, tab.owned)
    assert [] == tab.evaluate(UNEXPECTED)


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_hostile_record_alone_runs_nothing(payload: str, report: Report, open_page: Open) -> None:
    """Its words are in the charts and the list, and nothing runs."""
    at = list(HOSTILE.values()).index(payload)
    path = report(list(items(len(HOSTILE)))[at : at + 1])
    tab = open_page(path)
    tab.open_all()
    assert 1 == tab.page.locator(".detail").count() == tab.page.locator(".find >> nth=0").count()
    assert ([f"request: {path.as_uri()[:80]}"], False, []) == (tab.activity, tab.owned, tab.evaluate(UNEXPECTED))


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_hostile_unreadable_record_runs_nothing(payload: str, report: Report, open_page: Open) -> None:
    """It is one row that says why it cannot be read."""
    path = report([unreadable_item(payload)])
    tab = open_page(path)
    tab.open_all()
    assert [True] == [it.startswith("This record cannot be read: attribute ") for it in tab.column("mail button")]
    assert ([f"request: {path.as_uri()[:80]}"], False, []) == (tab.activity, tab.owned, tab.evaluate(UNEXPECTED))
    assert [] == links(tab.evaluate("document.body.innerText"))


@pytest.mark.parametrize("size", [PHONE, ViewportSize(width=320, height=600)], ids=["phone", "small phone"])
def test_hostile_text_fits_a_phone(size: ViewportSize, report: Report, open_page: Open) -> None:
    """No text makes the page wider than the screen, with rows open or closed."""
    tab = open_page(report(list(items(len(HOSTILE)))), size=size)
    assert size["width"] == tab.evaluate("document.documentElement.scrollWidth")
    tab.open_all()
    assert size["width"] == tab.evaluate("document.documentElement.scrollWidth")


def test_shown_text_has_no_link_and_no_invisible_character(report: Report, open_page: Open) -> None:
    """The hostile text is still readable."""
    tab = open_page(report(list(items(len(HOSTILE)))))
    tab.open_all()
    shown = tab.evaluate("document.body.innerText")
    assert [] == links(shown)
    assert set() == {it for it in shown if unicodedata.category(it)[0] == "C"} - {"\n", "\t"}
    assert [] == [
        it for it in ("<script>window[.]owned=1</script>", "{{script}}", "invoice_ gpj[.]exe") if it not in shown
    ]


def test_hostile_disposition_can_be_filtered(report: Report, open_page: Open) -> None:
    """It works like any other disposition."""
    tab = open_page(report(list(items(len(HOSTILE)))))
    options = tab.page.locator("#disposition option").all_inner_texts()
    [chosen] = [it for it in options if it.startswith("MALICIOUS-<IMG")]
    tab.page.locator("#disposition").select_option(label=chosen)
    assert [chosen] == tab.column("disposition")
    assert not tab.owned


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


@pytest.mark.parametrize(("html", "owned", "activity"), UNDEFENDED.values(), ids=UNDEFENDED)
def test_attack_on_an_undefended_page_is_noticed(
    html: str, owned: bool, activity: list[str], tmp_path: Path, open_page: Open
) -> None:
    """The tests of this file would see each of these attacks."""
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html>{html}", encoding="utf-8")
    tab = open_page(page)
    tab.page.wait_for_load_state()
    observed = [it for it in tab.activity[1:] if "ERR_INTERNET_DISCONNECTED" not in it]
    assert (owned, activity) == (tab.owned, observed)


INJECTED = {
    "script": "document.body.append(Object.assign(document.createElement('script'), {text: 'window.owned=1'}))",
    "handler": "document.body.setAttribute('onclick', 'window.owned=1'), document.body.click()",
    "html": "document.body.innerHTML = '<b>'",
    "image": "document.body.append(Object.assign(new Image(), {src: 'https://evil.example/a'}))",
    "fetch": "fetch('https://evil.example/a').catch(() => 0)",
    "style": "document.body.setAttribute('style', 'background: red')",
}


@pytest.mark.parametrize("injected", INJECTED.values(), ids=INJECTED)
def test_policy_blocks_injected_markup(injected: str, report: Report, open_page: Open) -> None:
    """The content security policy runs nothing, sends nothing, and reports the attempt on the console."""
    tab = open_page(report([]))
    with tab.page.expect_console_message(lambda it: "Content Security Policy" in it.text or "Trusted" in it.text):
        tab.evaluate(f"(() => {{ try {{ {injected} }} catch (it) {{ console.log(it.message) }} }})()")
    tab.settle()

    def requests() -> list[str]:
        tab.evaluate("0")  # the next call receives what the browser has reported by now
        return [it for it in tab.activity[1:] if it.startswith("request")]

    eventually(
        lambda: len(requests()) == tab.activity.count("failed: csp"),
        "the page's policy blocks every request of the page",
    )
    assert not tab.owned
