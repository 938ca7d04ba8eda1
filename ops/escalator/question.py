"""What is asked of the ledger, and which index answers it without reading what is not asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.ledger.keys import Facet, Index, pointer_key
from ops.escalator.span import Span

MOST_SELECTIVE_FIRST: tuple[Facet | Index, ...] = (
    Facet.ATTACHMENT_SHA256,
    Facet.LINK_HOST,
    Facet.RECIPIENT,
    Index.BY_SENDER_IP,
    Index.BY_SENDER_DOMAIN,
    Index.PENDING,
    Facet.CATEGORY,
    Index.BY_SEVERITY,
    Index.BY_DISPOSITION,
)
"""A hash belongs to one campaign, a disposition to a good part of all records."""

_POINTED = frozenset(Facet)


@dataclass(frozen=True, slots=True)
class Source:
    """One partition that is queried.

    index:  None for the table itself, where pointers are.
    name:   the attribute that is its partition key; value: what that has to be.
    """

    index: Index | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Question:
    """The records that were decided within a span and have these values, as the ledger writes them."""

    span: Span
    facets: Mapping[str, str] = field(default_factory=dict)

    @property
    def leading(self) -> Facet | Index:
        """Whose partition answers: the index by time, where nothing but a span is asked for."""
        return next((it for it in MOST_SELECTIVE_FIRST if _name(it) in self.facets), Index.BY_TIME)

    def sources(self, *, newest_first: bool) -> Iterator[Source]:
        """The partitions that hold the answer, in its order: one, or one for each month where time alone is asked for."""
        match self.leading:
            case Index.BY_TIME:
                months = list(self.span.months())
                for month in reversed(months) if newest_first else months:
                    yield Source(Index.BY_TIME, Index.BY_TIME.partitioned_by, month)
            case Index() as index:
                yield Source(index, index.partitioned_by, self.facets[index.partitioned_by])
            case facet:
                yield Source(None, "about", pointers_of(facet, self.facets[facet]))

    @property
    def other_pointers(self) -> tuple[tuple[Facet, str], ...]:
        """The values for which a record needs a pointer as well, beside the one that is looked up."""
        return tuple((it, self.facets[it]) for it in Facet if it in self.facets and it is not self.leading)

    def admits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record has the values that stand in it as they are asked for."""
        return all(record.get(name) == value for name, value in self.facets.items() if name not in _POINTED)

    @property
    def filtered(self) -> bool:
        """Whether what the leading partition gives has to be looked through."""
        return len(self.facets) > 1


def pointers_of(facet: Facet, value: str) -> str:
    """The partition of the pointers to all records with this value."""
    return pointer_key(facet, value, "", "")["about"]


def _name(it: Facet | Index) -> str:
    return it.partitioned_by if isinstance(it, Index) else it
