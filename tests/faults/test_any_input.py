"""Whatever a producer sends and whatever Cloudflare answers: the handler copes, and each message has one outcome."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.escalate.app import build
from functions.escalate.outcome import Outcome
from functions.escalate.settings import read_settings
from tests.integration.test_client_bounds import Peer, server
from tests.integration.world import MakeWorld, raw_record
from tests.strategies import json_values

BATCH = 4
CONTEXT = SimpleNamespace(
    function_name="escalate",
    function_version="1",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:escalate",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 60_000,
)


@dataclass
class Wild:
    """A handler whose Cloudflare gives the next answer that it was given."""

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    answer: bytes = b""

    def talk(self, peer: Peer) -> None:
        """Give the answer, and hang up."""
        peer.send(self.answer)
        peer.hang_up()


@pytest.fixture
def wild(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wild]:
    """The handler in this process, on the emulated AWS."""
    world = make_world(RecordAll="true")
    it = Wild(lambda _, __: {})
    with server(it.talk) as (base_url, _):
        environment = world.stack.environment | {"CLOUDFLARE_BASE_URL": base_url}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        it.handler = build(read_settings(environment))
        yield it


def _http(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} Whatever\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def info(caplog: pytest.LogCaptureFixture) -> None:
    """Have every outcome captured."""
    caplog.set_level("INFO")


JSON = json_values()
_RESULTS = JSON | st.fixed_dictionaries(
    {"final_disposition": st.sampled_from(["MALICIOUS", "SPAM", None, 3, "X"])},
    optional={"links": JSON, "findings": JSON, "attachments": JSON, "sender_info": JSON},
)
_ENVELOPES = st.fixed_dictionaries({"success": st.sampled_from([True, True, True, False, None]), "result": _RESULTS})
ANSWERS = st.one_of(
    st.builds(
        _http, st.sampled_from([200, 200, 200, 404, 400, 500, 302]), _ENVELOPES.map(lambda it: json.dumps(it).encode())
    ),
    st.builds(_http, st.integers(100, 599), st.binary(max_size=200)),
    st.binary(max_size=200),
)
IDS = st.from_regex(r"[0-9A-Za-z]{8,12}", fullmatch=True)
BODIES = st.one_of(IDS, IDS.map(lambda it: json.dumps({"postfix_id": it})), st.text(max_size=200), JSON.map(json.dumps))


@given(st.lists(BODIES, min_size=BATCH, max_size=BATCH), ANSWERS, st.integers(1, 12))
@pytest.mark.usefixtures("info")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything(
    wild: Wild, caplog: pytest.LogCaptureFixture, bodies: list[str], answer: bytes, receives: int
) -> None:
    """It never raises for a record's sake; each record has exactly one outcome, and the failures are those to retry."""
    wild.answer = answer
    caplog.clear()

    response = wild.handler(
        {"Records": [raw_record(body, f"m-{number}", receives) for number, body in enumerate(bodies)]}, CONTEXT
    )

    logged = [vars(record) for record in caplog.records if record.getMessage() == "outcome"]
    outcomes = {it["sqs_message_id"]: it["outcome"] for it in logged}
    assert len(logged) == BATCH
    assert [f"m-{number}" for number in range(BATCH)] == sorted(outcomes)
    assert set(outcomes.values()) <= {outcome.value for outcome in Outcome}
    failed = {it["itemIdentifier"] for it in response["batchItemFailures"]}
    assert {message for message, outcome in outcomes.items() if outcome == "RETRY"} == failed
