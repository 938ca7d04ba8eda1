"""The messages of the local run, and the expected outcome of each. The feed sends some of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.local.fake_cloudflare.mailbox import Fault, Mail, Mailbox

EVENTS = Path(__file__).parents[2] / "events"
EXPECTED = Path(__file__).with_name("expected.json")
FEED = "feed"

_REFUSALS = frozenset({Fault.UNAUTHENTICATED, Fault.NO_PERMISSION, Fault.NOT_IN_PLAN, Fault.BAD_REQUEST})
"""Faults that make the function defer a request by five minutes, which is too long for a local run."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One message to send.

    source:       the event file that contains it, "mailbox", or "feed" if only the feed sends it.
    about:        a description to print.
    mail:         the email that it names, or None.
    outcome:      the expected outcome, with the expected disposition and reason if they are set.
    """

    source: str
    about: str
    body: str
    mail: Mail | None
    outcome: str
    disposition: str | None = None
    reason: str | None = None

    @property
    def severity(self) -> str | None:
        """The expected severity of the alert, or None if no alert is expected."""
        return self.mail.severity if self.mail else None


def scenarios(mailbox: Mailbox) -> list[Scenario]:
    """List the records of all files in events/, then all emails that no record names."""
    from_events = list(_from_events(mailbox))
    named = {it.mail.postfix_id for it in from_events if it.mail}
    rest = (mail for mail in mailbox if mail.postfix_id not in named and not _is_refused(mail))
    return [*from_events, *(_from_mailbox(mail) for mail in rest)]


def expected_outcomes() -> dict[str, list[dict[str, str | None]]]:
    """Read the expected outcome of each record, by file of events/."""
    expected: dict[str, list[dict[str, str | None]]] = json.loads(EXPECTED.read_text("utf-8"))
    return expected


def _from_events(mailbox: Mailbox) -> Iterator[Scenario]:
    for name, outcomes in expected_outcomes().items():
        records = json.loads((EVENTS / name).read_text("utf-8"))["Records"]
        for number, (record, expected) in enumerate(zip(records, outcomes, strict=True), 1):
            mail = _named_mail(record["body"], mailbox)
            yield Scenario(
                source=name,
                about=mail.about if mail else f"record {number} has no valid id of this account",
                body=record["body"],
                mail=mail,
                outcome=expected["outcome"] or "",
                disposition=expected.get("disposition"),
                reason=expected.get("reason"),
            )


def _named_mail(body: str, mailbox: Mailbox) -> Mail | None:
    return next((mail for mail in mailbox if mail.postfix_id in body), None)


def _from_mailbox(mail: Mail) -> Scenario:
    disposition = mail.result.get("final_disposition") if mail.result else None
    return Scenario(
        source="mailbox" if mail.is_sent else FEED,
        about=mail.about,
        body=json.dumps({"investigate_id": mail.investigate_id}),
        mail=mail,
        outcome=mail.expect,
        disposition=disposition.upper() if isinstance(disposition, str) and mail.expect != "REJECTED" else None,
    )


def _is_refused(mail: Mail) -> bool:
    return not _REFUSALS.isdisjoint(mail.script)
