"""The mail that the stand-in Cloudflare knows: `mailbox.json`, loaded and checked.

`Mailbox.load()` gives the company's mail as the repository has it, `recent` the same mail as if it had just come; a test
may build a mailbox of its own.
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
"""The members of Cloudflare's answers that are times."""


class Generation(StrEnum):
    """The contract that a detection is written in, named by when it came; DRIFT follows none of them."""

    FIRST = "2024"
    SECOND = "2026-05"
    THIRD = "2026-10"
    DRIFT = "drift"


class Fault(StrEnum):
    """What is answered instead of the detection; each word stands once in a script for one call."""

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
    """One mail, and how Cloudflare answers about it."""

    postfix_id: str
    investigate_id: str
    about: str
    generation: Generation
    detected: bool
    """Whether there is a detection; without one that call answers 404."""
    result: Mapping[str, Any] | None
    """The detection as Cloudflare gives it; None where there is none."""
    mail: Mapping[str, Any] | None
    """What `investigate/{id}` gives; None makes that call answer 404."""
    script: tuple[Fault, ...]
    """Answers of the first calls for the detection, before the normal one."""
    expect: str
    """The outcome that a request for this mail ends with when the default dispositions escalate."""
    severity: str | None = None
    """The severity of the alert about it; None where no alert comes. The file has it: no code of ours works it out."""

    @property
    def alert_id(self) -> str:
        """The postfix id and the time of the mail: the investigate id without its last number."""
        return self.investigate_id.rpartition("-")[0]

    @property
    def scanned_at(self) -> datetime:
        """When Cloudflare scanned the mail, as its ids say."""
        return datetime.fromisoformat(self.alert_id.partition("-")[2]).replace(tzinfo=UTC)

    def at(self, moment: datetime) -> Self:
        """The same mail, scanned at another moment. The other times that Cloudflare gives move with it."""
        by = moment.replace(microsecond=0) - self.scanned_at
        return replace(self, result=_moved(self.result, by), mail=_moved(self.mail, by))

    @property
    def ids(self) -> tuple[str, str, str]:
        """Every form of id that names this mail: postfix, alert, investigate."""
        return self.postfix_id, self.alert_id, self.investigate_id


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The mail of one account, in the order of the file. Raises ValueError where two mails share an id."""

    account_id: str
    mails: tuple[Mail, ...]
    _by_id: dict[str, Mail] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for mail in self.mails:
            for name in mail.ids:
                if name in self._by_id:
                    raise ValueError(f"two mails of the mailbox have the id {name}")
                self._by_id[name] = mail

    @classmethod
    def load(cls, path: Path = MAILBOX) -> Self:
        """Read a mailbox document. Raises ValueError or KeyError where it is not as `mailbox.json` is."""
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(document["account_id"], tuple(_mail(entry) for entry in document["messages"]))

    def recent(self, now: datetime) -> Self:
        """The same mail, scanned in the same order, one mail a minute until now.

        Ids and headers keep their dates: the files in `events/` and people name a mail by its id.
        """
        in_order = sorted(self.mails, key=lambda mail: mail.scanned_at)
        age = {mail.postfix_id: timedelta(minutes=number) for number, mail in enumerate(reversed(in_order), 1)}
        return type(self)(self.account_id, tuple(mail.at(now - age[mail.postfix_id]) for mail in self.mails))

    def find(self, name: str) -> Mail | None:
        """The mail that a postfix id, alert id or investigate id names, or None."""
        return self._by_id.get(name)

    def __iter__(self) -> Iterator[Mail]:
        return iter(self.mails)


def _moved(value: Any, by: timedelta) -> Any:
    """JSON with each time under one of `_TIMES` moved, in the form that it has."""
    match value:
        case list():
            return [_moved(it, by) for it in value]
        case dict():
            return {name: _later(it, by) if name in _TIMES else _moved(it, by) for name, it in value.items()}
    return value


def _later(time: Any, by: timedelta) -> Any:
    """A time moved; what is no text stays, because some answers break the contract on purpose."""
    return (datetime.fromisoformat(time) + by).isoformat().replace("+00:00", "Z") if isinstance(time, str) else time


def _mail(entry: Mapping[str, Any]) -> Mail:
    return Mail(
        postfix_id=entry["postfix_id"],
        investigate_id=entry["investigate_id"],
        about=entry["about"],
        generation=Generation(entry["generation"]),
        detected=entry["detected"],
        result=entry["result"],
        mail=entry["mail"],
        script=tuple(Fault(word) for word in entry["script"]),
        expect=entry["expect"],
        severity=entry.get("severity"),
    )
