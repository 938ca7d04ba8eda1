"""Which alerts people are notified of."""

from functions.domain.message_details import EmailKind
from functions.domain.record import Activity, CampaignRole, Record
from functions.domain.severity import Severity


def may_notify(record: Record, least: Severity) -> bool:
    """Whether an alert notifies people if its campaign does not speak against it. least: NotifySeverity."""
    return (
        record.escalates
        and record.kind is not EmailKind.SIMULATION
        and record.severity is not None
        and record.severity.rank >= least.rank
    )


def notifies(record: Record, least: Severity) -> bool:
    """Whether people are notified: of a severe alert that is no copy, and of each change of an alert that they got."""
    if record.kind is EmailKind.SIMULATION and record.activity is not Activity.CLOSE:
        return False
    if record.previous and record.previous.notified:
        return True
    is_copy = record.campaign is not None and record.campaign.role is CampaignRole.MEMBER
    return may_notify(record, least) and not is_copy
