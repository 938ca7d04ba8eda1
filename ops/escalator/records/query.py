"""A query for records, and the index that answers it with the fewest reads."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.cloudflare.contract import DISPOSITIONS
from functions.domain.indicators import InvalidIndicator, parse_asked
from functions.domain.search_values import INDICATOR_KINDS, SearchKind, search_value
from functions.domain.severity import FAMILIES
from functions.ledger.keys import Index, pointer_key
from ops.escalator.records.time_range import TimeRange

MOST_SELECTIVE_FIRST: tuple[SearchKind | Index, ...] = (
    SearchKind.MESSAGE_ID,
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

_POINTED = frozenset(SearchKind)


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

    values: by the kind of a pointer, or by the name of an attribute.
    """

    time_range: TimeRange
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def leading(self) -> SearchKind | Index:
        """The most selective index among the values; the index by time where there are none."""
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
        return all(item.get(name) == value for name, value in self.values.items() if name not in _POINTED)

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
    return _asked_disposition(text) if name == "disposition" else text.strip()


def _asked_pointer(kind: SearchKind, text: str) -> str:
    if kind not in INDICATOR_KINDS:
        return search_value(kind, text)
    try:
        return parse_asked(INDICATOR_KINDS[kind], text)
    except InvalidIndicator as exc:
        raise InvalidValue(str(exc).rstrip(".")) from exc


def _asked_disposition(text: str) -> str:
    """A documented disposition, or one of a family that raises alerts: Cloudflare adds new ones without notice."""
    word = text.strip().upper()
    if word in DISPOSITIONS or word.startswith(tuple(f"{it}-" for it in FAMILIES)):
        return word
    [nearest] = difflib.get_close_matches(word, sorted(DISPOSITIONS), n=1, cutoff=0.0)
    raise InvalidValue(f"`{word[:80]}` is not a disposition: did you mean {nearest}?")


def pointer_partition(kind: SearchKind, value: str) -> str:
    """The partition of the pointers to all records with this value."""
    return pointer_key(kind, value, "", "")["pk"]


def _name(it: SearchKind | Index) -> str:
    return it.partitioned_by if isinstance(it, Index) else it
