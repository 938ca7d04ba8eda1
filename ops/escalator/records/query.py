"""A query for records, and the index that answers it with the fewest reads."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header, make_header
from typing import Any

from functions.cloudflare.contract import DISPOSITIONS
from functions.domain.indicators import InvalidIndicator, parse_asked
from functions.domain.search_values import INDICATOR_KINDS, SearchKind, search_value
from functions.domain.severity import FAMILIES
from functions.domain.spelling import folded, refang
from functions.ledger.keys import Index, full_partition, pointer_key
from ops.escalator.records.time_range import TimeRange

MOST_SELECTIVE_FIRST: tuple[SearchKind | Index, ...] = (
    SearchKind.MESSAGE_ID,
    SearchKind.CAMPAIGN,
    SearchKind.ATTACHMENT_HASH,
    SearchKind.SENDER,
    SearchKind.LINK_HOST,
    SearchKind.RECIPIENT,
    SearchKind.SENDER_IP,
    SearchKind.SENDER_DOMAIN,
    Index.PENDING,
    SearchKind.CATEGORY,
    Index.BY_SEVERITY,
    Index.BY_DISPOSITION,
)
"""A Message-ID belongs to one email and a hash to one campaign; a disposition belongs to a large part of all records."""

ALERT_ID = re.compile(r"[0-9a-f]{32}")
"""The `alert_id` of an alert. An MD5 has the same form."""
SUBJECT = "subject"

_POINTED = frozenset(SearchKind)
_IN_BY_TIME = frozenset({"alert_id", SUBJECT, "disposition", "severity", "outcome", "delivered"})
"""Attributes that the index by time has, so that its entries are filtered before a record is read."""
_RARE = frozenset({"alert_id", SUBJECT})
"""Of these, few records have a given value. To filter the index by time costs less than to read the records of a severity."""
_ACCOUNT_ID = re.compile(r"[0-9a-f]{32}")


class InvalidValue(ValueError):
    """A text that no record can have as this value. The message says what to give instead."""


@dataclass(frozen=True, slots=True)
class Source:
    """One partition to query.

    index: None for the table itself, which holds the pointers.
    name:  the attribute that is the partition key; value: its value.
    """

    index: Index | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """The records of a time range that have these values, each value as the ledger writes it.

    values: by the kind of a pointer, or by the name of an attribute. A subject must have all words of its value.
    """

    time_range: TimeRange
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def leading(self) -> SearchKind | Index:
        """The most selective index among the values; the index by time where there are none."""
        if self.values.keys() & _RARE and not self.values.keys() & {*SearchKind, Index.PENDING.partitioned_by}:
            return Index.BY_TIME
        return next((it for it in MOST_SELECTIVE_FIRST if _name(it) in self.values), Index.BY_TIME)

    def sources(self, *, newest_first: bool) -> Iterator[Source]:
        """The partitions to query, in the order of the result: one, or one a month for the index by time."""
        match self.leading:
            case Index.BY_TIME:
                months = list(self.time_range.months())
                for month in reversed(months) if newest_first else months:
                    yield Source(Index.BY_TIME, Index.BY_TIME.partitioned_by, month)
            case Index() as index:
                yield Source(index, index.partitioned_by, self.values[index.partitioned_by])
            case kind:
                yield Source(None, "pk", pointer_partition(kind, self.values[kind]))

    @property
    def other_pointers(self) -> tuple[tuple[SearchKind, str], ...]:
        """The pointers that a record must have in addition to the leading one."""
        return tuple((it, self.values[it]) for it in SearchKind if it in self.values and it is not self.leading)

    def matches(self, item: Mapping[str, Any]) -> bool:
        """Whether a record's item has the values that are attributes of it."""
        return all(_has(item, name, value) for name, value in self.values.items() if name not in _POINTED)

    def may_match(self, entry: Mapping[str, Any]) -> bool:
        """Whether the record of an entry of the index by time can match."""
        return all(_has(entry, name, value) for name, value in self.values.items() if name in _IN_BY_TIME)

    @property
    def is_filtered(self) -> bool:
        """Whether the leading partition may hold records that do not match."""
        return bool(self.values.keys() - {_name(self.leading)})


def asked_value(name: str, text: str) -> str:
    """A value that an operator asks for, in any spelling, as the ledger writes it. Raises InvalidValue."""
    if not text.strip():
        raise InvalidValue("is empty")
    if name in _POINTED:
        return _asked_pointer(SearchKind(name), text)
    match name:
        case "disposition":
            return _asked_disposition(text)
        case "alert_id":
            return _asked_digits(text, ALERT_ID, "the `alert_id` of an alert")
        case "account_id":
            return _asked_digits(text, _ACCOUNT_ID, "the id of an account")
        case "subject":
            return folded(refang(text))
    return text.strip()


def _asked_pointer(kind: SearchKind, text: str) -> str:
    if kind not in INDICATOR_KINDS:
        return search_value(kind, text)
    try:
        return search_value(kind, parse_asked(INDICATOR_KINDS[kind], text))
    except InvalidIndicator as exc:
        raise InvalidValue(str(exc).rstrip(".")) from exc


def _asked_disposition(text: str) -> str:
    """A documented disposition, or one of a family that raises alerts: Cloudflare adds new ones without notice."""
    word = text.strip().upper()
    if word in DISPOSITIONS or word.startswith(tuple(f"{it}-" for it in FAMILIES)):
        return word
    raise InvalidValue(f"`{word[:80]}` is not a disposition: did you mean {nearest_word(word, sorted(DISPOSITIONS))}?")


def nearest_word(text: str, words: Iterable[str]) -> str:
    """The word that is closest to a text, without regard to case."""
    spelled = {word.lower(): word for word in words}
    [nearest] = difflib.get_close_matches(text.strip().lower(), spelled, n=1, cutoff=0.0)
    return spelled[nearest]


def _asked_digits(text: str, pattern: re.Pattern[str], what: str) -> str:
    value = text.strip().lower()
    if pattern.fullmatch(value):
        return value
    raise InvalidValue(f"`{text.strip()[:80]}` is not {what}: expected 32 hexadecimal digits")


def pointer_partition(kind: SearchKind, value: str) -> str:
    """The partition of the pointers to all records with this value."""
    return pointer_key(kind, value, "", "")["pk"]


def full_source(kind: SearchKind) -> Source:
    """The records that may have more values of a kind than those by which they are found."""
    return Source(None, "pk", full_partition(kind))


def option_name(name: str) -> str:
    """The option for a value."""
    return _OPTION_NAMES.get(name) or f"--{name.replace('_', '-')}"


_OPTION_NAMES = {"account_id": "--account"}
"""Options with another name than the attribute."""


def _has(item: Mapping[str, Any], name: str, value: str) -> bool:
    if name == SUBJECT:
        subject = folded(decoded_subject(str(item.get(name, ""))))
        return all(word in subject for word in value.split())
    return bool(item.get(name) == value)


def decoded_subject(text: str) -> str:
    """A subject as a mail client shows it: headers spell characters beyond ASCII as encoded words (RFC 2047)."""
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (MessageError, LookupError, ValueError):  # malformed, or of an unknown charset
        return text


def _name(it: SearchKind | Index) -> str:
    return it.partitioned_by if isinstance(it, Index) else it
