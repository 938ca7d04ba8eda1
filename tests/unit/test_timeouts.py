"""Consistency of timeouts and limits between the template, the function and the tests."""

from typing import Any

from samtranslator.yaml_helper import yaml_parse

from functions.cloudflare.client import CALL_SECONDS, DETAILS_CALL_SECONDS
from functions.cloudflare.rate_limiter import BURST
from functions.escalate import app, finish, investigate, notify, retries, topic
from functions.escalate.settings import MAX_RECEIVE_COUNT
from ops.local.template import TEMPLATE
from tests.unit import test_backlog, test_rate_limiter

RESOURCES: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]
FUNCTION = RESOURCES["EscalateFunction"]["Properties"]
QUEUE = RESOURCES["RequestQueue"]["Properties"]


def slowest(config: Any) -> float:
    """The seconds of one call with this botocore config if each attempt runs into its timeout."""
    tries: int = config.retries["total_max_attempts"]
    return tries * float(config.connect_timeout + config.read_timeout)


def test_reserve_covers_the_slowest_calls_after_the_detection() -> None:
    """Look-up, message details, claim, publish and mark fit into RESERVE_SECONDS."""
    look_up = claim = mark = slowest(app.AWS)
    assert look_up + investigate.DETAILS_SECONDS + claim + slowest(app.SNS) + mark <= investigate.RESERVE_SECONDS


def test_details_timeout_covers_the_wait_and_one_call() -> None:
    """The wait for the rate limit and one call fit into the time that an alert waits for details."""
    max_wait = investigate.DETAILS_SECONDS - investigate.GRACE_SECONDS - DETAILS_CALL_SECONDS
    assert max_wait == test_backlog.DETAILS_MAX_WAIT_SECONDS
    assert max_wait > 0


def test_reserved_times_cover_the_slowest_publish_and_mark() -> None:
    """A step that the function starts can finish in the time that it reserves."""
    assert slowest(app.SNS) + slowest(app.AWS) <= topic.PUBLISH_AND_MARK_SECONDS
    assert slowest(app.AWS) + max(notify.MARK_PAUSES) <= notify.MARK_SECONDS
    assert slowest(app.AWS) < finish.EFFECT_SECONDS
    assert slowest(app.AWS) < notify.INDEX_SECONDS


def test_simulations_wait_as_long_as_an_invocation_can() -> None:
    """The simulations assume the wait that the template and the reserve allow."""
    max_wait = FUNCTION["Timeout"] - investigate.RESERVE_SECONDS - CALL_SECONDS
    assert max_wait == test_backlog.MAX_WAIT_SECONDS == test_rate_limiter.MAX_WAIT_SECONDS
    assert max_wait > 0


def test_burst_covers_the_requests_of_one_batch() -> None:
    """The detections and message details of one batch need no wait."""
    batch_size = FUNCTION["Events"]["Requests"]["Properties"]["BatchSize"]
    assert 2 * batch_size == BURST == 2 * app.BATCH_SIZE


def test_visibility_timeout_outlasts_the_invocation_and_the_lease() -> None:
    """A message stays invisible while its invocation can run, and longer than the lease of a claim."""
    assert QUEUE["VisibilityTimeout"] >= 6 * FUNCTION["Timeout"]
    assert QUEUE["VisibilityTimeout"] > FUNCTION["Timeout"] + notify.LEASE_MARGIN.total_seconds()


def test_function_requeues_before_sqs_dead_letters() -> None:
    """The function's receive limit is lower than the queue's maxReceiveCount."""
    receive_count = int(FUNCTION["Environment"]["Variables"]["MAX_RECEIVE_COUNT"])
    assert receive_count == MAX_RECEIVE_COUNT
    assert QUEUE["RedrivePolicy"]["maxReceiveCount"] > receive_count > investigate.MAX_LOOKS


def test_retention_outlasts_deferral_and_redrive() -> None:
    """The queue keeps a message longer than its maximum deferral; the table keeps records longer than a redrive."""
    max_deferral = retries.MAX_DEFERRAL.total_seconds()
    assert QUEUE["MessageRetentionPeriod"] > max_deferral + retries.MAX_DELAY_SECONDS
    dead_letter_retention = RESOURCES["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"]
    min_days = yaml_parse(TEMPLATE.read_text("utf-8"))["Parameters"]["RecordRetentionDays"]["MinValue"]
    assert min_days * 86_400 > max_deferral + dead_letter_retention
