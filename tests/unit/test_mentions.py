"""Indicators in running text."""

import pytest

from functions.domain.indicators import Indicator, IndicatorKind
from functions.domain.mentions import LONGEST_TEXT, mentioned

IPV6 = {
    "in a sentence": ("from 2001:db8::1 seen", "2001:db8::1"),
    "at the start": ("2001:0DB8:0::2 sent this", "2001:db8::2"),
    "in brackets": ("relay [2001:db8::3]", "2001:db8::3"),
    "loopback": ("connected to ::1, then closed", "::1"),
    "mapped": ("by ::ffff:192.0.2.7 today", "192.0.2.7"),
}


@pytest.mark.parametrize(("text", "address"), IPV6.values(), ids=IPV6)
def test_ipv6_address_in_a_text_is_found(text: str, address: str) -> None:
    assert Indicator(IndicatorKind.IP, address) in list(mentioned(text))


@pytest.mark.parametrize("unit", [":", "a:", "1:", "::", ".:", "/:", "@:", "%3a", "http:", "a.", "0x"])
def test_repeated_text_is_searched_to_its_end(unit: str) -> None:
    """A pattern that starts again at every character takes minutes for such a text."""
    assert [] == [it for it in mentioned(unit * (LONGEST_TEXT // len(unit))) if it.kind is IndicatorKind.IP]
