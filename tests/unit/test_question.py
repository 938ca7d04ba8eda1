"""Which index answers what is asked."""

from datetime import UTC, datetime

import pytest

from functions.ledger.keys import Facet, Index
from ops.escalator.question import MOST_SELECTIVE_FIRST, Question, Source
from ops.escalator.span import Span

SPAN = Span(datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
LEADING = {
    "nothing": ({}, Index.BY_TIME),
    "one": ({"severity": "High"}, Index.BY_SEVERITY),
    "hash-before-all": ({"severity": "High", "attachment_sha256": "a", "sender_ip": "b"}, Facet.ATTACHMENT_SHA256),
    "sender-before-kind": ({"category": "a", "sender_domain": "b", "disposition": "C"}, Index.BY_SENDER_DOMAIN),
    "pending-before-severity": ({"severity": "High", "pending": "yes"}, Index.PENDING),
}


@pytest.mark.parametrize(("facets", "leading"), LEADING.values(), ids=LEADING.keys())
def test_leading(facets: dict[str, str], leading: Facet | Index) -> None:
    """The most selective one."""
    assert leading is Question(SPAN, facets).leading


def test_every_index() -> None:
    """Each that the ledger has answers something."""
    assert {*Index, *Facet} == {*MOST_SELECTIVE_FIRST, Index.BY_TIME}


def test_time_alone() -> None:
    """A partition for each month, in the order of the answer."""
    months = [Source(Index.BY_TIME, "month", it) for it in ("2026-10", "2026-11", "2026-12")]
    question = Question(SPAN)
    assert (months, months[::-1]) == ([*question.sources(newest_first=False)], [*question.sources(newest_first=True)])


def test_a_pointer() -> None:
    """Its partition in the table itself; what else has pointers is asked of them, the rest of the record."""
    question = Question(SPAN, {"link_host": "a.example", "category": "malware", "severity": "High"})

    assert [Source(None, "about", "link_host=a.example")] == [*question.sources(newest_first=True)]
    assert ((Facet.CATEGORY, "malware"),) == question.other_pointers
    assert [True, False] == [question.admits({"severity": it}) for it in ("High", "Low")]
