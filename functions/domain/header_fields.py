"""From, To, Reply-To, Subject and Date of an email: the one place from which every view takes them.

Each field comes from the message details, and from the headers where the details lack it. Encoded words are decoded, and
addresses stand apart from display names. The text is the sender's: a view sanitizes it before it shows it.

An email with two From or two Subject headers is shown differently by different clients. All of them are here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from functions.domain.addresses import addresses
from functions.domain.detection import Detection
from functions.domain.encoded_words import decoded
from functions.domain.message_details import MessageDetails
from functions.domain.recipients import recipients, taken_apart

_QUOTES = " \t\r\n\"'"
LONGEST_FIELD = 4_000
"""Characters of one field that are read."""
_LONGEST_DATE = 100
MAX_DUPLICATES = 10
"""Further From or Subject headers that are kept."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name and an address in canonical form. Either can be empty."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name and self.address else self.address or self.name


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """The fields of one email.

    senders:    of From. More than one if the email has several From headers, or one with several addresses.
    reply_to:   of Reply-To.
    to:         the addresses of the To header.
    recipients: all addresses that the email went to, the mailboxes first; see recipients.py.
    subjects:   more than one if the email has several Subject headers.
    date:       when it was sent, according to its sender. ISO 8601 if the text is a date.
    envelope_sender: the address of the SMTP envelope; empty if it is not known.
    repeated:   the names of header fields that occur more than once, with different content.
    """

    senders: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    date: str | None = None
    envelope_sender: str = ""
    repeated: tuple[str, ...] = ()

    @property
    def sender(self) -> str:
        """From as text; of several From headers, each."""
        return _joined(map(str, self.senders), "From" if "From" in self.repeated else "")

    @property
    def subject(self) -> str:
        """The subject; of several Subject headers, each."""
        return _joined(self.subjects, "Subject")

    @property
    def sender_addresses(self) -> tuple[str, ...]:
        """Every address of a sender: From, Reply-To and the envelope."""
        found = (*(it.address for it in (*self.senders, *self.reply_to)), self.envelope_sender)
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def other_reply_to(self) -> tuple[Mailbox, ...]:
        """Where a reply goes, if not to an address of From."""
        known = {it.address for it in self.senders if it.address}
        return tuple(it for it in self.reply_to if it.address not in known)


def header_fields(detection: Detection | None, details: MessageDetails | None) -> HeaderFields:
    """Read the fields of an email. Never raises."""
    from_headers, subject_headers = _named(detection, "from"), _named(detection, "subject")
    senders = _senders(details, from_headers)
    first_subject = (details.subject if details else None) or next(iter(subject_headers), None)
    subjects = [first_subject] if first_subject else []
    repeated = []
    if len(from_headers) > 1:
        senders += [it for header in from_headers[:MAX_DUPLICATES] for it in _mailboxes(header)]
        repeated.append("From")
    if len(subject_headers) > 1:
        subjects += subject_headers[:MAX_DUPLICATES]
        repeated.append("Subject")
    return HeaderFields(
        senders=_distinct(senders),
        reply_to=_distinct(_reply_to(detection, details)),
        to=_to(detection, details),
        recipients=recipients(detection, details),
        subjects=tuple(dict.fromkeys(_decoded(it) for it in subjects)),
        date=_date(detection, details),
        envelope_sender=next(iter(addresses((details.envelope_from if details else None) or "")), ""),
        repeated=tuple(repeated),
    )


def _named(detection: Detection | None, name: str) -> list[str]:
    """The different non-empty values of a header."""
    headers = detection.headers if detection else ()
    values = (it.value for it in headers if (it.name or "").strip().lower() == name)
    return list(dict.fromkeys(value[:LONGEST_FIELD] for value in values if value and value.strip()))


def _senders(details: MessageDetails | None, headers: list[str]) -> list[Mailbox]:
    known = [it for header in headers for it in _mailboxes(header)]
    if details is None:
        return known
    envelope = details.envelope_from or ""
    found = _mailboxes(details.from_) if details.from_ else known or _mailboxes(envelope)
    name = _decoded(details.from_name or "").strip(_QUOTES)
    if len(found) > 1 or (found and found[0].name and not name):
        return found
    if found and found[0].name:  # the field has a name of its own, or no address
        return [Mailbox(found[0].name if found[0].address else f"{name} <{found[0].name}>", found[0].address)]
    address = found[0].address if found else ""
    name = name or next((it.name for it in known if it.address == address), "")
    return [Mailbox(name, address)] if name or address else []


def _reply_to(detection: Detection | None, details: MessageDetails | None) -> list[Mailbox]:
    texts = [details.replyto] if details and details.replyto else _named(detection, "reply-to")
    return [it for text in texts for it in _mailboxes(text)]


def _to(detection: Detection | None, details: MessageDetails | None) -> tuple[str, ...]:
    texts = details.to if details and details.to else _named(detection, "to")
    return tuple(dict.fromkeys(address for text in texts for address in taken_apart(text)))


def _date(detection: Detection | None, details: MessageDetails | None) -> str | None:
    if details and details.sent_at:
        return details.sent_at
    text = next(iter(_named(detection, "date")), "")[:_LONGEST_DATE].strip()
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return text or None


def _mailboxes(text: str) -> list[Mailbox]:
    """The mailboxes of a header field, in order. Only a single mailbox keeps its name."""
    text = text[:LONGEST_FIELD]
    found = addresses(text) or addresses(_decoded(text))
    if len(found) > 1:
        return [Mailbox("", address) for address in found]
    before, bracket, _ = text.rpartition("<")
    name = _decoded(before if bracket else "" if found else text).strip(_QUOTES)
    return [Mailbox(name, found[0] if found else "")] if found or name else []


def _decoded(text: str) -> str:
    return decoded(text[:LONGEST_FIELD])


def _distinct(mailboxes: Iterable[Mailbox]) -> tuple[Mailbox, ...]:
    """Each address once, with the first name that it has."""
    found: dict[str, Mailbox] = {}
    for it in mailboxes:
        known = found.get(it.address or it.name)
        if known is None or (it.name and not known.name):
            found[it.address or it.name] = it
    return tuple(found.values())


def _joined(texts: Iterable[str], header: str) -> str:
    first, *others = [*texts] or [""]
    between = f"; another {header} header: " if header else ", "
    return between.join((first, *others))
