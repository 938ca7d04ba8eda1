"""Severity of an alert for every disposition and delivery."""

import pytest

from functions.domain.message_details import Delivery, EmailKind
from functions.domain.severity import Severity, severity

NOT_DELIVERED = [delivery for delivery in Delivery if delivery is not Delivery.DELIVERED]
SEVERITIES = {
    "MALICIOUS": (Severity.CRITICAL, Severity.HIGH),
    "MALICIOUS-BEC": (Severity.CRITICAL, Severity.HIGH),
    "MALICIOUS-NEW": (Severity.CRITICAL, Severity.HIGH),
    "SUSPICIOUS": (Severity.HIGH, Severity.MEDIUM),
    "SUSPICIOUS-NEW": (Severity.HIGH, Severity.MEDIUM),
    "SPAM": (Severity.MEDIUM, Severity.LOW),
    "SPOOF": (Severity.MEDIUM, Severity.LOW),
    "": (Severity.MEDIUM, Severity.LOW),
}


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [(disposition, levels[0]) for disposition, levels in SEVERITIES.items()],
    ids=SEVERITIES,
)
def test_severity_is_highest_when_email_is_in_an_inbox(disposition: str, expected: Severity) -> None:
    assert expected == severity(disposition, Delivery.DELIVERED, escalates=True)


@pytest.mark.parametrize("delivery", NOT_DELIVERED)
@pytest.mark.parametrize(
    ("disposition", "expected"),
    [(disposition, levels[1]) for disposition, levels in SEVERITIES.items()],
    ids=SEVERITIES,
)
def test_severity_drops_one_step_when_email_is_not_in_an_inbox(
    disposition: str, delivery: Delivery, expected: Severity
) -> None:
    """Unknown delivery counts as not in an inbox."""
    assert expected == severity(disposition, delivery, escalates=True)


@pytest.mark.parametrize("delivery", Delivery)
@pytest.mark.parametrize("disposition", ["MALICIOUS", "SPAM", "NONE"])
def test_severity_is_informational_when_not_escalated(disposition: str, delivery: Delivery) -> None:
    assert Severity.INFORMATIONAL == severity(disposition, delivery, escalates=False)


@pytest.mark.parametrize("delivery", Delivery)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (EmailKind.REPORTED, ["Critical", "High", "Medium"]),
        (EmailKind.SUBMITTED, ["High", "Medium", "Low"]),
        (EmailKind.SIMULATION, ["Informational"] * 3),
    ],
)
def test_severity_of_what_is_no_ordinary_email_does_not_depend_on_delivery(
    kind: EmailKind, expected: list[str], delivery: Delivery
) -> None:
    families = ("MALICIOUS", "SUSPICIOUS", "SPAM")
    assert expected == [severity(it, delivery, escalates=True, kind=kind) for it in families]


def test_severity_names_are_those_of_ocsf() -> None:
    """Subscription filters and indexes depend on these names."""
    assert ["Critical", "High", "Medium", "Low", "Informational"] == [*Severity]
