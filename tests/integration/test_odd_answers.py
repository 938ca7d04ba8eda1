"""A malicious email whose answers are odd has an alert: by its detection, or by its message details."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from ops.local.fake_cloudflare.mailbox import Mail
from tests.integration.deployment import MakeDeployment
from tests.integration.fake_cloudflare_client import only
from tests.integration.test_escalation import MALICIOUS

LARGE = "x" * 10_000_000
DETECTION: dict[str, Any] = dict(MALICIOUS.result or {})
DETAILS: dict[str, Any] = dict(MALICIOUS.mail or {}) | {"final_disposition": "MALICIOUS"}
DEEP: Any = json.loads("[" * 500 + "]" * 500)

ODD: dict[str, Mail] = {
    "detection of 10 MB": replace(MALICIOUS, result=DETECTION | {"action": LARGE}, mail=DETAILS),
    "details of 10 MB": replace(MALICIOUS, mail=DETAILS | {"subject": LARGE}),
    "score of NaN": replace(MALICIOUS, result=DETECTION | {"findings": [{"score": math.nan}]}),
    "infinite size": replace(MALICIOUS, result=DETECTION | {"attachments": [{"size": math.inf}]}),
    "control characters": replace(MALICIOUS, result=DETECTION | {"action": "\x00\x1b[2J"}),
    "deep nesting": replace(MALICIOUS, result=DETECTION | {"new": DEEP}),
    "details that are a list": replace(MALICIOUS, mail=[DETAILS]),  # type: ignore[arg-type]
    "disposition of a wrong type": replace(MALICIOUS, result=DETECTION | {"final_disposition": 7}, mail=DETAILS),
    "disposition that is unknown": replace(MALICIOUS, result=DETECTION | {"final_disposition": "NEW"}, mail=DETAILS),
} | {
    f"{name} of a wrong type": replace(MALICIOUS, result=DETECTION | {name: value})
    for name in DETECTION
    if name != "final_disposition"
    for value in (7,)
}


@pytest.mark.parametrize("mail", ODD.values(), ids=ODD)
def test_malicious_email_with_an_odd_answer_has_one_alert(make_deployment: MakeDeployment, mail: Mail) -> None:
    deployment = make_deployment(only(mail))
    deployment.send(mail.postfix_id)
    assert ["ESCALATED"] == [it["outcome"] for it in deployment.poll()]
    assert len(deployment.alerts()) == 1
