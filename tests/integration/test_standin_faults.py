"""The stand-in Cloudflare breaks as its scripts and its limit say, on a real connection."""

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from ops.local.cloudflare import StandIn
from ops.local.mailbox import Fault
from tests.clock import HANG_SECONDS, Clock, eventually, wait_for
from tests.integration.standin import AT_ONCE, BEARER, BOTH, CALM, call, detections, only


def test_half_a_body() -> None:
    """The announced length is not reached."""
    with (
        StandIn(only(CALM, Fault.HALF), credentials=BOTH) as stand_in,
        pytest.raises(http.client.IncompleteRead),
    ):
        call(stand_in, detections(CALM.postfix_id))


def test_connection_closed_without_an_answer() -> None:
    """The caller hears nothing at all, and the call is listed with status 0."""
    with StandIn(only(CALM, Fault.RESET), credentials=BOTH) as stand_in:
        with pytest.raises(ConnectionResetError):
            call(stand_in, detections(CALM.postfix_id))
        assert [made.status for made in stand_in.calls] == [0]


def test_answers_that_are_not_a_detection() -> None:
    """A web page, a way to another origin, an envelope without success, and two empty results."""
    faults = (Fault.HTML, Fault.REDIRECT, Fault.UNSUCCESSFUL, Fault.EMPTY, Fault.EMPTY_OBJECT)
    with StandIn(only(CALM, *faults), credentials=BOTH) as stand_in:
        html, redirect, *rest = (call(stand_in, detections(CALM.postfix_id)) for _ in faults)
    assert (html.status, html.headers["content-type"]) == (200, "text/html; charset=UTF-8")
    assert redirect.status == 302
    assert urlsplit(redirect.headers["location"]).netloc not in urlsplit(stand_in.base_url).netloc
    envelopes = [json.loads(answer.body) for answer in rest]
    assert [(e["success"], e["result"]) for e in envelopes] == [(False, None), (True, None), (True, {})]


def test_slow_answer() -> None:
    """It comes after the pause, whole; who waits less than that has a timeout."""
    over, pauses = threading.Event(), list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        wait_for(over, "the pause is over")

    with StandIn(only(CALM, Fault.SLOW, Fault.SLOW), credentials=BOTH, slow_seconds=0.3, sleep=sleep) as stand_in:
        with pytest.raises(TimeoutError):
            call(stand_in, detections(CALM.postfix_id), timeout=0.05)
        over.set()
        assert call(stand_in, detections(CALM.postfix_id)).status == 200
        eventually(lambda: len(pauses) == 2, "both calls come to their pause")
    assert [0.3, 0.3] == pauses


def test_throttled_by_a_script() -> None:
    """A 429 carries its headers; every other answer tells the budget too."""
    with StandIn(only(CALM, Fault.THROTTLED), credentials=BOTH) as stand_in:
        first, second = (call(stand_in, detections(CALM.postfix_id)) for _ in range(2))
    assert (
        first.status,
        first.headers["retry-after"],
        first.headers["ratelimit"],
    ) == (429, "1", '"default";r=0;t=1')
    assert '"default";q=1200;w=300' == first.headers["ratelimit-policy"] == second.headers["ratelimit-policy"]
    assert ("retry-after" in second.headers, second.headers["ratelimit"]) == (False, '"default";r=999999;t=300')


def test_limit_passed() -> None:
    """One request too many blocks every call until the block ends; then the budget is whole again."""
    path, clock = detections(CALM.postfix_id), Clock()
    with StandIn(AT_ONCE, credentials=BOTH, limit=(2, 60.0, 0.5), monotonic=clock) as stand_in:
        replies = [call(stand_in, path) for _ in range(4)]
        clock.sleep(0.5)
        replies.append(call(stand_in, path))
    assert [reply.status for reply in replies] == [200, 200, 429, 429, 200]
    left = [reply.headers["ratelimit"].split(";")[1] for reply in replies]
    assert left == ["r=1", "r=0", "r=0", "r=0", "r=1"]
    assert replies[2].headers["retry-after"] == "1"


def test_script_under_concurrent_calls() -> None:
    """Ten callers at once use up a script of one word exactly once."""
    with (
        StandIn(only(CALM, Fault.UNAVAILABLE), credentials=BOTH) as stand_in,
        ThreadPoolExecutor(10) as pool,
    ):
        replies = list(pool.map(lambda _: call(stand_in, detections(CALM.postfix_id)), range(10)))
    assert sorted(reply.status for reply in replies) == [200] * 9 + [503]


def test_closing_hangs_up() -> None:
    """A connection that was kept alive is answered no more."""
    with StandIn(AT_ONCE, credentials=BOTH) as stand_in:
        base = urlsplit(stand_in.base_url)
        kept = http.client.HTTPConnection(base.hostname or "", base.port, timeout=HANG_SECONDS)

        def ask() -> bytes:
            kept.request("GET", f"{base.path}{detections(CALM.postfix_id)}", headers=BEARER)
            return kept.getresponse().read()

        assert ask()
    with closing(kept), pytest.raises(ConnectionError):
        ask()
