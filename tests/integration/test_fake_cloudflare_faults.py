"""Faults and rate limit of the fake Cloudflare, on real connections."""

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from ops.local.fake_cloudflare.mailbox import Fault
from ops.local.fake_cloudflare.server import FakeCloudflare
from tests.clock import HANG_SECONDS, Clock, eventually, wait_for
from tests.integration.fake_cloudflare_client import BEARER, BOTH, CALM, WITHOUT_FAULTS, call, detections, only


def test_half_fault_ends_the_body_early() -> None:
    """The body is shorter than its content-length."""
    with (
        FakeCloudflare(only(CALM, Fault.HALF), credentials=BOTH) as fake,
        pytest.raises(http.client.IncompleteRead),
    ):
        call(fake, detections(CALM.postfix_id))


def test_reset_fault_closes_the_connection_without_a_response() -> None:
    """The call is listed with status 0."""
    with FakeCloudflare(only(CALM, Fault.RESET), credentials=BOTH) as fake:
        with pytest.raises(ConnectionResetError):
            call(fake, detections(CALM.postfix_id))
        assert [made.status for made in fake.calls] == [0]


def test_faults_give_responses_without_a_detection() -> None:
    """A web page, a redirect to another origin, `success: false`, and two empty results."""
    faults = (Fault.HTML, Fault.REDIRECT, Fault.UNSUCCESSFUL, Fault.EMPTY, Fault.EMPTY_OBJECT)
    with FakeCloudflare(only(CALM, *faults), credentials=BOTH) as fake:
        html, redirect, *rest = (call(fake, detections(CALM.postfix_id)) for _ in faults)
    assert (html.status, html.headers["content-type"]) == (200, "text/html; charset=UTF-8")
    assert redirect.status == 302
    assert urlsplit(redirect.headers["location"]).netloc not in urlsplit(fake.base_url).netloc
    documents = [json.loads(reply.body) for reply in rest]
    assert [(document["success"], document["result"]) for document in documents] == [
        (False, None),
        (True, None),
        (True, {}),
    ]


def test_slow_response_is_sent_after_its_delay() -> None:
    """A client with a shorter timeout fails."""
    over, pauses = threading.Event(), list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        wait_for(over, "the test ends the delay")

    with FakeCloudflare(only(CALM, Fault.SLOW, Fault.SLOW), credentials=BOTH, slow_seconds=0.3, sleep=sleep) as fake:
        with pytest.raises(TimeoutError):
            call(fake, detections(CALM.postfix_id), timeout=0.05)
        over.set()
        assert call(fake, detections(CALM.postfix_id)).status == 200
        eventually(lambda: len(pauses) == 2, "both calls are delayed")
    assert [0.3, 0.3] == pauses


def test_throttled_fault_has_its_headers() -> None:
    """All other responses have the headers of the rate limit, too."""
    with FakeCloudflare(only(CALM, Fault.THROTTLED), credentials=BOTH) as fake:
        first, second = (call(fake, detections(CALM.postfix_id)) for _ in range(2))
    assert (
        first.status,
        first.headers["retry-after"],
        first.headers["ratelimit"],
    ) == (429, "1", '"default";r=0;t=1')
    assert '"default";q=1200;w=300' == first.headers["ratelimit-policy"] == second.headers["ratelimit-policy"]
    assert ("retry-after" in second.headers, second.headers["ratelimit"]) == (False, '"default";r=999999;t=300')


def test_request_over_the_limit_blocks_all_calls() -> None:
    """The budget is full again after the block."""
    path, clock = detections(CALM.postfix_id), Clock()
    with FakeCloudflare(WITHOUT_FAULTS, credentials=BOTH, limit=(2, 60.0, 0.5), monotonic=clock) as fake:
        replies = [call(fake, path) for _ in range(4)]
        clock.sleep(0.5)
        replies.append(call(fake, path))
    assert [reply.status for reply in replies] == [200, 200, 429, 429, 200]
    remaining = [reply.headers["ratelimit"].split(";")[1] for reply in replies]
    assert remaining == ["r=1", "r=0", "r=0", "r=0", "r=1"]
    assert replies[2].headers["retry-after"] == "1"


def test_concurrent_calls_get_a_fault_once() -> None:
    """The script has one fault, and ten clients call at the same time."""
    with (
        FakeCloudflare(only(CALM, Fault.UNAVAILABLE), credentials=BOTH) as fake,
        ThreadPoolExecutor(10) as pool,
    ):
        replies = list(pool.map(lambda _: call(fake, detections(CALM.postfix_id)), range(10)))
    assert sorted(reply.status for reply in replies) == [200] * 9 + [503]


def test_exit_closes_connections_that_are_kept_alive() -> None:
    with FakeCloudflare(WITHOUT_FAULTS, credentials=BOTH) as fake:
        base = urlsplit(fake.base_url)
        kept = http.client.HTTPConnection(base.hostname or "", base.port, timeout=HANG_SECONDS)

        def get() -> bytes:
            kept.request("GET", f"{base.path}{detections(CALM.postfix_id)}", headers=BEARER)
            return kept.getresponse().read()

        assert get()
    with closing(kept), pytest.raises(ConnectionError):
        get()
