"""The times that depend on each other: in the template, in the function, and in what the tests assume."""

from typing import Any

from samtranslator.yaml_helper import yaml_parse

from functions.cloudflare.client import CALL_SECONDS, CONTEXT_CALL_SECONDS
from functions.cloudflare.pace import BURST
from functions.escalate import app, lookup, outbox, publisher, queue, settlement
from functions.escalate.settings import RECEIVES
from ops.local.template import TEMPLATE
from tests.unit import test_backlog, test_pace

RESOURCES: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]
FUNCTION = RESOURCES["EscalateFunction"]["Properties"]
QUEUE = RESOURCES["RequestQueue"]["Properties"]


def slowest(config: Any) -> float:
    """What one call with a client's settings takes when each of its tries runs into its time limit."""
    tries: int = config.retries["total_max_attempts"]
    return tries * float(config.connect_timeout + config.read_timeout)


def test_reserve() -> None:
    """Recall, claim, context, publish and mark fit into what is kept of an invocation for them, at their slowest."""
    recall = claim = mark = slowest(app.AWS)
    assert recall + claim + lookup.CONTEXT_SECONDS + slowest(app.SNS) + mark <= lookup.RESERVE_SECONDS


def test_context() -> None:
    """One call for a context, and a wait for its turn, fit into what an alert waits for it."""
    patience = lookup.CONTEXT_SECONDS - lookup.GRACE_SECONDS - CONTEXT_CALL_SECONDS
    assert patience == test_backlog.CONTEXT_PATIENCE
    assert patience > 0


def test_publish_and_mark() -> None:
    """What is begun can be ended."""
    assert slowest(app.SNS) + slowest(app.AWS) <= publisher.PUBLISH_AND_MARK_SECONDS
    assert slowest(app.AWS) + max(outbox.MARK_PAUSES) <= outbox.MARK_SECONDS
    assert slowest(app.AWS) < settlement.EFFECT_SECONDS


def test_patience() -> None:
    """The simulations wait as long as an invocation can."""
    patience = FUNCTION["Timeout"] - lookup.RESERVE_SECONDS - CALL_SECONDS
    assert patience == test_backlog.PATIENCE == test_pace.PATIENCE
    assert patience > 0


def test_burst() -> None:
    """One batch and its contexts ask without a gap."""
    batch = FUNCTION["Events"]["Requests"]["Properties"]["BatchSize"]
    assert 2 * batch == BURST == 2 * app.BATCH


def test_visibility() -> None:
    """A message stays hidden while its invocation can still run, and longer than a claim's lease."""
    assert QUEUE["VisibilityTimeout"] >= 6 * FUNCTION["Timeout"]
    assert QUEUE["VisibilityTimeout"] > FUNCTION["Timeout"] + outbox.LEASE_MARGIN.total_seconds()


def test_receives() -> None:
    """The function sends a message again before SQS gives it up."""
    receives = int(FUNCTION["Environment"]["Variables"]["MAX_RECEIVES"])
    assert receives == RECEIVES
    assert QUEUE["RedrivePolicy"]["maxReceiveCount"] > receives > lookup.LOOKS


def test_retention() -> None:
    """The queue keeps a message for longer than it may be deferred, and the table for longer than it may come back."""
    deferred = settlement.DEFERRED_AT_MOST.total_seconds()
    assert QUEUE["MessageRetentionPeriod"] > deferred + queue.LONGEST_DELAY
    dead = RESOURCES["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"]
    least_days = yaml_parse(TEMPLATE.read_text("utf-8"))["Parameters"]["RecordRetentionDays"]["MinValue"]
    assert least_days * 86_400 > deferred + dead
