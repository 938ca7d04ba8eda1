"""Two stacks in one account and region, on the emulated AWS. A fault of one leaves the alarms of the other alone."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.lambda_runtime import Environment
from ops.local.stack import TOKEN, deploy
from tests.alarms.evaluator import is_alarm
from tests.alarms.template_alarms import read_alarms
from tests.integration.deployment import raw_record, request
from tests.integration.fake_cloudflare_client import WITHOUT_FAULTS
from tests.integration.test_escalation import MALICIOUS

OWN = "CloudflareEmailAlerts"
TOKENS = {"broken": "another-token", "healthy": TOKEN}


@pytest.fixture
def firing(endpoint: str) -> Iterator[dict[str, set[str]]]:
    """Run both functions of both stacks once, and return which alarms fire if that repeats in ten periods.

    Only of the functions' own metrics. CloudWatch has those of both stacks together.
    """
    logged: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    with ExitStack() as servers:
        credentials = Credentials(api_token=TOKEN)
        cloudflare = servers.enter_context(FakeCloudflare(WITHOUT_FAULTS, credentials=credentials))
        for kind, token in TOKENS.items():
            stack = deploy(
                endpoint,
                {"api_token": token},
                CloudflareAccountId=WITHOUT_FAULTS.account_id,
                CloudflareBaseUrl=cloudflare.base_url,
            )
            names[kind] = stack.name
            body = raw_record("not an id" if kind == "broken" else request(MALICIOUS.postfix_id), "m-1")
            asked = raw_record(request(MALICIOUS.postfix_id), "m-2", sent_at_ms=int(time.time() * 1000))
            template = stack.template
            for handler, event in ((template.handler, {"Records": [body, asked]}), (template.feed_handler, {})):
                function = servers.enter_context(Environment(handler, stack.environment, template.timeout))
                logged += [json.loads(it) for it in function.invoke(event).log if '"_aws"' in it]
        yield {
            kind: {
                name
                for name, alarm in read_alarms(stack_name).items()
                for metric in alarm.metrics.values()
                if metric.namespace == OWN and is_alarm(alarm, [metric.point(logged)] * 10)
            }
            for kind, stack_name in names.items()
        }


def test_bad_token_of_one_stack_leaves_the_alarms_of_the_other_alone(firing: dict[str, set[str]]) -> None:
    """The broken stack has a dead letter, too."""
    assert {
        "broken": {"CredentialsAlarm", "FeedAlarm", "FeedCredentialsAlarm", "RejectedAlarm"},
        "healthy": set(),
    } == firing
