"""100,000 defanged texts, in which no linkifier of a web client or a phone finds a link."""

import pytest

from tests.linkifiers.linkifiers import NO_NODE, NOT_INSTALLED, find_links, has_node, installed
from tests.report.browser import in_ci
from tests.unit.hostile_texts import CASES, LINK_PIECES, TELEPHONE_PIECES, shown

TELEPHONES = CASES // 5
LINKS = {
    "a URL": "see https://evil.com/a",
    "this machine": "localhost",
    "a bare domain": "evil.com",
    "an IP address": "192.0.2.1",
    "a protocol-relative host": "//evil.com",
    "an address": "boss@evil.com",
    "another program": "sms:+12025550100",
    "a telephone number": "Call 0800 123 4567",
    "a number without separators": "+442079460018",
}


@pytest.fixture(autouse=True, scope="module")
def linkifiers() -> None:
    """The linkifiers, as `linkifiers.py` installs them."""
    if not has_node():
        pytest.skip(NO_NODE)
    if not installed():
        (pytest.fail if in_ci() else pytest.skip)(NOT_INSTALLED)


def test_linkifiers_find_links_that_are_not_defanged() -> None:
    assert {*LINKS.values()} == {text for _, text, _ in find_links(LINKS.values())}


def test_no_linkifier_finds_a_link_in_a_defanged_text() -> None:
    assert [] == find_links(shown(4, LINK_PIECES, CASES - TELEPHONES))[:5]


def test_no_linkifier_finds_a_number_in_a_text_of_telephone_numbers() -> None:
    assert [] == find_links(shown(5, TELEPHONE_PIECES, TELEPHONES))[:5]
