"""What is asked of the ledger, and which index answers it without reading what is not asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.escalator import layout
from ops.escalator.span import Span

_INDEXES = {
    "sender_ip": layout.BY_SENDER_IP,
    "sender_domain": layout.BY_SENDER_DOMAIN,
    "pending": layout.PENDING,
    "severity": layout.BY_SEVERITY,
    "disposition": layout.BY_DISPOSITION,
}
MOST_SELECTIVE_FIRST = (
    "attachment_sha256",
    "link_host",
    "recipient",
    "sender_ip",
    "sender_domain",
    "pending",
    "category",
    "severity",
    "disposition",
)
"""A hash belongs to one campaign, a disposition to a good part of all records."""


@dataclass(frozen=True, slots=True)
class Source:
    """One partition that is queried.

    index:  None for the table itself, where pointers are.
    name:   the attribute that is its partition key; value: what that has to be.
    """

    index: str | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Question:
    """The records that were decided within a span and have these values, as the ledger writes them."""

    span: Span
    facets: Mapping[str, str] = field(default_factory=dict)

    @property
    def leading(self) -> str | None:
        """The facet whose index answers; None where time alone is asked for."""
        return next((name for name in MOST_SELECTIVE_FIRST if name in self.facets), None)

    def sources(self, *, newest_first: bool) -> Iterator[Source]:
        """The partitions that hold the answer, in its order: one, or one for each month where time alone is asked for."""
        name = self.leading
        if name is None:
            months = list(self.span.months())
            for month in reversed(months) if newest_first else months:
                yield Source(layout.BY_TIME, "month", month)
        elif name in layout.POINTERS:
            yield Source(None, "about", layout.pointer_about(name, self.facets[name]))
        else:
            yield Source(_INDEXES[name], name, self.facets[name])

    @property
    def other_pointers(self) -> tuple[str, ...]:
        """The partitions in which a record needs a pointer as well, beside the one that is queried."""
        return tuple(
            layout.pointer_about(name, value)
            for name, value in self.facets.items()
            if name in layout.POINTERS and name != self.leading
        )

    def admits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record has the values that stand in it as they are asked for."""
        return all(record.get(name) == value for name, value in self.facets.items() if name not in layout.POINTERS)

    @property
    def filtered(self) -> bool:
        """Whether what the index gives has to be looked through."""
        return len(self.facets) > 1
