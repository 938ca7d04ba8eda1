"""What the local run sends, and what each message must end as."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.local.mailbox import Fault, Mail, Mailbox

EVENTS = Path(__file__).parents[2] / "events"
EXPECTED = Path(__file__).with_name("expected.json")

_REFUSALS = frozenset({Fault.UNAUTHENTICATED, Fault.NO_PERMISSION, Fault.NOT_IN_PLAN, Fault.BAD_REQUEST})
"""A refused credential is asked about again after five minutes: too long to wait for here."""


@dataclass(frozen=True, slots=True)
class Consignment:
    """One message to send.

    source:       the event file that it stands in, or the mailbox.
    about:        what it is, for a human.
    mail:         the mail that it names, or None.
    outcome:      what it must end as, with the disposition or the reason where these are told.
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
        """What the alert about it must have; None where it names no mail that is alerted on."""
        return self.mail.severity if self.mail else None


def consignments(mailbox: Mailbox) -> list[Consignment]:
    """The records of every file in events/, then every mail that none of them names."""
    from_events = list(_events(mailbox))
    named = {it.mail.postfix_id for it in from_events if it.mail}
    return [*from_events, *(_of_mailbox(it) for it in mailbox if it.postfix_id not in named and not _refused(it))]


def expected_outcomes() -> dict[str, list[dict[str, str | None]]]:
    """For each file in events/, what each of its records must end as."""
    expected: dict[str, list[dict[str, str | None]]] = json.loads(EXPECTED.read_text("utf-8"))
    return expected


def _events(mailbox: Mailbox) -> Iterator[Consignment]:
    for name, outcomes in expected_outcomes().items():
        records = json.loads((EVENTS / name).read_text("utf-8"))["Records"]
        for number, (record, expected) in enumerate(zip(records, outcomes, strict=True), 1):
            mail = _named(record["body"], mailbox)
            yield Consignment(
                source=name,
                about=mail.about if mail else f"record {number} names no mail that may be asked about",
                body=record["body"],
                mail=mail,
                outcome=expected["outcome"] or "",
                disposition=expected.get("disposition"),
                reason=expected.get("reason"),
            )


def _named(body: str, mailbox: Mailbox) -> Mail | None:
    return next((mail for mail in mailbox if mail.postfix_id in body), None)


def _of_mailbox(mail: Mail) -> Consignment:
    disposition = mail.result.get("final_disposition") if mail.result else None
    return Consignment(
        source="mailbox",
        about=mail.about,
        body=json.dumps({"investigate_id": mail.investigate_id}),
        mail=mail,
        outcome=mail.expect,
        disposition=disposition.upper() if isinstance(disposition, str) and mail.expect != "REJECTED" else None,
    )


def _refused(mail: Mail) -> bool:
    return not _REFUSALS.isdisjoint(mail.script)
