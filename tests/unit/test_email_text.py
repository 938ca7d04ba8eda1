"""email_text.py: readable and harmless text, for any text of the sender."""

import re
from typing import Any
from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert import email_text as module
from functions.alert.email_text import COLUMNS
from functions.alert.sanitize import plain
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.header_fields import header_fields
from functions.domain.message_details import read_message_details
from functions.domain.record import PreviousAlert, Record
from tests.strategies import Answer, wild_answers, wild_details
from tests.unit.examples import FULL, INVESTIGATE_ID, POSTFIX_ID, details, detection, escalated
from tests.unit.mail_client import links

LONGEST_ID = "M" * 64 + "-2024-01-05T10:00:00-" + "9" * 20


def email_text(record: Record) -> str:
    """Build the text about a record for its recipients."""
    return module.email_text(record, header_fields(record.detection, record.details))


def visible(text: str) -> bool:
    """Return whether a text has only line feeds, spaces and visible characters."""
    return all(c in "\n " or c == plain(c) for c in text)


def too_long(text: str) -> list[str]:
    """Return lines of more than 72 columns. Wide characters take two."""
    return [it for it in text.splitlines() if len(it) + sum(east_asian_width(c) in "WF" for c in it) > COLUMNS]


def test_text_begins_with_verdict_and_next_steps() -> None:
    """Verdict and next steps come first, then details, then references."""
    it = escalated(
        detection=read_detection(FULL), details=details(delivery_status=["delivered"]), drift=("$.a: unknown",)
    )
    expected = f"""\
MALICIOUS email, in an inbox. Severity: Critical
================================================

Cloudflare's verdict: malicious, part of an active campaign. It is in an
inbox.

WHAT TO DO
  1. Remove it from every inbox: search for its postfix ID in
     Cloudflare, then move it to the deleted items.
  2. If a recipient opened a file or a link, isolate the machine from
     the network. Reset the password and end all sessions.
  3. Look for similar emails: same sender, same links, same files.

EMAIL
  Recipients: gareth[@]larkfield[.]example
  From:       Payroll <pay[@]evil[.]example>
  Subject:    Your invoice
  Delivery:   in an inbox
  Sent:       2024-01-05T10:00:00.000Z
  Scanned:    2024-01-05T10:00:02.000Z
  Alerted:    2026-11-23T12:00:00.000Z, 1053 d 1 h after the scan
  In inbox:   for up to 1053 d 1 h

ORIGIN
  Domain:     evil[.]example
  IP address: 192[.]0[.]2[.]1
  Network:    EXAMPLE-NET (AS64500)
  Location:   US
  Checks:     SPF fail, DKIM none, DMARC fail
  Cloudflare: action at the scan: QUARANTINED

THREAT CATEGORIES (1)
  - Phish

FINDINGS (1)
  - look: Credential harvester (score 0.5)

LINKS (1)
  - hxxps[://]login[.]evil[.]example/a
    link text: "click"

ATTACHMENTS (1)
  - invoice[.]pdf[.]exe, 7 bytes
    SHA-256:
    {"0" * 64}

REFERENCES
  Postfix ID: {POSTFIX_ID}
  Email ID:   {INVESTIGATE_ID}
  Alert ID:   {it.alert_id}
  Decided:    2026-11-23T12:00:00.000Z, rule disposition-listed
  History:    escalator explain \\
              {INVESTIGATE_ID}
  Contract:   Cloudflare's response does not match the API contract at
              $[.]a: unknown
"""
    assert expected == email_text(it)


def test_headers_replace_missing_details() -> None:
    """Delivery is unknown. Headers give recipients, sender and subject."""
    text = email_text(escalated(detection=read_detection(FULL)))
    assert "It is not known whether it was delivered." in " ".join(text.split())
    assert "  1. Find out where it is" in text
    assert "  Recipients: gareth[@]larkfield[.]example\n" in text
    assert "  From:       Payroll <pay[@]evil[.]example>\n" in text
    assert "  Subject:    Your invoice\n" in text


LOCATIONS = {
    "delivered": ("in an inbox", "1. Remove it from every inbox"),
    "moved": ("moved out of an inbox", "1. Ask each recipient"),
    "quarantined": ("quarantined", "1. Leave it in quarantine"),
    "rejected": ("rejected", "1. Nothing to remove"),
    "deferred": ("not delivered yet", "1. Find out where it is"),
}


@pytest.mark.parametrize(("status", "location", "step"), [(it, *row) for it, row in LOCATIONS.items()], ids=LOCATIONS)
def test_title_and_first_step_depend_on_delivery(status: str, location: str, step: str) -> None:
    """The first line says where the email is. The first step matches."""
    text = email_text(escalated(details=details(delivery_status=[status])))
    assert text.startswith(f"MALICIOUS email, {location}. ")
    assert step in text


def test_changed_disposition_names_the_previous_alert() -> None:
    """The text has the previous disposition and the previous alert's id."""
    text = email_text(escalated(previous=PreviousAlert("SUSPICIOUS", "1" * 32), revision=1))
    assert "The previous alert said SUSPICIOUS." in " ".join(text.split())
    assert f"  Last alert: SUSPICIOUS, alert ID {'1' * 32}\n" in text


def test_closed_alert_says_what_to_undo() -> None:
    """A response in progress has to stop."""
    it = escalated(
        disposition="NONE", escalates=False, outcome="CLOSED", previous=PreviousAlert("MALICIOUS", "1" * 32), revision=1
    )
    text = email_text(it)
    assert text.startswith("Email is now NONE, no longer MALICIOUS. Severity: Informational\n")
    assert "which does not raise an alert" in " ".join(text.split())
    assert "1. Stop any response to the previous alert" in text


def test_long_list_shows_five_items_and_a_count() -> None:
    """The count includes items that were not read."""
    text = email_text(
        escalated(
            detection=detection(links=[{"href": f"x{n}"} for n in range(10_001)], findings=[{"reason": "y"}] * 6),
            details=details(client_recipients=[f"{n}@a.example" for n in range(8)], to=[], envelope_to=[]),
        )
    )
    assert "LINKS (10001)" in text
    assert "  and 9995 more\n  and 1 more, not read\n" in text
    assert "  and 1 more\n" in text
    assert "4[@]a[.]example and 3 more" in " ".join(text.split())


def test_links_to_one_host_are_one_line() -> None:
    links = [{"href": f"https://EVIL.example/{n}"} for n in range(47)] + [{"href": "https://other.example/"}]
    text = email_text(escalated(detection=detection(links=links)))
    assert "- hxxps[://]EVIL[.]example/0\n    and 46 more links to this host\n  - hxxps[://]other[.]example/\n" in text


LURES: dict[str, tuple[dict[str, object], str]] = {
    "QR code in a picture": (
        {"threat_categories": [{"name": "QR Code Phishing"}], "attachments": [{"name": "qr.png"}]},
        "reset the password",
    ),
    "credential page in an HTML file": (
        {"findings": [{"reason": "Credential harvester"}], "attachments": [{"name": "voice.html"}]},
        "reset the password",
    ),
    "malware behind a link": (
        {"threat_categories": [{"name": "Dropper"}], "links": [{"href": "https://evil.example/"}]},
        "isolate the machine",
    ),
    "program without a category": ({"attachments": [{"name": "invoice.pdf.exe"}]}, "isolate the machine"),
    "link, and nothing named": ({"links": [{"href": "https://evil.example/"}]}, "reset the password"),
    "file, and nothing named": ({"attachments": [{"name": "a.pdf"}]}, "isolate the machine"),
    "nothing": ({}, "find out what they disclosed and"),
    "telephone number": ({"threat_categories": [{"name": "Vishing"}]}, "If a recipient called the number"),
}


@pytest.mark.parametrize(("fields", "step"), LURES.values(), ids=LURES)
def test_advice_follows_what_was_found(fields: dict[str, object], step: str) -> None:
    """The carrier decides only where nothing was named."""
    it = escalated(detection=detection(**fields), details=details(delivery_status=["delivered"]))
    text = " ".join(email_text(it).split())
    others = {"reset the password", "isolate the machine", "find out what they disclosed and"} - {step}
    assert (True, []) == (step in text, [other for other in others if other in text])


def test_suspicion_without_a_reason_asks_to_look_first() -> None:
    it = escalated(disposition="SUSPICIOUS", details=details(delivery_status=["delivered"]))
    text = " ".join(email_text(it).split())
    assert "Cloudflare's verdict: suspicious, without a reason." in text
    assert "1. Look at the email in Cloudflare before you take action" in text


def test_simulation_asks_whose_it_is_before_any_other_step() -> None:
    found = details(delivery_status=["delivered"], delivery_mode="SIMULATION_SUBMISSION")
    text = " ".join(email_text(escalated(details=found)).split())
    assert "1. Ask the team that runs your phishing simulations whether this email is theirs." in text
    assert "2. If it is not, treat it as an attack. Remove it from every inbox" in text


def test_retro_scan_says_so_and_how_long_the_email_was_there() -> None:
    text = email_text(escalated(details=details(delivery_mode="RETRO_SCAN", delivery_status=["delivered"])))
    assert "A retro scan found it" in " ".join(text.split())
    assert "for up to 1053 d 1 h" == row("In inbox", text)


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
    assert shown == row("Reply-To", email_text(escalated(details=details(replyto=replyto))))


def test_reply_to_is_shown_when_the_sender_is_unknown() -> None:
    text = email_text(escalated(details=details(**{"from": None, "replyto": "pay@other.example"})))
    assert "pay[@]other[.]example" == row("Reply-To", text)


SENDERS = {
    "from": ({}, "Payroll <pay[@]evil[.]example>"),
    "only an envelope": ({"from": None}, "Payroll <bounce[@]evil[.]example>"),
    "nothing": ({"from": None, "envelope_from": None, "from_name": None}, "unknown"),
}


@pytest.mark.parametrize(("fields", "shown"), SENDERS.values(), ids=SENDERS)
def test_sender_is_the_from_address_or_else_that_of_the_envelope(fields: dict[str, None], shown: str) -> None:
    assert shown == row("From", email_text(escalated(details=details(**fields))))


@pytest.mark.parametrize(("count", "more"), [(4, ""), (5, ""), (6, " and 1 more"), (7, " and 2 more")])
def test_at_most_five_of_anything_are_shown_and_the_others_counted(count: int, more: str) -> None:
    text = email_text(
        escalated(
            detection=detection(links=[{"href": f"link{n}"} for n in range(count)]),
            details=details(client_recipients=[f"{n}@a.example" for n in range(count)], to=[], envelope_to=[]),
            drift=tuple(f"path{n}" for n in range(count)),
        )
    )
    text = " ".join(text.split())
    shown = range(min(count, 5))
    assert f"Recipients: {', '.join(f'{n}[@]a[.]example' for n in shown)}{more} From:" in text
    assert f"LINKS ({count}) {' '.join(f'- link{n}' for n in shown)}{more} REFERENCES" in text
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
    "no name": ({"detection": "MALICIOUS"}, "- unnamed, verdict MALICIOUS"),
}


@pytest.mark.parametrize(("fields", "shown"), ATTACHMENTS.values(), ids=ATTACHMENTS)
def test_attachment_says_what_is_known_and_no_more(fields: dict[str, object], shown: str) -> None:
    text = " ".join(email_text(escalated(detection=detection(attachments=[fields]))).split())
    assert f"ATTACHMENTS (1) {shown} REFERENCES" in text


ORIGINS: dict[str, tuple[dict[str, object], str]] = {
    "place from the city to the country": ({"geo": "US/Texas/Austin"}, "Location: Austin, Texas, US"),
    "place without a region": ({"geo": "US/-/Austin"}, "Location: Austin, US"),
    "place unknown": ({"geo": "-/-/-"}, "Location: unknown"),
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
    assert f"FINDINGS (1) {shown} REFERENCES" in text


def test_postfix_id_is_followed_by_the_longer_id_of_the_email() -> None:
    texts = [email_text(escalated(id=EmailId(it))) for it in (POSTFIX_ID, INVESTIGATE_ID)]
    assert [POSTFIX_ID, POSTFIX_ID] == [row("Postfix ID", it) for it in texts]
    assert [None, INVESTIGATE_ID] == [row("Email ID", it) for it in texts]


def test_places_of_different_recipients_are_counted() -> None:
    """The most urgent one comes first, as in the title."""
    text = email_text(escalated(details=details(delivery_status=["quarantined"] * 6 + ["delivered", "move_failed"])))
    assert "2 of 8 in an inbox, 6 quarantined" == row("Delivery", text)
    assert text.startswith("MALICIOUS email, 2 of 8 in an inbox. Severity: Critical")


def test_same_delivery_status_is_shown_once() -> None:
    it = escalated(details=details(delivery_status=["delivered", "delivered"]))
    assert "in an inbox" == row("Delivery", email_text(it))


@pytest.mark.parametrize("length", [COLUMNS - 2 - 12, COLUMNS - 2 - 11])
def test_value_goes_on_in_a_second_line_only_when_it_is_too_long_for_the_first(length: int) -> None:
    subject = "x " * (length // 2 - 1) + "y" * (2 + length % 2)
    assert length == len(subject)
    text = email_text(escalated(details=details(subject=subject)))
    assert (subject if length == COLUMNS - 14 else subject[: subject.rindex(" ")]) == row("Subject", text)


# --- text from an attacker ----------------------------------------------------------------------------------------------

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
DETAILS_LISTS = ("to", "envelope_to", "client_recipients", "delivery_status")
FIELDS = (*DETECTION_TEXTS, *CONTEXT_TEXTS, *DETAILS_LISTS, "drift")


def with_text(field: str, text: str) -> Record:
    """Build a record that has a text in a field."""
    if field in DETECTION_TEXTS:
        return escalated(detection=detection(**DETECTION_TEXTS[field](text)))
    if field in CONTEXT_TEXTS:
        return escalated(details=details(**{field: text}))
    if field in DETAILS_LISTS:
        return escalated(details=details(**{field: [text]}))
    return escalated(**{field: (text,)})


def texts(field: str) -> dict[str, str]:
    """Build the text once for each hostile value in this field."""
    return {name: email_text(with_text(field, value)) for name, value in HOSTILE.items()}


@pytest.mark.parametrize("field", FIELDS)
def test_text_from_the_sender_creates_no_link(field: str) -> None:
    """No client turns any field into a link."""
    assert {} == {name: found for name, text in texts(field).items() if (found := links(text))}


@pytest.mark.parametrize("field", FIELDS)
def test_no_line_is_wider_than_72_columns(field: str) -> None:
    """An email client does not wrap such a line."""
    assert {} == {name: found for name, text in texts(field).items() if (found := too_long(text))}


@pytest.mark.parametrize("field", FIELDS)
def test_text_from_the_sender_begins_no_line(field: str) -> None:
    """It cannot imitate a row or a heading, nor control the display."""
    for text in texts(field).values():
        assert not re.search(r"^(  Verdict|All clear)", text, re.MULTILINE)
        assert visible(text)


WIDE: dict[str, dict[str, Any]] = {
    "longest id": {"id": EmailId(LONGEST_ID)},
    "longest disposition": {"disposition": "MALICIOUS" + "X" * 31},
    "longest dispositions": {"disposition": "M" * 40, "previous": PreviousAlert("S" * 40, "0" * 32), "revision": 1},
    "network of 64 bits": {"detection": detection(sender_info={"as_name": "x" * 40, "as_number": -(2**63) + 1})},
    "ordinary url": {"detection": detection(links=[{"href": "https://www.login.bank.example.com/" + "a" * 40}])},
    "10,000 of everything": {
        "detection": detection(
            links=[{"href": "x" * 999, "text": "y" * 999}] * 10_000,
            attachments=[{"name": "x" * 999, "sha256": "0" * 64}] * 10_000,
            findings=[{"reason": "x" * 999}] * 10_000,
            threat_categories=[{"name": "x" * 999}] * 10_000,
        ),
        "details": details(to=[f"{n}@larkfield.example" for n in range(10_000)], subject="x" * 10_000),
    },
}


@pytest.mark.parametrize("fields", WIDE.values(), ids=WIDE)
def test_long_ordinary_values_fit(fields: dict[str, Any]) -> None:
    """The text stays within 72 columns and 200 lines."""
    text = email_text(escalated(**fields))
    assert too_long(text) == []
    assert len(text.splitlines()) < 200


any_text = st.text(st.characters(), max_size=80) | st.sampled_from(list(HOSTILE.values()))


@given(wild_answers(any_text, st.just("MALICIOUS")), st.none() | wild_details(any_text))
def test_any_text_from_the_sender_is_harmless(answer: Answer, fields: Answer | None) -> None:
    """The text has no links, control characters or long lines."""
    message_details = None if fields is None else read_message_details(fields)
    text = email_text(escalated(detection=read_detection(answer), details=message_details))
    assert links(text) == []
    assert visible(text)
    assert too_long(text) == []


def test_lead_says_that_a_header_field_is_repeated() -> None:
    """Two From headers: recipients may see another sender than the analyst."""
    headers = [*FULL["headers"], {"name": "From", "value": "CEO <ceo@corp.example>"}]
    record = escalated(detection=read_detection(FULL | {"headers": headers}))
    lead = email_text(record).split("WHAT TO DO")[0]
    assert "It has several From headers" in " ".join(lead.split())


@pytest.mark.parametrize(
    ("attachment", "asked"), [({"sha256": "0" * 64}, True), ({"md5": "0" * 32}, True), ({}, False)]
)
def test_step_asks_for_same_files_only_where_a_file_has_a_hash(attachment: dict[str, str], asked: bool) -> None:
    """The ledger finds a file by its hash, and not by its name."""
    record = escalated(detection=read_detection(FULL | {"attachments": [{"name": "a.zip", **attachment}]}))
    assert asked == ("same files" in email_text(record))
