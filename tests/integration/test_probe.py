"""The probe that `escalator doctor` sends: what the function finds of its credentials, without showing them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.cloudflare.credentials import Secret
from functions.cloudflare.probe import Probe
from functions.release import RELEASE
from ops.local.fake_cloudflare import responses
from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.stack import TOKEN
from tests.integration.deployment import Deployment, MakeDeployment
from tests.integration.fake_cloudflare_client import ACCOUNT, WITHOUT_FAULTS

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def probe(cloudflare: FakeCloudflare, secret: str = TOKEN, account: str = ACCOUNT) -> dict[str, Any]:
    """Probe with a secret."""
    found: dict[str, Any] = Probe(
        cloudflare.base_url, account, lambda: Secret(secret, "1", NOON), lambda: NOON
    ).answer()
    assert secret == "" or secret not in json.dumps(found)
    return found


@pytest.fixture
def cloudflare() -> Any:
    """Start a fake Cloudflare whose clock is two minutes ahead."""
    pair = Credentials(api_token=TOKEN, api_email="ann@corp.example", api_key="k" * 37)
    with FakeCloudflare(WITHOUT_FAULTS, credentials=pair, now=lambda: NOON + timedelta(minutes=2)) as server:
        yield server


def test_good_token_is_found_active_with_permission(cloudflare: FakeCloudflare) -> None:
    """Two requests are enough."""
    cloudflare.set_token(expires_on="2027-01-01T00:00:00Z")
    found = probe(cloudflare)
    assert {"problem": "", "is_token": True, "put_at": "2026-11-23T12:00:00.000Z"} == found["secret"]
    assert {"status": 200, "codes": []} == found["search"]
    assert {"status": "active", "expires_on": "2027-01-01T00:00:00.000Z"} == found["token"]
    assert (RELEASE, ACCOUNT, [(999_999, 300.0)]) == (found["release"], found["account_id"], found["ratelimit"])
    assert ("2026-11-23T12:00:00.000Z", "2026-11-23T12:02:00.000Z") == (found["now"], found["cloudflare_now"])
    assert 2 == len(cloudflare.calls)


def test_refused_token_is_unknown_on_both_paths(cloudflare: FakeCloudflare) -> None:
    found = probe(cloudflare, "another-token")
    assert ({"status": 401, "codes": [10000]}, None) == (found["search"], found.get("token"))
    assert 3 == len(cloudflare.calls)


def test_token_without_permission_is_still_active(cloudflare: FakeCloudflare) -> None:
    cloudflare.refuse(responses.NO_PERMISSION)
    found = probe(cloudflare)
    assert ({"status": 403, "codes": [10000]}, "active") == (found["search"], found["token"]["status"])


def test_key_is_not_checked_as_a_token(cloudflare: FakeCloudflare) -> None:
    found = probe(cloudflare, json.dumps({"api_email": "ann@corp.example", "api_key": "k" * 37}))
    assert (False, 200) == (found["secret"]["is_token"], found["search"]["status"])
    assert 1 == len(cloudflare.calls)


@pytest.mark.parametrize("secret", ["", "{}", '{"api_token": 7}'], ids=["empty", "without a token", "with a number"])
def test_bad_secret_sends_no_request(cloudflare: FakeCloudflare, secret: str) -> None:
    found = probe(cloudflare, secret)
    assert {"release", "now", "account_id", "secret"} == found.keys()
    assert found["secret"]["problem"]
    assert () == cloudflare.calls


def test_cloudflare_that_does_not_answer_is_named() -> None:
    with FakeCloudflare(WITHOUT_FAULTS, credentials=Credentials(api_token=TOKEN)) as stopped:
        pass
    assert "could not be reached" in probe(stopped)["unreachable"]


def test_function_answers_a_probe_and_handles_batches_as_before(deployment: Deployment) -> None:
    """The probe has no outcome, no metric and no record."""
    invocation = deployment.function.invoke({"action": "probe"})
    assert ("", 200) == (invocation.response["secret"]["problem"], invocation.response["search"]["status"])
    assert [] == [line for line in invocation.log if '"_aws"' in line]
    assert TOKEN not in json.dumps([invocation.response, invocation.log])
    assert {"batchItemFailures": []} == deployment.invoke().response
    assert [] == deployment.records()


def test_probe_reads_the_secret_that_is_there_now(make_deployment: MakeDeployment) -> None:
    """Not the one that the function has cached."""
    deployment = make_deployment()
    secret_id = deployment.stack.variables["CLOUDFLARE_SECRET_ID"]
    assert not deployment.function.invoke({"action": "probe"}).response["secret"]["problem"]
    deployment.stack.secrets.put_secret_value(SecretId=secret_id, SecretString="{}")
    assert deployment.function.invoke({"action": "probe"}).response["secret"]["problem"]
