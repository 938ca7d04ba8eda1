"""A query for records, and the index that answers it with the fewest reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.ledger.keys import Index, PointerKind, pointer_key, value_key
from ops.escalator.records.time_range import TimeRange
from ops.escalator.text.sanitize import refang

MOST_SELECTIVE_FIRST: tuple[PointerKind | Index, ...] = (
    PointerKind.ATTACHMENT_SHA256,
    PointerKind.LINK_HOST,
    PointerKind.RECIPIENT,
    Index.BY_SENDER_IP,
    Index.BY_SENDER_DOMAIN,
    Index.PENDING,
    PointerKind.CATEGORY,
    Index.BY_SEVERITY,
    Index.BY_DISPOSITION,
)
"""A hash belongs to one campaign; a disposition belongs to a large part of all records."""

_POINTED = frozenset(PointerKind)


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
    """The records of a time range that have these values, each value as the ledger writes it."""

    time_range: TimeRange
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def leading(self) -> PointerKind | Index:
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
    def other_pointers(self) -> tuple[tuple[PointerKind, str], ...]:
        """The pointers that a record must have in addition to the leading one."""
        return tuple((it, self.values[it]) for it in PointerKind if it in self.values and it is not self.leading)

    def matches(self, item: Mapping[str, Any]) -> bool:
        """Whether a record's item has the values that are attributes of it."""
        return all(item.get(name) == value for name, value in self.values.items() if name not in _POINTED)

    @property
    def is_filtered(self) -> bool:
        """Whether the leading partition may hold records that do not match."""
        return len(self.values) > 1


def recorded_value(name: str, text: str) -> str:
    """A value of an option as the ledger writes it; empty where the ledger has no such value."""
    match name:
        case "disposition":
            return text.strip().upper()
        case "severity":
            return text
        case PointerKind.ATTACHMENT_SHA256 | PointerKind.CATEGORY:
            return value_key(text)
        case _:
            return value_key(refang(text))


def pointer_partition(kind: PointerKind, value: str) -> str:
    """The partition of the pointers to all records with this value."""
    return pointer_key(kind, value, "", "")["pk"]


def _name(it: PointerKind | Index) -> str:
    return it.partitioned_by if isinstance(it, Index) else it
