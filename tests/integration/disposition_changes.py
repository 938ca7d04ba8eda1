"""An email whose disposition changes: how tests change it, and what its alerts contain."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from ops.local.fake_cloudflare.mailbox import Mail
from ops.local.subscriber import ReceivedAlert
from tests.integration.deployment import Deployment, outcomes
from tests.integration.fake_cloudflare_client import ACCOUNT, ChangingMailbox
from tests.integration.test_escalation import MALICIOUS

NOT_LISTED, LISTED = "disposition-not-escalated", "disposition-listed"
ESCALATED, CLOSED, NOTHING = ("ESCALATED", LISTED), ("CLOSED", NOT_LISTED), ("NOT_ESCALATED", NOT_LISTED)
SENT_BEFORE = ("ALREADY_ESCALATED", "alert-sent-before")


class Change(NamedTuple):
    """The members of an alert that describe a change of disposition."""

    activity: str
    activity_id: int
    type_uid: int
    disposition: str
    previous: str | None


CREATE, UPDATE, CLOSE = ("Create", 1, 200401), ("Update", 2, 200402), ("Close", 3, 200403)


@dataclass
class ChangingDeployment:
    """A deployment with one email, whose disposition tests can change."""

    deployment: Deployment
    mailbox: ChangingMailbox

    def set_disposition(self, disposition: str | None) -> None:
        """Change the email's disposition."""
        self.mailbox.change(with_disposition(disposition))

    def request(self, disposition: str | None) -> list[tuple[str, str]]:
        """Change the email's disposition, request its delivery, and return the outcomes of one poll."""
        self.set_disposition(disposition)
        self.deployment.send(MALICIOUS.investigate_id)
        return outcomes(self.deployment.poll())

    def alert_records(self) -> list[tuple[str, str]]:
        """Return the revision, from the sort key, and the disposition of each alert's record, in order."""
        return [
            (record["sk"].partition("#")[2], record["disposition"])
            for record in self.deployment.records()
            if "alert_id" in record
        ]


def with_disposition(disposition: str | None) -> Mail:
    """Make the email with a disposition."""
    return replace(MALICIOUS, result=dict(MALICIOUS.result or {}) | {"final_disposition": disposition})


def change_of(alert: ReceivedAlert) -> Change:
    """Read the change from an alert's JSON."""
    facts = alert.facts
    unmapped = facts["unmapped"]
    previous = unmapped.get("previous", {}).get("disposition")
    return Change(
        facts["activity_name"], facts["activity_id"], facts["type_uid"], facts["metadata"]["event_code"], previous
    )


def alert_id(alert: ReceivedAlert) -> str:
    """Return the id that a repeated alert shares with the first one."""
    return alert.attributes["alert_id"]


def changing_mailbox() -> ChangingMailbox:
    """Make a mailbox whose only email can change."""
    return ChangingMailbox(ACCOUNT, (MALICIOUS,))
