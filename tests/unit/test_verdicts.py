"""Verdicts: which dispositions escalate under which EscalateOn list."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.cloudflare.contract import DISPOSITIONS
from functions.domain.outcome import Reason
from functions.escalate.decision import ESCALATE_BY_DEFAULT, UnknownDisposition, Verdict, judge

LISTED, NOT_ESCALATED, FAMILY = Reason.DISPOSITION_LISTED, Reason.DISPOSITION_NOT_ESCALATED, Reason.DISPOSITION_FAMILY
ESCALATE_ON = {
    "default": ESCALATE_BY_DEFAULT,
    "malicious only": frozenset({"MALICIOUS"}),
    "spoof and spam": frozenset({"SPOOF", "SPAM"}),
    "everything": DISPOSITIONS,
}
ESCALATES_BY_DEFAULT = {
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
LETTER_CASES = {"upper case": str.upper, "lower case": str.lower, "title case": str.title, "mixed case": str.swapcase}


def test_default_escalates_malicious_bec_and_suspicious() -> None:
    """Every documented disposition is covered."""
    assert {name for name, escalate in ESCALATES_BY_DEFAULT.items() if escalate} == ESCALATE_BY_DEFAULT
    assert set(ESCALATES_BY_DEFAULT) == DISPOSITIONS


@pytest.mark.parametrize("escalate_on", ESCALATE_ON.values(), ids=ESCALATE_ON)
@pytest.mark.parametrize("change_case", LETTER_CASES.values(), ids=LETTER_CASES)
@pytest.mark.parametrize("disposition", ESCALATES_BY_DEFAULT)
def test_known_disposition_escalates_only_if_listed_in_any_letter_case(
    disposition: str, change_case: type[str], escalate_on: frozenset[str]
) -> None:
    escalate = disposition in escalate_on
    expected = Verdict(escalate, disposition, LISTED if escalate else NOT_ESCALATED)
    assert expected == judge(change_case(disposition), escalate_on)


UNDOCUMENTED = {
    "a new kind of malicious": ("MALICIOUS-QR", "MALICIOUS-QR"),
    "a new kind of suspicious": ("SUSPICIOUS-LINK", "SUSPICIOUS-LINK"),
    "lower case": ("malicious-qr", "MALICIOUS-QR"),
    "another separator": ("malicious_bec", "MALICIOUS-BEC"),
    "a line break and an email header": ("SUSPICIOUS\r\nBcc: a@b.example", "SUSPICIOUS--BCC--A-B-EXAMPLE"),
    "a text longer than 40 characters": ("MALICIOUS" * 100, ("MALICIOUS" * 100)[:40]),
    "characters outside ASCII": ("SUSPICIOUS-É\u202e😀", "SUSPICIOUS----"),
    "separators of a table key": ("MALICIOUS#1/2", "MALICIOUS-1-2"),
}


@pytest.mark.parametrize("escalate_on", ESCALATE_ON.values(), ids=ESCALATE_ON)
@pytest.mark.parametrize(("answered", "disposition"), UNDOCUMENTED.values(), ids=UNDOCUMENTED)
def test_unknown_disposition_of_a_known_family_escalates_under_a_safe_name(
    answered: str, disposition: str, escalate_on: frozenset[str]
) -> None:
    """Every EscalateOn list escalates a known family."""
    assert Verdict(True, disposition, FAMILY) == judge(answered, escalate_on)


PADDED = {
    "trailing space": "MALICIOUS ",
    "leading space": " MALICIOUS",
    "trailing newline": "MALICIOUS\r\n",
    "tab": "\tMALICIOUS",
    "no-break space": "MALICIOUS\u00a0",
    "byte-order mark": "\ufeffMALICIOUS",
    "zero-width space": "MALICIOUS\u200b",
    "null character": "MALICIOUS\x00",
}


@pytest.mark.parametrize("padded", PADDED.values(), ids=PADDED)
def test_padded_disposition_is_the_same_disposition(padded: str) -> None:
    assert Verdict(True, "MALICIOUS", LISTED) == judge(padded, ESCALATE_BY_DEFAULT)
    assert Verdict(False, "SPAM", Reason.DISPOSITION_NOT_ESCALATED) == judge(
        padded.replace("MALICIOUS", "spam"), ESCALATE_BY_DEFAULT
    )


UNKNOWN = {
    "a new word": "DANGEROUS",
    "a family name not at the start": "NOT-MALICIOUS",
    "a known word with a suffix": "SPAM-2",
    "a blank text": " ",
    "half a surrogate pair": "\ud800",
}


@pytest.mark.parametrize("escalate_on", ESCALATE_ON.values(), ids=ESCALATE_ON)
@pytest.mark.parametrize("disposition", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_disposition_of_no_family_raises_an_error_without_its_value(
    disposition: str, escalate_on: frozenset[str]
) -> None:
    """A human has to look."""
    with pytest.raises(UnknownDisposition) as raised:
        judge(disposition, escalate_on)
    assert str(raised.value) == "$.final_disposition: not a known value, and of no known family"


@pytest.mark.parametrize("escalate_on", ESCALATE_ON.values(), ids=ESCALATE_ON)
def test_missing_disposition_does_not_escalate(escalate_on: frozenset[str]) -> None:
    assert Verdict(False, None, Reason.DISPOSITION_NOT_GIVEN) == judge(None, escalate_on)


escalate_on_lists = st.frozensets(st.sampled_from(sorted(DISPOSITIONS)))
any_disposition = st.none() | st.text(st.characters()) | st.sampled_from(sorted(DISPOSITIONS))
family_dispositions = st.builds(str.__add__, st.sampled_from(["MALICIOUS", "suspicious"]), st.text(st.characters()))


@given(any_disposition | family_dispositions, escalate_on_lists)
@example("malıcıous", ESCALATE_BY_DEFAULT)  # noqa: RUF001
@example("ﬁ" * 40, ESCALATE_BY_DEFAULT)
def test_every_disposition_gives_a_safe_verdict_or_unknown_disposition(
    disposition: str | None, escalate_on: frozenset[str]
) -> None:
    """Names in a verdict are safe in table keys and email subjects."""
    try:
        verdict = judge(disposition, escalate_on)
    except UnknownDisposition:
        assert disposition is not None
        assert not disposition.strip().upper().startswith(("MALICIOUS", "SUSPICIOUS"))
        return
    assert verdict.disposition is None or re.fullmatch(r"[A-Z0-9-]{1,40}", verdict.disposition)
    assert verdict.escalate == (verdict.reason in (LISTED, FAMILY))


@given(family_dispositions, escalate_on_lists)
def test_disposition_of_a_family_escalates_unless_documented_and_unlisted(
    disposition: str, escalate_on: frozenset[str]
) -> None:
    verdict = judge(disposition, escalate_on)
    assert verdict.escalate or verdict.disposition in DISPOSITIONS - escalate_on
