"""The search of the simulation answers as the fake Cloudflare does over HTTP."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from functions.cloudflare.client import Cloudflare
from functions.cloudflare.credentials import Credentials, Secret
from functions.cloudflare.rate_limiter import RateLimiter
from functions.cloudflare.search import Page, Query
from functions.domain.search_row import SearchRow
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy
from functions.feed.budget import Budget
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.fake_cloudflare.search import Behavior, Order, TimeField
from ops.local.fake_cloudflare.server import FakeCloudflare
from tests.clock import HANG_SECONDS
from tests.feed.simulation import START, Delivery, Switches, World, generate
from tests.integration.fake_cloudflare_client import ACCOUNT, BOTH, CALM

MAIL = generate(300)
NOW = START + timedelta(days=10)
ORDERS: dict[str, Order] = {"newest": Order.NEWEST_FIRST, "oldest": Order.OLDEST_FIRST, "none": Order.NONE}
FIELDS = {"scanned": TimeField.SCANNED_AT, "sent": TimeField.SENT_AT}


def as_mail(delivery: Delivery) -> Mail:
    """The delivery as the fake Cloudflare has it."""
    disposition = delivery.rows[delivery.number(NOW)].final_disposition
    entry: dict[str, Any] = {
        **(CALM.mail or {}),
        "id": delivery.id.value,
        "final_disposition": disposition,
        "scanned_at": delivery.at.isoformat(),
        "sent_at": delivery.sent_at.isoformat(),
        "delivery_mode": None,
        "delivery_status": None,
        "edf_hash": None,
    }
    return replace(
        CALM,
        postfix_id=delivery.id.postfix_id,
        investigate_id=delivery.id.value,
        detected=disposition != "NONE",
        mail=entry,
    )


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    """All deliveries with their last disposition."""
    return Mailbox(ACCOUNT, tuple(map(as_mail, MAIL)))


def rows(pages: Iterator[Page]) -> list[SearchRow]:
    return [row for page in pages for row in page.rows]


@pytest.mark.parametrize("inclusive", [False, True], ids=["end excluded", "end included"])
@pytest.mark.parametrize("field", ["scanned", "sent"])
@pytest.mark.parametrize("order", ["newest", "oldest", "none"])
def test_simulated_search_answers_as_the_fake_cloudflare(
    mailbox: Mailbox,
    order: Literal["newest", "oldest", "none"],
    field: Literal["scanned", "sent"],
    inclusive: bool,
) -> None:
    """The same rows, in the same order where there is one; also for windows that end at the time of a row."""
    world = World(
        MAIL, Switches(order=order, time_field=field, end_inclusive=inclusive, page=37), random.Random(1), now=NOW
    )
    world.budget = Budget(1_000_000, lambda: NOW)
    lags = {it.id.value: it.indexed_at - it.at for it in MAIL}
    behavior = Behavior(
        order=ORDERS[order],
        end_inclusive=inclusive,
        time_field=FIELDS[field],
        index_lag=lambda mail: lags[mail.investigate_id],
    )
    ends = [NOW, *(it.at for it in MAIL[:3]), *(it.sent_at.replace(microsecond=0) for it in MAIL[3:5])]
    with FakeCloudflare(mailbox, credentials=BOTH, search=behavior, now=lambda: NOW) as fake:
        client = Cloudflare(
            fake.base_url,
            ACCOUNT,
            Credentials(lambda: Secret('{"api_token": "a-token"}', "1")),
            RateLimiter(1_000_000, 1),
            severity_rank=Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False).severity_rank,
            connections=1,
        )
        for end, days in itertools.product(ends, (1, 8)):
            query = Query({"detections_only": "true"}, end - timedelta(days=days), end, per_page=37)
            real, simulated = rows(client.search(query, HANG_SECONDS)), rows(world.search(query, HANG_SECONDS))
            if order == "none":
                real, simulated = (sorted(it, key=lambda row: row.id.value) for it in (real, simulated))
            assert real == simulated
    assert len(real) > 10
