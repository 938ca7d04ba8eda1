"""The emails of the fake Cloudflare: `mailbox.json`, loaded and checked.

`Mailbox.load()` returns the emails with the dates of the file, `recent` the same emails with recent dates. Tests also
build mailboxes of their own.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

MAILBOX = Path(__file__).with_name("mailbox.json")
_TIMES = frozenset({"scanned_at", "sent_at", "ts", "first_seen"})
"""Members of Cloudflare's responses that are times."""


class Generation(StrEnum):
    """The API contract that a detection follows, named after its date. DRIFT follows none of them."""

    FIRST = "2024"
    SECOND = "2026-05"
    THIRD = "2026-10"
    DRIFT = "drift"


class Fault(StrEnum):
    """A fault that replaces the detection in one response. A script lists one fault for each call."""

    THROTTLED = "429"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502-html"
    UNAVAILABLE = "503"
    UNAUTHENTICATED = "401"
    NO_PERMISSION = "403"
    NOT_IN_PLAN = "403-plan"
    BAD_REQUEST = "bad-request"
    UNKNOWN_ACCOUNT = "unknown-account"
    SLOW = "slow"
    HTML = "html"
    HALF = "half"
    RESET = "reset"
    UNSUCCESSFUL = "unsuccessful"
    EMPTY = "empty"
    EMPTY_OBJECT = "empty-object"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True)
class Mail:
    """One email, and Cloudflare's responses about it."""

    postfix_id: str
    investigate_id: str
    about: str
    generation: Generation
    detected: bool
    """Whether there is a detection. If not, `investigate/{id}/detections` returns 404."""
    result: Mapping[str, Any] | None
    """The detection in Cloudflare's form; None if there is none."""
    mail: Mapping[str, Any] | None
    """The result of `investigate/{id}`; None makes that call return 404."""
    script: tuple[Fault, ...]
    """The faults of the first calls for the detection. The normal response follows."""
    expect: str
    """The final outcome of a request for this email, with the default EscalateOn."""
    severity: str | None = None
    """The expected severity of the alert; None if there is no alert. It is in the file, not computed by our code."""
    is_sent: bool = True
    """Whether the local run sends its id. If not, only the feed can find it."""

    @property
    def alert_id(self) -> str:
        """The postfix id with the time of the email: the investigate id without its last number."""
        return self.investigate_id.rpartition("-")[0]

    @property
    def scanned_at(self) -> datetime:
        """The time of Cloudflare's scan, from the email's ids."""
        return datetime.fromisoformat(self.alert_id.partition("-")[2]).replace(tzinfo=UTC)

    def at(self, moment: datetime) -> Self:
        """Return the same email, scanned at another time. All other times of the responses shift by the same offset."""
        offset = moment.replace(microsecond=0) - self.scanned_at
        return replace(self, result=_shift_times(self.result, offset), mail=_shift_times(self.mail, offset))

    @property
    def ids(self) -> tuple[str, str, str]:
        """All forms of the email's id: postfix id, alert id, investigate id."""
        return self.postfix_id, self.alert_id, self.investigate_id


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The emails of one account, in the order of the file. Raises ValueError if two emails share an id."""

    account_id: str
    mails: tuple[Mail, ...]
    _by_id: dict[str, Mail] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for mail in self.mails:
            for name in mail.ids:
                if name in self._by_id:
                    raise ValueError(f"Two emails of the mailbox have the id {name}. Change one of them.")
                self._by_id[name] = mail

    @classmethod
    def load(cls, path: Path = MAILBOX) -> Self:
        """Read a mailbox from a file. Raises ValueError or KeyError if it does not have the form of `mailbox.json`."""
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(document["account_id"], tuple(_mail(entry) for entry in document["messages"]))

    def recent(self, now: datetime, arrival: datetime | None = None) -> Self:
        """Return the same emails with recent scan times, in the same order, one email a minute until now.

        Ids and headers keep their dates, because the files in `events/` and the documentation use the ids.
        arrival: the time of the emails that only the feed finds. None: as all others.
        """
        in_order = sorted(self.mails, key=lambda mail: mail.scanned_at)
        at = {mail.postfix_id: now - timedelta(minutes=number) for number, mail in enumerate(reversed(in_order), 1)}
        if arrival:
            at |= {mail.postfix_id: arrival for mail in self.mails if not mail.is_sent}
        return type(self)(self.account_id, tuple(mail.at(at[mail.postfix_id]) for mail in self.mails))

    def find(self, name: str) -> Mail | None:
        """Find an email by its postfix id, alert id or investigate id."""
        return self._by_id.get(name)

    def __iter__(self) -> Iterator[Mail]:
        return iter(self.mails)


def _shift_times(value: Any, offset: timedelta) -> Any:
    """Shift the members of JSON that `_TIMES` names, and keep their format."""
    match value:
        case list():
            return [_shift_times(element, offset) for element in value]
        case dict():
            return {
                name: _shift(member, offset) if name in _TIMES else _shift_times(member, offset)
                for name, member in value.items()
            }
    return value


def _shift(time: Any, offset: timedelta) -> Any:
    """Shift a time. Values that are not text stay, because some responses break the contract on purpose."""
    return (datetime.fromisoformat(time) + offset).isoformat().replace("+00:00", "Z") if isinstance(time, str) else time


def _mail(entry: Mapping[str, Any]) -> Mail:
    return Mail(
        postfix_id=entry["postfix_id"],
        investigate_id=entry["investigate_id"],
        about=entry["about"],
        generation=Generation(entry["generation"]),
        detected=entry["detected"],
        result=entry["result"],
        mail=entry["mail"],
        script=tuple(Fault(fault) for fault in entry["script"]),
        expect=entry["expect"],
        severity=entry.get("severity"),
        is_sent=entry.get("is_sent", True),
    )
