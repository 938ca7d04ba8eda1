"""The severity of an alert: one table. Change it here."""

from enum import StrEnum

from functions.domain.message_details import Delivery, EmailKind


class Severity(StrEnum):
    """The severity of an alert, most severe first."""

    CRITICAL = "Critical"
    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    INFORMATIONAL = "Informational"

    @property
    def rank(self) -> int:
        """Orders severities: 0 for Informational, 4 for Critical."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(reversed(Severity))}


_TABLE = {
    # family of the disposition: severity in an inbox, everywhere else, and of a submitted copy
    "MALICIOUS": (Severity.CRITICAL, Severity.HIGH, Severity.HIGH),
    "SUSPICIOUS": (Severity.HIGH, Severity.MEDIUM, Severity.MEDIUM),
    "": (Severity.MEDIUM, Severity.LOW, Severity.LOW),  # other dispositions in EscalateOn
}
"""An email that a user has reported was in a mailbox, so it counts as in an inbox. A simulation is Informational."""

FAMILIES = tuple(family for family in reversed(_TABLE) if family)
"""Beginnings of the dispositions that call for an alert, documented or new; the most severe last."""


def severity(
    disposition: str, delivery: Delivery, *, escalates: bool, kind: EmailKind = EmailKind.ORDINARY
) -> Severity:
    """The severity of a disposition in upper case. One that does not escalate is Informational."""
    if not escalates or kind is EmailKind.SIMULATION:
        return Severity.INFORMATIONAL
    in_inbox, elsewhere, submitted = next(it for family, it in _TABLE.items() if disposition.startswith(family))
    if kind is EmailKind.SUBMITTED:
        return submitted
    return in_inbox if delivery is Delivery.DELIVERED or kind is EmailKind.REPORTED else elsewhere
