"""verdict.py: who is woken for what."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.cloudflare.contract import DISPOSITIONS
from functions.escalate.outcome import Reason
from functions.escalate.verdict import ESCALATE_BY_DEFAULT, UnknownDisposition, Verdict, judge

LISTED, BELOW, FAMILY = Reason.DISPOSITION_LISTED, Reason.DISPOSITION_BELOW_THE_LINE, Reason.DISPOSITION_FAMILY
POLICIES = {
    "default": ESCALATE_BY_DEFAULT,
    "malicious only": frozenset({"MALICIOUS"}),
    "spoof and spam": frozenset({"SPOOF", "SPAM"}),
    "everything": DISPOSITIONS,
}
BY_DEFAULT = {
    "MALICIOUS": True,
    "MALICIOUS-BEC": True,
    "SUSPICIOUS": True,
    "SPOOF": False,
    "SPAM": False,
    "BULK": False,
    "ENCRYPTED": False,
    "EXTERNAL": False,
    "UNKNOWN": False,
    "NONE": False,
    "UNSET": False,
}
CASES = {"upper case": str.upper, "lower case": str.lower, "title case": str.title, "mixed case": str.swapcase}


def test_the_default() -> None:
    """Malicious, business e-mail compromise and suspicious; nothing else that is documented."""
    assert {it for it, escalate in BY_DEFAULT.items() if escalate} == ESCALATE_BY_DEFAULT
    assert set(BY_DEFAULT) == DISPOSITIONS


@pytest.mark.parametrize("escalate_on", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("write", CASES.values(), ids=CASES)
@pytest.mark.parametrize("disposition", BY_DEFAULT)
def test_a_known_disposition(disposition: str, write: type[str], escalate_on: frozenset[str]) -> None:
    """It escalates if, and only if, it is on the list; its case does not matter."""
    escalate = disposition in escalate_on
    expected = Verdict(escalate, disposition, LISTED if escalate else BELOW)
    assert expected == judge(write(disposition), escalate_on)


FAMILIES = {
    "new kind of malicious": ("MALICIOUS-QR", "MALICIOUS-QR"),
    "new kind of suspicious": ("SUSPICIOUS-LINK", "SUSPICIOUS-LINK"),
    "lower case": ("malicious-qr", "MALICIOUS-QR"),
    "another separator": ("malicious_bec", "MALICIOUS-BEC"),
    "trailing newline": ("MALICIOUS\n", "MALICIOUS-"),
    "a line for a subject": ("SUSPICIOUS\r\nBcc: a@b.example", "SUSPICIOUS--BCC--A-B-EXAMPLE"),
    "very long": ("MALICIOUS" * 100, ("MALICIOUS" * 100)[:40]),
    "not ASCII": ("SUSPICIOUS-É\u202e😀", "SUSPICIOUS----"),
    "a key's separator": ("MALICIOUS#1/2", "MALICIOUS-1-2"),
}


@pytest.mark.parametrize("escalate_on", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize(("given_as", "disposition"), FAMILIES.values(), ids=FAMILIES)
def test_an_unknown_disposition_of_a_known_family(given_as: str, disposition: str, escalate_on: frozenset[str]) -> None:
    """It escalates under every policy, under a name that is safe to show."""
    assert Verdict(True, disposition, FAMILY) == judge(given_as, escalate_on)


UNKNOWN = {
    "a new word": "DANGEROUS",
    "a family in the middle": "NOT-MALICIOUS",
    "leading space": " MALICIOUS",
    "known, but for its tail": "SPAM-2",
    "trailing newline": "SPAM\n",
    "blank": " ",
    "half a surrogate pair": "\ud800",
}


@pytest.mark.parametrize("escalate_on", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("disposition", UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_disposition(disposition: str, escalate_on: frozenset[str]) -> None:
    """A human has to look; the error says where, and not what."""
    with pytest.raises(UnknownDisposition) as raised:
        judge(disposition, escalate_on)
    assert str(raised.value) == "$.final_disposition: not a known value, and of no known family"


@pytest.mark.parametrize("escalate_on", POLICIES.values(), ids=POLICIES)
def test_no_disposition(escalate_on: frozenset[str]) -> None:
    """There is nothing to escalate."""
    assert Verdict(False, None, Reason.DISPOSITION_NOT_GIVEN) == judge(None, escalate_on)


listed = st.frozensets(st.sampled_from(sorted(DISPOSITIONS)))
anything = st.none() | st.text(st.characters()) | st.sampled_from(sorted(DISPOSITIONS))
of_a_family = st.builds(str.__add__, st.sampled_from(["MALICIOUS", "suspicious"]), st.text(st.characters()))


@given(anything | of_a_family, listed)
@example("malıcıous", ESCALATE_BY_DEFAULT)  # noqa: RUF001
@example("ﬁ" * 40, ESCALATE_BY_DEFAULT)
def test_any_disposition(disposition: str | None, escalate_on: frozenset[str]) -> None:
    """The judgement is total: a verdict or UnknownDisposition; and what a verdict names is safe in keys and subjects."""
    try:
        verdict = judge(disposition, escalate_on)
    except UnknownDisposition:
        assert disposition is not None
        assert not disposition.upper().startswith(("MALICIOUS", "SUSPICIOUS"))
        return
    assert verdict.disposition is None or re.fullmatch(r"[A-Z0-9-]{1,40}", verdict.disposition)
    assert verdict.escalate == (verdict.reason in (LISTED, FAMILY))


@given(of_a_family, listed)
def test_a_family_is_never_missed(disposition: str, escalate_on: frozenset[str]) -> None:
    """What begins like a family escalates, unless it is a documented word that somebody left off the list."""
    verdict = judge(disposition, escalate_on)
    assert verdict.escalate or verdict.disposition in DISPOSITIONS - escalate_on
