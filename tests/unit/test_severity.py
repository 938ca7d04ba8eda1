"""severity.py: how urgent an alert is, for every disposition and every place where the mail can be."""

import pytest

from functions.cloudflare.context import Delivery
from functions.escalate.severity import Severity, severity

ELSEWHERE = [delivery for delivery in Delivery if delivery is not Delivery.DELIVERED]
TABLE = {
    "MALICIOUS": (Severity.CRITICAL, Severity.HIGH),
    "MALICIOUS-BEC": (Severity.CRITICAL, Severity.HIGH),
    "MALICIOUS-NEW": (Severity.CRITICAL, Severity.HIGH),
    "SUSPICIOUS": (Severity.HIGH, Severity.MEDIUM),
    "SUSPICIOUS-NEW": (Severity.HIGH, Severity.MEDIUM),
    "SPAM": (Severity.MEDIUM, Severity.LOW),
    "SPOOF": (Severity.MEDIUM, Severity.LOW),
    "": (Severity.MEDIUM, Severity.LOW),
}


@pytest.mark.parametrize(("disposition", "expected"), [(it, levels[0]) for it, levels in TABLE.items()], ids=TABLE)
def test_in_an_inbox(disposition: str, expected: Severity) -> None:
    """It is at its most urgent."""
    assert expected == severity(disposition, Delivery.DELIVERED, escalates=True)


@pytest.mark.parametrize("delivery", ELSEWHERE)
@pytest.mark.parametrize(("disposition", "expected"), [(it, levels[1]) for it, levels in TABLE.items()], ids=TABLE)
def test_elsewhere(disposition: str, delivery: Delivery, expected: Severity) -> None:
    """It is one step less urgent, also where nobody knows where the mail is."""
    assert expected == severity(disposition, delivery, escalates=True)


@pytest.mark.parametrize("delivery", Delivery)
@pytest.mark.parametrize("disposition", ["MALICIOUS", "SPAM", "NONE"])
def test_below_the_line(disposition: str, delivery: Delivery) -> None:
    """It is told for information, wherever the mail is."""
    assert Severity.INFORMATIONAL == severity(disposition, delivery, escalates=False)


def test_the_words() -> None:
    """They are those of OCSF, which filters and indexes go by."""
    assert ["Critical", "High", "Medium", "Low", "Informational"] == [*Severity]
