"""Property: for any message and any response of Cloudflare, each message has one outcome."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.domain.outcome import Outcome
from functions.escalate.app import build
from functions.escalate.settings import read_settings
from tests.integration.deployment import MakeDeployment, raw_record
from tests.integration.test_client_bounds import Peer, server
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
class AnyResponse:
    """A handler whose Cloudflare sends the bytes of `response`."""

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    response: bytes = b""

    def respond(self, peer: Peer) -> None:
        """Send the response, and close the connection."""
        peer.send(self.response)
        peer.hang_up()


@pytest.fixture
def any_response(make_deployment: MakeDeployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[AnyResponse]:
    """Build the handler in this process, on the emulated AWS."""
    deployment = make_deployment(RecordAll="true")
    fixture = AnyResponse(lambda _, __: {})
    with server(fixture.respond) as (base_url, _):
        environment = deployment.stack.environment | {"CLOUDFLARE_BASE_URL": base_url}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        fixture.handler = build(read_settings(environment))
        yield fixture


def _http(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} Reason\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def info(caplog: pytest.LogCaptureFixture) -> None:
    """Capture the log lines of all outcomes."""
    caplog.set_level("INFO")


JSON = json_values()
_RESULTS = JSON | st.fixed_dictionaries(
    {"final_disposition": st.sampled_from(["MALICIOUS", "SPAM", None, 3, "X"])},
    optional={"links": JSON, "findings": JSON, "attachments": JSON, "sender_info": JSON},
)
_DOCUMENTS = st.fixed_dictionaries({"success": st.sampled_from([True, True, True, False, None]), "result": _RESULTS})
RESPONSES = st.one_of(
    st.builds(
        _http, st.sampled_from([200, 200, 200, 404, 400, 500, 302]), _DOCUMENTS.map(lambda it: json.dumps(it).encode())
    ),
    st.builds(_http, st.integers(100, 599), st.binary(max_size=200)),
    st.binary(max_size=200),
)
IDS = st.from_regex(r"[0-9A-Za-z]{8,12}", fullmatch=True)
BODIES = st.one_of(IDS, IDS.map(lambda it: json.dumps({"postfix_id": it})), st.text(max_size=200), JSON.map(json.dumps))


@given(st.lists(BODIES, min_size=BATCH, max_size=BATCH), RESPONSES, st.integers(1, 12))
@pytest.mark.usefixtures("info")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_record_has_one_outcome_and_only_retries_are_reported_as_failures(
    any_response: AnyResponse,
    caplog: pytest.LogCaptureFixture,
    bodies: list[str],
    response: bytes,
    receive_count: int,
) -> None:
    """No record makes the handler raise an exception."""
    any_response.response = response
    caplog.clear()

    result = any_response.handler(
        {"Records": [raw_record(body, f"m-{number}", receive_count) for number, body in enumerate(bodies)]}, CONTEXT
    )

    logged = [vars(record) for record in caplog.records if record.getMessage() == "outcome"]
    outcomes = {it["sqs_message_id"]: it["outcome"] for it in logged}
    assert len(logged) == BATCH
    assert [f"m-{number}" for number in range(BATCH)] == sorted(outcomes)
    assert set(outcomes.values()) <= {outcome.value for outcome in Outcome}
    failed = {it["itemIdentifier"] for it in result["batchItemFailures"]}
    assert {message for message, outcome in outcomes.items() if outcome == "RETRY"} == failed
