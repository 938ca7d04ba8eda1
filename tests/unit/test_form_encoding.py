"""form_encoding.py: an SNS request's form, encoded once and as botocore would."""

from urllib.parse import parse_qs, quote_plus, urlencode

import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from functions.escalate.form_encoding import encode, quoted

long_ascii = st.text(st.characters(max_codepoint=127), min_size=1, max_size=40).map(lambda it: it * 300)


@given(long_ascii | st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_any_text(text: str) -> None:
    """It is what the standard library makes of it."""
    assert quote_plus(text) == quoted(text)


def test_every_character() -> None:
    """Also of those that need no escape, and of those whose escape has a character of its own to escape."""
    text = "".join(map(chr, range(128))) * 2
    assert quote_plus(text) == quoted(text)


@given(st.dictionaries(st.from_regex(r"[A-Za-z.0-9]{1,20}", fullmatch=True), st.text(max_size=300), min_size=1))
def test_any_form(form: dict[str, str]) -> None:
    """The body is the form's, byte for byte."""
    form = {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}
    request = AWSRequest("POST", "https://sns.us-east-1.amazonaws.com/", data=dict(form))
    encode(request)
    assert urlencode(form).encode() == request.data
    assert form == {name: it for name, [it] in parse_qs(request.data.decode(), keep_blank_values=True).items()}


@pytest.mark.parametrize("body", [b"already", ""], ids=["bytes", "nothing"])
def test_what_is_no_form(body: object) -> None:
    """It is left as it is."""
    request = AWSRequest("POST", "https://sns.us-east-1.amazonaws.com/", data=body)
    encode(request)
    assert body == request.data
