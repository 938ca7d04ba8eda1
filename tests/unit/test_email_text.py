"""email_text.py: what somebody reads at night, whatever the mail's sender wrote."""

import re
from typing import Any
from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert import email_text as written
from functions.alert.email_text import COLUMNS
from functions.alert.plain_text import plain
from functions.cloudflare.context import read_context
from functions.cloudflare.detection import read_detection
from functions.cloudflare.message_id import MessageId
from functions.cloudflare.recipients import recipients
from functions.ledger.record import Record, Told
from tests.strategies import Answer, wild_answers, wild_contexts
from tests.unit.examples import FULL, INVESTIGATE_ID, POSTFIX_ID, context, detection, escalated
from tests.unit.mail_client import links

LONGEST_ID = "M" * 64 + "-2024-01-05T10:00:00-" + "9" * 20


def email_text(it: Record) -> str:
    """The text about a record, for its recipients."""
    return written.email_text(it, recipients(it.detection, it.context))


def visible(text: str) -> bool:
    """Whether a text has line feeds and spaces in it, and else only what one sees."""
    return all(c in "\n " or c == plain(c) for c in text)


def too_long(text: str) -> list[str]:
    """Lines of more columns than there are, where a wide character takes two."""
    return [it for it in text.splitlines() if len(it) + sum(east_asian_width(c) in "WF" for c in it) > COLUMNS]


def test_an_alert() -> None:
    """The most urgent first: what, where, what to do; then who and why; then where to look it up."""
    it = escalated(
        detection=read_detection(FULL), context=context(delivery_status=["delivered"]), drift=("$.a: unknown",)
    )
    expected = f"""\
MALICIOUS mail, in an inbox. Severity: Critical
===============================================

Cloudflare is sure: it is malicious, part of an active campaign. It is
in an inbox.

WHAT TO DO
  1. Take it out of the inboxes: look it up in Cloudflare by its id, and
     move it.
  2. If anybody has opened a file or a link, take the machine off the
     network, and reset password and sessions.
  3. Look for others like it: same sender, same links, same files.

WHO
  For:        gareth[@]larkfield[.]example
  From:       Payroll <pay[@]evil[.]example>
  Subject:    Your invoice
  Delivery:   delivered
  Scanned:    2024-01-05T10:00:02.000Z

WHERE IT CAME FROM
  Domain:     evil[.]example
  Address:    192[.]0[.]2[.]1
  Network:    EXAMPLE-NET (AS64500)
  Place:      US
  Checks:     SPF fail, DKIM none, DMARC fail
  Cloudflare: action QUARANTINED

THREAT CATEGORIES (1)
  - Phish

WHY (1)
  - look: Credential harvester (score 0.5)

LINKS (1)
  - hxxps[://]login[.]evil[.]example/a
    shown as "click"

ATTACHMENTS (1)
  - invoice[.]pdf[.]exe, 7 bytes
    SHA-256:
    {"0" * 64}

TO LOOK IT UP
  Mail:       {INVESTIGATE_ID}
  Search for: {POSTFIX_ID}
  Alert:      {it.alert_id}
  Decided:    2026-11-23T12:00:00.000Z, by the rule disposition-listed
  History:    escalator explain
              {INVESTIGATE_ID}
  Contract:   the answer did not match the contract at $[.]a: unknown
"""
    assert expected == email_text(it)


def test_without_context() -> None:
    """It says that delivery is unknown, and who and what as far as the mail's own headers tell."""
    text = email_text(escalated(detection=read_detection(FULL)))
    assert "Whether it was delivered is unknown." in " ".join(text.split())
    assert "  1. Find out where it is" in text
    assert "  For:        gareth[@]larkfield[.]example\n" in text
    assert "  From:       Payroll <pay[@]evil[.]example>\n" in text
    assert "  Subject:    Your invoice\n" in text


PLACES = {
    "delivered": ("in an inbox", "1. Take it out of the inboxes"),
    "moved": ("moved out", "1. Ask whoever got it"),
    "quarantined": ("held", "1. Leave it where it is"),
    "rejected": ("rejected", "1. Nothing has to be taken back"),
    "deferred": ("under way", "1. Find out where it is"),
}


@pytest.mark.parametrize(("status", "place", "step"), [(it, *told) for it, told in PLACES.items()], ids=PLACES)
def test_where_it_is(status: str, place: str, step: str) -> None:
    """The first line says it, and the first step goes by it."""
    text = email_text(escalated(context=context(delivery_status=[status])))
    assert text.startswith(f"MALICIOUS mail, {place}. ")
    assert step in text


def test_a_change_of_mind() -> None:
    """It names what was told before, and the alert that told it."""
    text = email_text(escalated(previous=Told("SUSPICIOUS", "1" * 32), turn=1))
    assert "before, it said SUSPICIOUS." in " ".join(text.split())
    assert f"  Before:     SUSPICIOUS, alert {'1' * 32}\n" in text


def test_a_drop() -> None:
    """It says that nothing is to be alerted on any more, and what to do about what was begun."""
    it = escalated(disposition="NONE", escalates=False, outcome="CLOSED", previous=Told("MALICIOUS", "1" * 32), turn=1)
    text = email_text(it)
    assert text.startswith("Mail is NONE now, no longer MALICIOUS. Severity: Informational\n")
    assert "nothing to alert on" in " ".join(text.split())
    assert "1. Stop what the earlier alert began" in text


def test_more_than_is_shown() -> None:
    """Five of each list are shown, and the others are counted: all that Cloudflare gave, not all that was read."""
    text = email_text(
        escalated(
            detection=detection(links=[{"href": "x"}] * 10_001, findings=[{"reason": "y"}] * 6),
            context=context(client_recipients=[f"{n}@a.example" for n in range(8)], to=[], envelope_to=[]),
        )
    )
    assert "LINKS (10001)" in text
    assert "  and 9996 more\n" in text
    assert "  and 1 more\n" in text
    assert "4[@]a[.]example and 3 more" in " ".join(text.split())


# --- what is shown, and when -------------------------------------------------------------------------------------------


def row(name: str, text: str) -> str | None:
    """The value in a row of the text; None where there is no such row."""
    found = re.search(rf"^  {name}: +(.*)$", text, re.MULTILINE)
    return found[1] if found else None


REPLY_TO = {
    "another address": ("pay@other.example", "pay[@]other[.]example"),
    "the sender's own": ("pay@evil.example", None),
    "empty": ("", None),
    "absent": (None, None),
}


@pytest.mark.parametrize(("replyto", "shown"), REPLY_TO.values(), ids=REPLY_TO)
def test_reply_to_is_shown_only_when_it_differs_from_the_sender(replyto: str | None, shown: str | None) -> None:
    assert shown == row("Reply to", email_text(escalated(context=context(replyto=replyto))))


def test_reply_to_is_shown_when_the_sender_is_unknown() -> None:
    text = email_text(escalated(context=context(**{"from": None, "replyto": "pay@other.example"})))
    assert "pay[@]other[.]example" == row("Reply to", text)


SENDERS = {
    "from": ({}, "Payroll <pay[@]evil[.]example>"),
    "only an envelope": ({"from": None}, "Payroll <bounce[@]evil[.]example>"),
    "nothing": ({"from": None, "envelope_from": None, "from_name": None}, "<not given>"),
}


@pytest.mark.parametrize(("fields", "shown"), SENDERS.values(), ids=SENDERS)
def test_sender_is_the_from_address_or_else_that_of_the_envelope(fields: dict[str, None], shown: str) -> None:
    assert shown == row("From", email_text(escalated(context=context(**fields))))


@pytest.mark.parametrize(("count", "more"), [(4, ""), (5, ""), (6, " and 1 more"), (7, " and 2 more")])
def test_at_most_five_of_anything_are_shown_and_the_others_counted(count: int, more: str) -> None:
    text = email_text(
        escalated(
            detection=detection(links=[{"href": f"link{n}"} for n in range(count)]),
            context=context(client_recipients=[f"{n}@a.example" for n in range(count)], to=[], envelope_to=[]),
            drift=tuple(f"path{n}" for n in range(count)),
        )
    )
    text = " ".join(text.split())
    shown = range(min(count, 5))
    assert f"For: {', '.join(f'{n}[@]a[.]example' for n in shown)}{more} From:" in text
    assert f"LINKS ({count}) {' '.join(f'- link{n}' for n in shown)}{more} TO LOOK IT UP" in text
    assert text.endswith(f"at {'; '.join(f'path{n}' for n in shown)}{more}")


SIZES = {
    0: "0 bytes",
    999: "999 bytes",
    1_000: "1.0 kB",
    999_949: "999.9 kB",
    1_000_000: "1.0 MB",
    2_550_000_000: "2,550.0 MB",
}


@pytest.mark.parametrize(("size", "shown"), SIZES.items(), ids=SIZES.values())
def test_size_of_an_attachment_is_in_the_unit_that_reads_best(size: int, shown: str) -> None:
    text = email_text(escalated(detection=detection(attachments=[{"name": "a", "size": size}])))
    assert f"  - a, {shown}\n" in text


ATTACHMENTS: dict[str, tuple[dict[str, object], str]] = {
    "both hashes": ({"name": "a", "sha256": "5" * 64, "md5": "6" * 32}, f"- a SHA-256: {'5' * 64}"),
    "only MD5": ({"name": "a", "md5": "6" * 32}, f"- a MD5: {'6' * 32}"),
    "no hash": ({"name": "a"}, "- a"),
    "encrypted": ({"name": "a", "encrypted": True}, "- a, encrypted"),
    "not encrypted": ({"name": "a", "encrypted": False}, "- a"),
    "a file name": ({"filename": "b", "name": "a"}, "- b"),
    "no name": ({"detection": "MALICIOUS"}, "- unnamed, found MALICIOUS"),
}


@pytest.mark.parametrize(("fields", "shown"), ATTACHMENTS.values(), ids=ATTACHMENTS)
def test_attachment_says_what_is_known_and_no_more(fields: dict[str, object], shown: str) -> None:
    text = " ".join(email_text(escalated(detection=detection(attachments=[fields]))).split())
    assert f"ATTACHMENTS (1) {shown} TO LOOK IT UP" in text


ORIGINS: dict[str, tuple[dict[str, object], str]] = {
    "place from the city to the country": ({"geo": "US/Texas/Austin"}, "Place: Austin, Texas, US"),
    "place without a region": ({"geo": "US/-/Austin"}, "Place: Austin, US"),
    "place unknown": ({"geo": "-/-/-"}, "Place: unknown"),
    "network zero": ({"as_name": "NET", "as_number": 0}, "Network: NET (AS0)"),
    "network unknown": ({}, "Network: unknown (AS unknown)"),
}


@pytest.mark.parametrize(("sender", "shown"), ORIGINS.values(), ids=ORIGINS)
def test_origin_says_what_is_known(sender: dict[str, object], shown: str) -> None:
    text = " ".join(email_text(escalated(detection=detection(sender_info=sender))).split())
    assert f"{shown} " in text


FINDINGS: dict[str, tuple[dict[str, object], str]] = {
    "score zero": ({"reason": "a", "score": 0.0}, "- a (score 0)"),
    "no score": ({"reason": "a"}, "- a"),
    "three digits": ({"reason": "a", "score": 0.98765}, "- a (score 0.988)"),
    "reason before detail": ({"reason": "a", "detail": "b", "value": "c"}, "- a"),
    "detail before value": ({"detail": "b", "value": "c"}, "- b"),
    "only a name": ({"name": "n"}, "- n: no reason given"),
}


@pytest.mark.parametrize(("fields", "shown"), FINDINGS.values(), ids=FINDINGS)
def test_finding_says_why_with_its_score(fields: dict[str, object], shown: str) -> None:
    text = " ".join(email_text(escalated(detection=detection(findings=[fields]))).split())
    assert f"WHY (1) {shown} TO LOOK IT UP" in text


def test_id_to_search_for_is_shown_only_when_the_mail_has_a_longer_one() -> None:
    texts = [email_text(escalated(id=MessageId(it))) for it in (POSTFIX_ID, INVESTIGATE_ID)]
    assert [None, POSTFIX_ID] == [row("Search for", it) for it in texts]


def test_same_delivery_status_is_shown_once() -> None:
    it = escalated(context=context(delivery_status=["delivered", "delivered", "quarantined"]))
    assert "delivered, quarantined" == row("Delivery", email_text(it))


@pytest.mark.parametrize("length", [COLUMNS - 2 - 12, COLUMNS - 2 - 11])
def test_value_goes_on_in_a_second_line_only_when_it_is_too_long_for_the_first(length: int) -> None:
    subject = "x " * (length // 2 - 1) + "y" * (2 + length % 2)
    assert length == len(subject)
    text = email_text(escalated(context=context(subject=subject)))
    assert (subject if length == COLUMNS - 14 else subject[: subject.rindex(" ")]) == row("Subject", text)


# --- text of an attacker ----------------------------------------------------------------------------------------------

HOSTILE = {
    "url": "https://evil.example/a",
    "url in a sentence": "please see http://evil.example/a today",
    "bare domain": "evil.example",
    "address": "boss@evil.example",
    "www": "www.evil.example",
    "lines": "x\r\n  Verdict:    harmless\n\nAll clear",
    "override": "gpj.\u202eexe.eciovni",
    "zero width": "evil\u200b.exa\u200bmple",
    "escape": "\x1b[2J\x07",
    "half a surrogate pair": "\ud800",
    "long": "x" * 5_000,
    "dots": "a.b." * 500,
    "url of dots": "https://" + "a." * 500,
    "addresses": "a@b.cd " * 500,
    "wide": "株" * 500,
    "combining": "e\u0301" * 500,
}
DETECTION_TEXTS: dict[str, Any] = {
    "action": lambda it: {"action": it},
    "as_name": lambda it: {"sender_info": {"as_name": it}},
    "geo": lambda it: {"sender_info": {"geo": it}},
    "ip": lambda it: {"sender_info": {"ip": it}},
    "pld": lambda it: {"sender_info": {"pld": it}},
    "spf": lambda it: {"validation": {"spf": it}},
    "threat category": lambda it: {"threat_categories": [{"name": it}]},
    "category's description": lambda it: {"threat_categories": [{"description": it}]},
    "reason": lambda it: {"findings": [{"reason": it}]},
    "detail": lambda it: {"findings": [{"detail": it}]},
    "finding's name": lambda it: {"findings": [{"name": it}]},
    "finding's value": lambda it: {"findings": [{"value": it}]},
    "filename": lambda it: {"attachments": [{"filename": it}]},
    "attachment's name": lambda it: {"attachments": [{"name": it}]},
    "content type": lambda it: {"attachments": [{"content_type": it}]},
    "attachment's detection": lambda it: {"attachments": [{"detection": it}]},
    "hash": lambda it: {"attachments": [{"sha256": it}]},
    "md5": lambda it: {"attachments": [{"md5": it}]},
    "href": lambda it: {"links": [{"href": it}]},
    "link's text": lambda it: {"links": [{"href": "x", "text": it}]},
    "from in a header": lambda it: {"headers": [{"name": "From", "value": it}]},
    "to in a header": lambda it: {"headers": [{"name": "To", "value": it}]},
    "subject in a header": lambda it: {"headers": [{"name": "Subject", "value": it}]},
}
CONTEXT_TEXTS = ("subject", "from", "from_name", "replyto", "envelope_from", "scanned_at")
CONTEXT_LISTS = ("to", "envelope_to", "client_recipients", "delivery_status")
FIELDS = (*DETECTION_TEXTS, *CONTEXT_TEXTS, *CONTEXT_LISTS, "drift")


def with_text(field: str, text: str) -> Record:
    """A record that has a text in a field."""
    if field in DETECTION_TEXTS:
        return escalated(detection=detection(**DETECTION_TEXTS[field](text)))
    if field in CONTEXT_TEXTS:
        return escalated(context=context(**{field: text}))
    if field in CONTEXT_LISTS:
        return escalated(context=context(**{field: [text]}))
    return escalated(**{field: (text,)})


def texts(field: str) -> dict[str, str]:
    """The text for a human with each hostile value in this field."""
    return {name: email_text(with_text(field, value)) for name, value in HOSTILE.items()}


@pytest.mark.parametrize("field", FIELDS)
def test_nothing_to_click_on(field: str) -> None:
    """Wherever a sender's text stands, no client makes a link of it."""
    assert {} == {name: found for name, text in texts(field).items() if (found := links(text))}


@pytest.mark.parametrize("field", FIELDS)
def test_the_width_of_the_text(field: str) -> None:
    """A mail client wraps none of it."""
    assert {} == {name: found for name, text in texts(field).items() if (found := too_long(text))}


@pytest.mark.parametrize("field", FIELDS)
def test_no_line_of_an_attacker(field: str) -> None:
    """A sender's text begins no line of its own, and controls no display."""
    for text in texts(field).values():
        assert not re.search(r"^(  Verdict|All clear)", text, re.MULTILINE)
        assert visible(text)


WIDE: dict[str, dict[str, Any]] = {
    "longest id": {"id": MessageId(LONGEST_ID)},
    "longest disposition": {"disposition": "MALICIOUS" + "X" * 31},
    "longest dispositions": {"disposition": "M" * 40, "previous": Told("S" * 40, "0" * 32), "turn": 1},
    "network of 64 bits": {"detection": detection(sender_info={"as_name": "x" * 40, "as_number": -(2**63) + 1})},
    "ordinary url": {"detection": detection(links=[{"href": "https://www.login.bank.example.com/" + "a" * 40}])},
    "10,000 of everything": {
        "detection": detection(
            links=[{"href": "x" * 999, "text": "y" * 999}] * 10_000,
            attachments=[{"name": "x" * 999, "sha256": "0" * 64}] * 10_000,
            findings=[{"reason": "x" * 999}] * 10_000,
            threat_categories=[{"name": "x" * 999}] * 10_000,
        ),
        "context": context(to=[f"{n}@larkfield.example" for n in range(10_000)], subject="x" * 10_000),
    },
}


@pytest.mark.parametrize("decided", WIDE.values(), ids=WIDE)
def test_what_is_long_without_malice(decided: dict[str, Any]) -> None:
    """It fits, too, and stays a text that somebody reads."""
    text = email_text(escalated(**decided))
    assert too_long(text) == []
    assert len(text.splitlines()) < 200


any_words = st.text(st.characters(), max_size=80) | st.sampled_from(list(HOSTILE.values()))


@given(wild_answers(any_words, st.just("MALICIOUS")), st.none() | wild_contexts(any_words))
def test_any_text_of_an_attacker(answer: Answer, known: Answer | None) -> None:
    """Nothing to click on, nothing that controls the display, nothing that is wrapped."""
    told = None if known is None else read_context(known)
    text = email_text(escalated(detection=read_detection(answer), context=told))
    assert links(text) == []
    assert visible(text)
    assert too_long(text) == []
