"""recipients.py: whom a mail was for, as far as anything in it says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.context import read_context
from functions.cloudflare.detection import read_detection
from functions.cloudflare.recipients import recipients
from tests.strategies import Answer, any_text, json_values, wild_answers, wild_contexts
from tests.unit.examples import context, detection


def by_headers(*headers: tuple[str, str]) -> tuple[str, ...]:
    """Recipients of a mail with these headers, of which no context is known."""
    return recipients(detection(headers=[{"name": name, "value": value} for name, value in headers]), None)


def test_nothing_known() -> None:
    """Nobody is made up."""
    assert () == recipients(None, None)
    assert () == recipients(detection(), context(client_recipients=[], envelope_to=[], to=[]))


def test_the_order() -> None:
    """Those whom Cloudflare names come first, and each is named once, in lower case."""
    said = context(client_recipients=["Gareth@Larkfield.example"], envelope_to=[], to=[" jane@larkfield.example "])
    found = detection(headers=[{"name": "To", "value": "gareth@larkfield.example, Kim <kim@larkfield.example>"}])
    assert ("gareth@larkfield.example", "jane@larkfield.example", "kim@larkfield.example") == recipients(found, said)


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
    "received, for nobody": (("Received", "from m by n for; Mon"), ()),
    "from": (("From", "a@x.example"), ()),
    "reply to": (("Reply-To", "a@x.example"), ()),
    "subject": (("Subject", "to: a@x.example"), ()),
    "a space after its name": (("To ", "a@x.example"), ("a@x.example",)),
    "no address": (("To", "undisclosed-recipients:;"), ()),
    "empty": (("To", ""), ()),
}


@pytest.mark.parametrize(("header", "expected"), HEADERS.values(), ids=HEADERS)
def test_a_header(header: tuple[str, str], expected: tuple[str, ...]) -> None:
    """Those that name recipients do so; those of the sender do not."""
    assert expected == by_headers(header)


HOSTILE = {
    "a comment within a comment": "(" * 4_000,
    "a group within a group": ":" * 4_000,
    "brackets": "<" * 4_000,
    "quotes": '"' * 4_001,
    "backslashes": "\\" * 4_000,
    "commas": "," * 4_000,
    "addresses of nobody": "@," * 2_000,
    "literals": "a@[" * 2_000,
    "megabytes": "a" * 5_000_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["To", "Received"])
def test_a_hostile_header(name: str, value: str) -> None:
    """It names whom it names, but it stops nobody, and hides nobody whom another header names."""
    assert "a@x.example" in by_headers((name, value), ("Cc", "a@x.example"))


def test_more_than_anybody_reads() -> None:
    """Of thousands of headers that name recipients, and of thousands of addresses in one, the first are looked at."""
    many = ", ".join(f"{n}@x.example" for n in range(10_000))
    assert len(by_headers(("To", many))) < 500
    assert 1 == len(by_headers(("To", "a@x.example"), *[("Received", "x" * 4_000)] * 200, ("Cc", "b@x.example")))


def test_behind_many_others() -> None:
    """Headers that name nobody do not hide one that does: without a context only it says whose address to mask."""
    assert ("a@x.example",) == by_headers(*[("X-Mailer", "1")] * 5_000, ("To", "a@x.example"))


@given(
    st.lists(st.tuples(st.sampled_from(["To", "Received", "Cc"]), any_text | st.text('()<>@:;,"\\ a[].', max_size=200)))
)
def test_any_headers(headers: list[tuple[str, str]]) -> None:
    """Whatever they hold, what is found is addresses, each once, in lower case."""
    found = by_headers(*headers)
    assert len(found) == len({*found})
    assert all("@" in it and it == it.strip().lower() for it in found)


@given(wild_answers(json_values(), json_values()), wild_contexts(json_values()))
def test_any_answer(answer: Answer, said: Answer) -> None:
    """Whatever Cloudflare says, whom it names is named."""
    known = read_context(said)
    named = {it.strip().lower() for it in known.recipients if "@" in it}
    assert named <= {*recipients(read_detection(answer), known)}
