"""How urgent an alert is: the one table of it. Change it here."""

from enum import StrEnum

from functions.cloudflare.context import Delivery


class Severity(StrEnum):
    """From the pager to the archive."""

    CRITICAL = "Critical"
    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    INFORMATIONAL = "Informational"


_TABLE = {
    # family of the disposition: where it is in an inbox, and everywhere else
    "MALICIOUS": (Severity.CRITICAL, Severity.HIGH),
    "SUSPICIOUS": (Severity.HIGH, Severity.MEDIUM),
    "": (Severity.MEDIUM, Severity.LOW),  # what else a deployment escalates on
}


def severity(disposition: str, delivery: Delivery, *, escalates: bool) -> Severity:
    """Of a disposition in upper case; one that does not escalate is told for information only."""
    if not escalates:
        return Severity.INFORMATIONAL
    in_inbox, elsewhere = next(levels for family, levels in _TABLE.items() if disposition.startswith(family))
    return in_inbox if delivery is Delivery.DELIVERED else elsewhere
