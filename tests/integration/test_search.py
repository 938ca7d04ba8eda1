"""The client's search with the fake Cloudflare, for each thing that Cloudflare does not document."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.cloudflare.client import Cloudflare
from functions.cloudflare.credentials import Credentials, Secret
from functions.cloudflare.deliveries import MAX_DELIVERIES
from functions.cloudflare.errors import Refused, SearchIncomplete, Throttled, Unavailable
from functions.cloudflare.rate_limiter import RateLimiter
from functions.cloudflare.search import Page, Query
from functions.domain.email_id import EmailId
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.fake_cloudflare.search import Behavior, Order, Slow, TimeField
from ops.local.fake_cloudflare.server import FakeCloudflare
from tests.clock import HANG_SECONDS
from tests.integration.fake_cloudflare_client import ACCOUNT, BOTH, CALM, WITHOUT_FAULTS

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ALL = Query({"detections_only": "false"}, start=datetime(2024, 1, 1, tzinfo=UTC), end=NOW, per_page=7)
EVERY_ID = sorted(mail.investigate_id for mail in WITHOUT_FAULTS)
POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)


@contextmanager
def client(
    behavior: Behavior | None = None, mailbox: Mailbox = WITHOUT_FAULTS, *, bare_ids: bool = True
) -> Iterator[tuple[Cloudflare, FakeCloudflare]]:
    """A client of a fake Cloudflare."""
    with FakeCloudflare(
        mailbox, credentials=BOTH, bare_ids=bare_ids, search=behavior or Behavior(), now=lambda: NOW
    ) as fake:
        yield client_of(fake.base_url), fake


def client_of(base_url: str, account_id: str = ACCOUNT) -> Cloudflare:
    return Cloudflare(
        base_url,
        account_id,
        Credentials(lambda: Secret('{"api_token": "a-token"}', "1")),
        RateLimiter(1_000_000, 1),
        severity_rank=POLICY.severity_rank,
        connections=1,
        sleep=lambda _: None,
    )


def ids(pages: Iterator[Page]) -> list[str]:
    return [row.id.value for page in pages for row in page.rows]


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("slow", [None, *Slow])
def test_every_row_is_found_once(order: Order, slow: Slow | None) -> None:
    """In each order of the rows; also if each page has to be polled, at an absolute or a relative address."""
    with client(Behavior(order=order, slow=slow)) as (cloudflare, _):
        assert sorted(ids(cloudflare.search(ALL, HANG_SECONDS))) == EVERY_ID


def test_slow_search_is_polled_until_it_answers() -> None:
    with client(Behavior(slow=Slow.RELATIVE, slow_polls=4)) as (cloudflare, fake):
        assert len(ids(cloudflare.search(replace(ALL, per_page=1000), HANG_SECONDS))) == len(EVERY_ID)
    assert [202, 202, 202, 202, 202, 200] == [call.status for call in fake.calls]
    assert all("/searches/1" in call.path for call in fake.calls[1:])


def test_poll_at_another_origin_is_refused() -> None:
    """The credentials go to one origin only."""
    with client(Behavior(slow=Slow.ABSOLUTE)) as (_, fake):
        elsewhere = client_of(fake.base_url.replace("127.0.0.1", "localhost"))
        with pytest.raises(Unavailable, match="another origin or account"):
            list(elsewhere.search(ALL, HANG_SECONDS))
    assert 1 == len(fake.calls)


def test_empty_list_is_a_result() -> None:
    with client() as (cloudflare, _):
        assert [Page((), None)] == list(cloudflare.search(Query(start=NOW, end=NOW), HANG_SECONDS))


@pytest.mark.parametrize("field", TimeField)
def test_end_is_inclusive_or_not(field: TimeField) -> None:
    """The fake Cloudflare filters by each of the times."""
    at = CALM.scanned_at
    entry = {**(CALM.mail or {}), "scanned_at": f"{at:%FT%T}Z", "sent_at": f"{at:%FT%T}Z"}
    mailbox = Mailbox(ACCOUNT, (replace(CALM, mail=entry),))
    found = []
    for inclusive in (False, True):
        with client(Behavior(time_field=field, end_inclusive=inclusive), mailbox) as (cloudflare, _):
            found.append(len(ids(cloudflare.search(replace(ALL, end=at), HANG_SECONDS))))
    assert [0, 1] == found


def test_start_in_the_future_becomes_the_time_of_the_server() -> None:
    """The clock of the function is two minutes ahead."""
    with client() as (cloudflare, fake):
        query = Query(start=NOW + timedelta(minutes=2), end=NOW + timedelta(minutes=3))
        assert [] == ids(cloudflare.search(query, HANG_SECONDS))
    assert [400, 200] == [call.status for call in fake.calls]
    assert "start=2026-11-25T12%3A00%3A00Z" in fake.calls[1].path


def test_start_that_is_too_old_is_refused() -> None:
    with client(Behavior(max_age=timedelta(days=90))) as (cloudflare, _), pytest.raises(Refused):
        list(cloudflare.search(ALL, HANG_SECONDS))


def test_repeating_page_is_incomplete() -> None:
    with client(Behavior(repeats=True)) as (cloudflare, fake), pytest.raises(SearchIncomplete):
        list(cloudflare.search(ALL, HANG_SECONDS))
    assert 2 == len(fake.calls)


def test_expired_cursor_is_refused() -> None:
    with client(Behavior(cursor_lifetime=timedelta(seconds=-1))) as (cloudflare, _), pytest.raises(Refused):
        list(cloudflare.search(ALL, HANG_SECONDS))


def test_429_in_the_middle_ends_the_search() -> None:
    """The rows before it are yielded."""
    with client(Behavior(throttled_page=3)) as (cloudflare, _):
        search = cloudflare.search(ALL, HANG_SECONDS)
        assert 14 == len(ids(itertools.islice(search, 2)))
        with pytest.raises(Throttled):
            next(search)


def test_large_page_is_halved() -> None:
    """Each row has 1 MB, and the client reads at most 8 MiB."""
    large = {**(CALM.mail or {}), "subject": "x" * 1024 * 1024}
    mails = [replace(mail, mail={**large, "id": mail.investigate_id}) for mail in itertools.islice(WITHOUT_FAULTS, 12)]
    with client(mailbox=Mailbox(ACCOUNT, tuple(mails))) as (cloudflare, fake):
        found = ids(cloudflare.search(replace(ALL, per_page=12), HANG_SECONDS))
    assert sorted(mail.investigate_id for mail in mails) == sorted(found)
    assert [12, 6, 6] == [int(call.path.partition("per_page=")[2].partition("&")[0]) for call in fake.calls]


# --- the search for a shorter id --------------------------------------------------------------------------------------


def deliveries(count: int) -> Mailbox:
    """A mailbox with so many deliveries of one email: the last is malicious, the others are spam."""
    return DeliveriesMailbox(ACCOUNT, tuple(delivery(number, count) for number in range(count)))


class DeliveriesMailbox(Mailbox):
    """A mailbox whose emails share a postfix id."""

    def __post_init__(self) -> None:
        self._by_id.update({mail.investigate_id: mail for mail in self.mails})


def delivery(number: int, count: int) -> Mail:
    word = "MALICIOUS" if number == count - 1 else "SPAM"
    investigate_id = f"{CALM.alert_id}-{number:08}"
    entry = {**(CALM.mail or {}), "id": investigate_id, "final_disposition": word}
    return replace(
        CALM, investigate_id=investigate_id, mail=entry, result={**(CALM.result or {}), "final_disposition": word}
    )


@pytest.mark.parametrize("kind", ["postfix_id", "alert_id"])
def test_short_id_of_many_deliveries_costs_three_requests(kind: str) -> None:
    """The path with the short id, the search, and the delivery that is the most severe by its row. The email is of 2024."""
    with client(mailbox=deliveries(40), bare_ids=False) as (cloudflare, fake):
        result = cloudflare.detection(EmailId(getattr(CALM, kind)), HANG_SECONDS)
    assert ("MALICIOUS", "") == (result.detection.final_disposition, result.detail)
    assert [404, 200, 200] == [call.status for call in fake.calls]


def test_short_id_of_more_deliveries_than_the_maximum_says_what_was_cut() -> None:
    with client(Behavior(order=Order.OLDEST_FIRST), deliveries(300), bare_ids=False) as (cloudflare, fake):
        result = cloudflare.detection(EmailId(CALM.postfix_id), HANG_SECONDS)
    assert f"more than {MAX_DELIVERIES} deliveries; the others were not checked" in result.detail
    assert 3 == len(fake.calls)


def test_short_id_is_found_in_the_default_period_if_an_older_start_is_refused() -> None:
    """The detail says so."""
    recent = CALM.at(NOW - timedelta(days=2))
    behavior = Behavior(max_age=timedelta(days=90))
    with client(behavior, Mailbox(ACCOUNT, (recent,)), bare_ids=False) as (cloudflare, _):
        result = cloudflare.detection(EmailId(CALM.postfix_id), HANG_SECONDS)
    assert "Cloudflare refused to search back to" in result.detail


def test_details_of_a_short_id_are_those_of_the_most_severe_delivery() -> None:
    with client(mailbox=deliveries(40), bare_ids=False) as (cloudflare, fake):
        details = cloudflare.search_details(EmailId(CALM.postfix_id), HANG_SECONDS)
    assert f"{CALM.alert_id}-{39:08}" == str(details.id)
    assert 3 == len(fake.calls)
