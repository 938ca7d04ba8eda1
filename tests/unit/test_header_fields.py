"""From, To, Reply-To, Subject and Date come from the details, else from the headers, decoded and taken apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.detection import read_detection
from functions.domain.encoded_words import decoded
from functions.domain.header_fields import HeaderFields, Mailbox, header_fields
from functions.domain.message_details import read_message_details
from tests.strategies import Answer, any_text, json_values, wild_answers, wild_details
from tests.unit.examples import FULL, details, detection


def of_headers(*headers: tuple[str, str]) -> HeaderFields:
    """The fields of an email with these headers and without message details."""
    return header_fields(detection(headers=[{"name": name, "value": value} for name, value in headers]), None)


FROM_DETAILS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "all given": ({}, ("Payroll <pay@evil.example>", "Your invoice")),
    "no subject": ({"subject": None}, ("Payroll <pay@evil.example>", "Your invoice")),
    "no sender": ({"from": None, "from_name": None}, ("Payroll <pay@evil.example>", "Your invoice")),
    "no name": ({"from_name": None}, ("Payroll <pay@evil.example>", "Your invoice")),
    "another subject": ({"subject": "From the details"}, ("Payroll <pay@evil.example>", "From the details")),
    "a name in the address": (
        {"from": "Bank <b@evil.example>", "from_name": "x"},
        ("Bank <b@evil.example>", "Your invoice"),
    ),
}


@pytest.mark.parametrize(("fields", "expected"), FROM_DETAILS.values(), ids=FROM_DETAILS)
def test_headers_replace_single_fields_that_the_details_lack(fields: dict[str, Any], expected: tuple[str, str]) -> None:
    found = header_fields(read_detection(FULL), details(**fields))
    assert expected == (found.sender, found.subject)


def test_envelope_replaces_a_sender_that_neither_details_nor_headers_have() -> None:
    found = header_fields(detection(), details(**{"from": None, "from_name": None}))
    assert (Mailbox("", "bounce@evil.example"),) == found.senders


def test_details_with_display_names_give_addresses() -> None:
    named = ["Ann Lee <ann.lee@corp.example>"]
    found = header_fields(detection(), details(client_recipients=named, to=named, envelope_to=[]))
    assert (("ann.lee@corp.example",), ("ann.lee@corp.example",)) == (found.to, found.recipients)


ENCODED = {
    "UTF-8 in base64": ("=?utf-8?B?0J/QvtC00LTQtdGA0LbQutCw?=", "Поддержка"),
    "quoted-printable": ("=?iso-8859-1?Q?B=FCcher_=26_more?=", "Bücher & more"),
    "one letter in two words": ("=?utf-8?B?4p+?= =?utf-8?B?oA==?=", "⟠"),
    "GB 18030": ("=?gb18030?B?1tC5+g==?=", "中国"),
    "Shift JIS": ("=?shift_jis?B?k/qWew==?=", "日本"),
    "a language": ("=?utf-8*en?Q?Hello?=", "Hello"),
    "an unknown charset": ("=?x-made-up?Q?Hello?=", "Hello"),
    "text around it": ("a =?utf-8?Q?b?= c", "a b c"),
    "invalid base64": ("=?utf-8?B?A?=", "=?utf-8?B?A?="),
    "no encoded word": ("1 =? 2", "1 =? 2"),
    "half a surrogate pair": ("=?utf-7?Q?+2AA-?=", "?"),
}


@pytest.mark.parametrize(("text", "expected"), ENCODED.values(), ids=ENCODED)
def test_encoded_words_are_decoded_in_any_charset_of_python(text: str, expected: str) -> None:
    assert expected == decoded(text)


def test_encoded_name_and_subject_are_decoded() -> None:
    """An address that is encoded as a whole is found as well."""
    found = of_headers(("From", "=?utf-8?B?0JHQsNC90Lo=?= <help@evil.example>"), ("Subject", "=?utf-8?Q?Hi?="))
    assert ("Банк <help@evil.example>", "Hi") == (found.sender, found.subject)
    assert (Mailbox("", "a@b.example"),) == of_headers(("From", "=?utf-8?Q?a=40b.example?=")).senders


def test_repeated_headers_are_shown_as_such() -> None:
    """Clients differ in which of them they show."""
    found = of_headers(
        ("From", "CEO <ceo@corp.example>"), ("From", "x <x@evil.example>"), ("Subject", "hello"), ("Subject", "wire it")
    )
    assert "CEO <ceo@corp.example>; another From header: x <x@evil.example>" == found.sender
    assert "hello; another Subject header: wire it" == found.subject
    assert ("From", "Subject") == found.repeated


def test_same_header_twice_is_not_repeated() -> None:
    found = of_headers(("From", "a@b.example"), ("From", "a@b.example"))
    assert ((Mailbox("", "a@b.example"),), ()) == (found.senders, found.repeated)


REPLY_TO: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "none": (None, ()),
    "that of the sender": ("Pay <PAY@evil.example>", ()),
    "another one": ("Pay <drop@evil.example>", ("Pay <drop@evil.example>",)),
}


@pytest.mark.parametrize(("replyto", "expected"), REPLY_TO.values(), ids=REPLY_TO)
def test_reply_to_matters_where_it_differs_from_the_sender(replyto: str | None, expected: tuple[str, ...]) -> None:
    assert expected == tuple(map(str, header_fields(detection(), details(replyto=replyto)).other_reply_to))


DATES: dict[str, tuple[str, str | None]] = {
    "a date": ("Tue, 03 Nov 2026 06:39:21 +0200", "2026-11-03T04:39:21+00:00"),
    "without a zone": ("Tue, 03 Nov 2026 04:39:21", "2026-11-03T04:39:21+00:00"),
    "no date": ("yesterday", "yesterday"),
    "a day that does not exist": ("Tue, 31 Feb 2026 04:39:21", "Tue, 31 Feb 2026 04:39:21"),
}


@pytest.mark.parametrize(("text", "expected"), DATES.values(), ids=DATES)
def test_date_header_is_read_where_it_is_a_date(text: str, expected: str | None) -> None:
    assert expected == of_headers(("Date", text)).date


@given(wild_answers(json_values(), json_values()), st.none() | wild_details(json_values()))
def test_any_answer_gives_fields(answer: Answer, fields: Answer | None) -> None:
    """Nothing that a sender writes raises an error."""
    message_details = None if fields is None else read_message_details(fields)
    found = header_fields(read_detection(answer), message_details)
    assert isinstance((found.sender + found.subject).encode(), bytes)


@given(st.text(alphabet="=?utf-8QqBb_ abc<>@.\\", max_size=200) | any_text)
def test_any_text_can_be_decoded(text: str) -> None:
    """A lone surrogate of the input stays: json_values.py has replaced it before."""
    assert isinstance(decoded(text), str)
