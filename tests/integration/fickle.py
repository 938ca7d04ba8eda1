"""A mail about which Cloudflare changes its mind: what it is made to say, and what is told of it."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from ops.local.inbox import ReceivedAlert
from ops.local.mailbox import Mail
from tests.integration.standin import ACCOUNT, ChangingMailbox
from tests.integration.test_escalation import MALICIOUS
from tests.integration.world import World, outcomes

BELOW, LISTED = "disposition-below-the-line", "disposition-listed"
ESCALATED, CLOSED, NOTHING = ("ESCALATED", LISTED), ("CLOSED", BELOW), ("NOT_ESCALATED", BELOW)
SENT_BEFORE = ("ALREADY_ESCALATED", "alert-sent-before")


class Told(NamedTuple):
    """What an alert says of the change that it is about."""

    activity: str
    activity_id: int
    type_uid: int
    disposition: str
    previous: str | None


CREATE, UPDATE, CLOSE = ("Create", 1, 200401), ("Update", 2, 200402), ("Close", 3, 200403)


@dataclass
class Fickle:
    """A world in which Cloudflare says of one mail what it is told to say."""

    world: World
    mailbox: ChangingMailbox

    def now_says(self, disposition: str | None) -> None:
        """From now on."""
        self.mailbox.change(saying(disposition))

    def ask(self, disposition: str | None) -> list[tuple[str, str]]:
        """Ask about the mail of which Cloudflare says this, until nothing waits any more; how it ends."""
        self.now_says(disposition)
        self.world.send(MALICIOUS.postfix_id)
        return outcomes(self.world.poll())

    def entries(self) -> list[str]:
        """What of the records' keys tells them apart, in their order."""
        return [it["entry"].partition("#")[2] for it in self.world.records()]


def saying(disposition: str | None) -> Mail:
    """The mail, of which Cloudflare says this."""
    return replace(MALICIOUS, result=dict(MALICIOUS.result or {}) | {"final_disposition": disposition})


def told(alert: ReceivedAlert) -> Told:
    """As machines read it."""
    facts = alert.facts
    unmapped = facts["unmapped"]
    previous = unmapped.get("previous", {}).get("disposition")
    return Told(
        facts["activity_name"], facts["activity_id"], facts["type_uid"], facts["metadata"]["event_code"], previous
    )


def name(alert: ReceivedAlert) -> str:
    """What a repeated alert is known by."""
    return alert.attributes["alert_id"]


def fickle_mailbox() -> ChangingMailbox:
    return ChangingMailbox(ACCOUNT, (MALICIOUS,))
