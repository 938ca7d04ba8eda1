"""Fixtures for all tests: the profile of Hypothesis, the emulated AWS, and deployments.

A deployment is a stack on the emulated AWS, a fake Cloudflare, and the function in its own process.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings

from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.mailbox import Mailbox
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.lambda_runtime import Environment
from ops.local.stack import TOKEN, deploy, emulated_aws
from tests.integration.deployment import Deployment, MakeDeployment
from tests.integration.fake_cloudflare_client import WITHOUT_FAULTS

# Examples are the same in each CI run. They have no deadline, because a loaded machine may be slow.
settings.register_profile("tests", settings.get_profile("default"), derandomize="CI" in os.environ, deadline=None)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Start an emulated AWS and return its endpoint."""
    with emulated_aws() as url:
        yield url


@pytest.fixture
def make_deployment(endpoint: str) -> Iterator[MakeDeployment]:
    """Return a function that makes deployments, each with its own fake Cloudflare and execution environment."""
    with ExitStack() as deployments:

        def make(
            mailbox: Mailbox = WITHOUT_FAULTS,
            *,
            accepted: Credentials | None = None,
            secret: dict[str, str] | None = None,
            bare_ids: bool = True,
            variables: dict[str, str] | None = None,
            name: str | None = None,
            **parameters: str,
        ) -> Deployment:
            cloudflare = deployments.enter_context(
                FakeCloudflare(mailbox, credentials=accepted or Credentials(api_token=TOKEN), bare_ids=bare_ids)
            )
            stack = deploy(
                endpoint,
                {"api_token": TOKEN} if secret is None else secret,
                name,
                CloudflareAccountId=mailbox.account_id,
                CloudflareBaseUrl=cloudflare.base_url,
                **parameters,
            )
            environment = stack.environment | (variables or {})
            function = Environment(stack.template.handler, environment, stack.template.timeout)
            return Deployment(stack, cloudflare, deployments.enter_context(function))

        yield make


@pytest.fixture
def deployment(make_deployment: MakeDeployment) -> Deployment:
    """Make the default deployment: all emails without faults, a table and a topic."""
    return make_deployment()
