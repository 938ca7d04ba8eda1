"""The deliveries of an email that a shorter id names."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from functions.cloudflare.deliveries import MAX_DELIVERIES, Deliveries, find_deliveries, most_severe
from functions.cloudflare.errors import CloudflareError, NoDetection, Refused, SearchIncomplete, Throttled, Unavailable
from functions.cloudflare.search import Page, Query
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.search_row import SearchRow
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
POSTFIX = EmailId("4jTHXX1BkfzpM0K")
POLICY = Policy("0" * 32, ESCALATE_BY_DEFAULT, record_all=False)


def row(number: int, disposition: str | None = None, postfix_id: str = POSTFIX.value) -> SearchRow:
    return SearchRow(EmailId(f"{postfix_id}-2026-11-17T08:12:44-{number}"), disposition)


class Searches:
    """A search with these pages. failure: at its end. refused_start: whether a start is refused."""

    def __init__(self, *pages: Page, failure: Exception | None = None, refused_start: bool = False) -> None:
        self.pages, self.failure, self.refused_start = pages, failure, refused_start
        self.queries: list[Query] = []

    def __call__(self, query: Query) -> Iterator[Page]:
        """Yield the pages."""
        self.queries.append(query)
        if self.refused_start and query.start:
            raise Refused("x")
        yield from self.pages
        if self.failure:
            raise self.failure


@pytest.mark.parametrize(
    ("id", "start"),
    [
        ("4jTHXX1BkfzpM0K", "2026-10-26T12:00:00"),
        ("4WtWkr6nlBz9sNH", "2024-08-26T15:32:36"),
        ("4WtWkr6nlBz9sNH-2024-08-28T15:32:35", "2024-08-27T15:32:35"),
        ("C3CD21F3E90-2024-08-28T15:32:35", "2024-08-27T15:32:35"),
        ("C3CD21F3E90", "2025-11-25T12:00:00"),
        ("4WtWkr6nlBz9sNH-2024-02-31T15:32:35", "2025-11-25T12:00:00"),
        ("zzzzzzzzzzz9sNH", "2025-11-25T12:00:00"),
        ("4WtWkr6nlBz9sNH-0001-01-01T00:00:00", "2025-11-25T12:00:00"),
    ],
    ids=[
        "recent email: not less than by default",
        "time of the long Postfix id",
        "time of the alert id",
        "alert id of a short Postfix id",
        "no time",
        "a time that does not exist",
        "a time in the future",
        "a time before Cloudflare",
    ],
)
def test_search_reaches_back_to_the_time_in_the_id(id: str, start: str) -> None:
    """With a margin of a day. Without a time, the search covers a year."""
    searches = Searches(Page((), None))
    find_deliveries(EmailId(id), searches, NOW)
    assert [datetime.fromisoformat(start).replace(tzinfo=UTC)] == [query.start for query in searches.queries]


def test_search_covers_the_default_period_if_cloudflare_refuses_an_older_start() -> None:
    """The answer says so."""
    searches = Searches(Page((row(1),), None), refused_start=True)
    found = find_deliveries(EmailId("4WtWkr6nlBz9sNH"), searches, NOW)
    assert [True, False] == [query.start is not None for query in searches.queries]
    assert "Cloudflare refused to search back to 2024-08-26T15:32:36Z" in found.cut


def test_deliveries_of_all_pages_are_found() -> None:
    """Other emails, which the query may also match, are left out."""
    pages = (Page((row(1), row(9, postfix_id="4jTHXX1BkfzpM0KK")), "a"), Page((row(2), row(1)), None))
    assert Deliveries((row(1), row(2))) == find_deliveries(POSTFIX, Searches(*pages), NOW)


@pytest.mark.parametrize(
    ("pages", "is_cut"),
    [
        ([Page(tuple(map(row, range(MAX_DELIVERIES))), None)], False),
        ([Page(tuple(map(row, range(MAX_DELIVERIES))), "a")], True),
        ([Page(tuple(map(row, range(MAX_DELIVERIES - 1))), "a"), Page((row(90), row(91)), None)], True),
    ],
    ids=["exactly the maximum", "the maximum and a cursor", "one more"],
)
def test_more_deliveries_than_the_maximum_are_named_as_cut(pages: list[Page], is_cut: bool) -> None:
    found = find_deliveries(POSTFIX, Searches(*pages), NOW)
    assert (MAX_DELIVERIES, is_cut) == (len(found.rows), "the others were not checked" in found.cut)


def test_incomplete_search_uses_what_it_found_and_says_so() -> None:
    found = find_deliveries(POSTFIX, Searches(Page((row(1),), "a"), failure=SearchIncomplete("it repeats")), NOW)
    assert Deliveries((row(1),), "some deliveries may not have been checked: it repeats") == found


def test_incomplete_search_that_found_nothing_is_an_error() -> None:
    """The email may exist."""
    with pytest.raises(SearchIncomplete):
        find_deliveries(POSTFIX, Searches(failure=SearchIncomplete("it repeats")), NOW)


# --- the most severe delivery -----------------------------------------------------------------------------------------


class Answers:
    """Cloudflare's answers about deliveries: a disposition or an error each, by the number of the delivery."""

    def __init__(self, *answers: str | CloudflareError) -> None:
        self.answers = answers
        self.asked: list[int] = []

    def ask(self, id: EmailId) -> str:
        """Return the answer about a delivery."""
        number = int(id.value.rpartition("-")[2])
        self.asked.append(number)
        answer = self.answers[number]
        if isinstance(answer, CloudflareError):
            raise answer
        return answer

    def most_severe(self, *words: str | None, cut: str = "") -> tuple[str, str]:
        """Return the most severe answer about rows with these dispositions."""
        rows = tuple(row(number, word) for number, word in enumerate(words))
        return most_severe(Deliveries(rows, cut), self.ask, word_rank, POLICY.severity_rank)


def word_rank(word: str) -> tuple[int, int]:
    return POLICY.severity_rank(read_detection({"final_disposition": word}))


def test_only_the_most_severe_row_is_asked_about() -> None:
    answers = Answers("SPAM", "MALICIOUS", "SUSPICIOUS")
    assert ("MALICIOUS", "") == answers.most_severe("SPAM", "MALICIOUS", "SUSPICIOUS")
    assert [1] == answers.asked


def test_rows_that_may_be_more_severe_than_the_answer_are_asked_about() -> None:
    """A row without a disposition may have any. A row may be out of date."""
    answers = Answers("NONE", "SPAM", "SUSPICIOUS", "NONE")
    assert ("SUSPICIOUS", "") == answers.most_severe("NONE", None, "MALICIOUS", "BULK")
    assert [1, 2] == answers.asked


def test_delivery_without_a_detection_is_skipped() -> None:
    answers = Answers(NoDetection("x", id_exists=True), "MALICIOUS")
    assert ("MALICIOUS", "what was cut") == answers.most_severe(None, None, cut="what was cut")


def test_no_delivery_with_a_detection_is_no_detection() -> None:
    with pytest.raises(NoDetection):
        Answers(NoDetection("x", id_exists=True)).most_severe(None)


@pytest.mark.parametrize("failure", [Throttled("no request left", 60.0), Unavailable("no answer")])
def test_failure_after_an_escalation_does_not_delay_it(failure: CloudflareError) -> None:
    """The rest is named as not checked."""
    answer, cut = Answers("MALICIOUS", failure, "SPAM").most_severe(None, None, None)
    assert ("MALICIOUS", f"2 of 3 deliveries of the email were not checked: {failure}") == (answer, cut)


@pytest.mark.parametrize("first", ["SPAM", "a new word"])
def test_failure_without_an_escalation_is_raised(first: str) -> None:
    """The delivery that was not checked may escalate."""
    with pytest.raises(Throttled):
        Answers(first, Throttled("no request left", 60.0)).most_severe(None, None)
