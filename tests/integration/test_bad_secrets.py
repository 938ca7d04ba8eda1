"""A secret that cannot be used: each outcome that it causes says why, and never shows its content."""

import json
import time

import pytest

from tests.integration.deployment import Deployment, MakeDeployment, outcomes, raw_record
from tests.integration.test_escalation import MALICIOUS

CANARY = "canary-7f3a"
SECRETS: dict[str, tuple[str, str]] = {
    "half of JSON": (f'{{"api_token": "{CANARY}', "it is not valid JSON"),
    "another member": (json.dumps({"token": CANARY}), "it is JSON with none of these members"),
    "a key without its email": (json.dumps({"api_key": CANARY}), "it is JSON with api_key, but it needs"),
    "a token of two words": (json.dumps({"api_token": f"Token {CANARY}"}), "its api_token contains white space"),
    "an empty token": (json.dumps({"api_token": "\n", "note": CANARY}), "its api_token is empty"),
}
FOUR_DAYS = 4 * 86_400


def with_secret(make_deployment: MakeDeployment, text: str) -> Deployment:
    """A deployment whose secret has this text."""
    deployment = make_deployment()
    deployment.stack.secrets.put_secret_value(
        SecretId=deployment.stack.variables["CLOUDFLARE_SECRET_ID"], SecretString=text
    )
    return deployment


@pytest.mark.parametrize(("text", "cause"), SECRETS.values(), ids=SECRETS)
def test_log_record_and_dead_letter_have_the_cause_and_no_content(
    make_deployment: MakeDeployment, text: str, cause: str
) -> None:
    """The first message is DEFERRED. One that waited for four days is REJECTED."""
    deployment = with_secret(make_deployment, text)
    long_ago = int((time.time() - FOUR_DAYS) * 1000)
    now = int(time.time() * 1000)

    invocation = deployment.invoke(
        raw_record(MALICIOUS.postfix_id, "new", sent_at_ms=now),
        raw_record(MALICIOUS.postfix_id, "old", sent_at_ms=long_ago),
    )

    logged = invocation.outcomes
    assert [("DEFERRED", "credentials-refused"), ("REJECTED", "deferred-too-long")] == outcomes(logged)
    assert [True, True] == [cause in line["detail"] for line in logged]
    [(_, detail, _)], [record] = deployment.rejections(), deployment.records()
    assert (True, True) == (cause in detail, cause in record["detail"])
    assert CANARY not in f"{invocation} {deployment.rejections()} {deployment.items()}"
    assert () == deployment.cloudflare.calls
