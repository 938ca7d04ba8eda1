"""Recipients from message details and headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.detection import read_detection
from functions.domain.message_details import read_message_details
from functions.domain.recipients import recipients
from tests.strategies import Answer, any_text, json_values, wild_answers, wild_details
from tests.unit.examples import details, detection


def from_headers(*headers: tuple[str, str]) -> tuple[str, ...]:
    """The recipients of an email with these headers and without message details."""
    return recipients(detection(headers=[{"name": name, "value": value} for name, value in headers]), None)


def test_no_recipients_without_details_and_headers() -> None:
    """Without any address the result is empty."""
    assert () == recipients(None, None)
    assert () == recipients(detection(), details(client_recipients=[], envelope_to=[], to=[]))


def test_recipients_of_the_details_come_before_those_of_headers() -> None:
    """Each address is in lower case, and appears once."""
    from_details = details(
        client_recipients=["Gareth@Larkfield.example"], envelope_to=[], to=[" jane@larkfield.example "]
    )
    found = detection(headers=[{"name": "To", "value": "gareth@larkfield.example, Kim <kim@larkfield.example>"}])
    assert ("gareth@larkfield.example", "jane@larkfield.example", "kim@larkfield.example") == recipients(
        found, from_details
    )


HEADERS: dict[str, tuple[tuple[str, str], tuple[str, ...]]] = {
    "to": (("To", "a@x.example"), ("a@x.example",)),
    "cc in lower case": (("cc", "a@x.example"), ("a@x.example",)),
    "bcc": (("BCC", "a@x.example"), ("a@x.example",)),
    "delivered to": (("Delivered-To", "a@x.example"), ("a@x.example",)),
    "envelope to": (("X-Envelope-To", "<a@x.example>"), ("a@x.example",)),
    "resent": (("Resent-To", "a@x.example"), ("a@x.example",)),
    "several": (("To", "A <a@x.example>, b@x.example"), ("a@x.example", "b@x.example")),
    "with a comma in the name": (("To", '"Pugh, Gareth" <a@x.example>'), ("a@x.example",)),
    "another address in the name": (("To", '"b@y.example" <a@x.example>'), ("a@x.example",)),
    "received for": (("Received", "from m by n for <a@x.example>; Mon"), ("a@x.example",)),
    "received for, without brackets": (("Received", "from m by n for a@x.example; Mon"), ("a@x.example",)),
    "received, without an address": (("Received", "from m by n for; Mon"), ()),
    "from": (("From", "a@x.example"), ()),
    "reply to": (("Reply-To", "a@x.example"), ()),
    "subject": (("Subject", "to: a@x.example"), ()),
    "a space after its name": (("To ", "a@x.example"), ("a@x.example",)),
    "no address": (("To", "undisclosed-recipients:;"), ()),
    "empty": (("To", ""), ()),
}


@pytest.mark.parametrize(("header", "expected"), HEADERS.values(), ids=HEADERS)
def test_only_recipient_headers_give_recipients(header: tuple[str, str], expected: tuple[str, ...]) -> None:
    """Headers with the sender's addresses give no recipients."""
    assert expected == from_headers(header)


HOSTILE = {
    "nested comments": "(" * 4_000,
    "nested groups": ":" * 4_000,
    "brackets": "<" * 4_000,
    "quotes": '"' * 4_001,
    "backslashes": "\\" * 4_000,
    "commas": "," * 4_000,
    "addresses without a local part": "@," * 2_000,
    "literals": "a@[" * 2_000,
    "megabytes": "a" * 5_000_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["To", "Received"])
def test_hostile_header_does_not_hide_other_recipients(name: str, value: str) -> None:
    """The address in another header is still found."""
    assert "a@x.example" in from_headers((name, value), ("Cc", "a@x.example"))


def test_number_of_characters_read_is_limited() -> None:
    """Only the start of a long header, and the first of many recipient headers, are read."""
    ten_thousand_addresses = ", ".join(f"{n}@x.example" for n in range(10_000))
    assert len(from_headers(("To", ten_thousand_addresses))) < 500
    assert 1 == len(from_headers(("To", "a@x.example"), *[("Received", "x" * 4_000)] * 200, ("Cc", "b@x.example")))


def test_other_headers_do_not_use_up_the_limit() -> None:
    """Without message details, only this header gives the address to mask."""
    assert ("a@x.example",) == from_headers(*[("X-Mailer", "1")] * 5_000, ("To", "a@x.example"))


@given(
    st.lists(st.tuples(st.sampled_from(["To", "Received", "Cc"]), any_text | st.text('()<>@:;,"\\ a[].', max_size=200)))
)
def test_any_headers_give_distinct_addresses_in_lower_case(headers: list[tuple[str, str]]) -> None:
    """Arbitrary headers give addresses in lower case, without duplicates."""
    found = from_headers(*headers)
    assert len(found) == len({*found})
    assert all("@" in address and address == address.strip().lower() for address in found)


@given(wild_answers(json_values(), json_values()), wild_details(json_values()))
def test_any_answer_gives_all_recipients_of_the_details(answer: Answer, from_details: Answer) -> None:
    """Each address in the message details is a recipient."""
    parsed_details = read_message_details(from_details)
    named = {address.strip().lower() for address in parsed_details.recipients if "@" in address}
    assert named <= {*recipients(read_detection(answer), parsed_details)}
