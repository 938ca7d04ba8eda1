"""What every test has: examples that are the same each time in CI, and the world of an integration test.

A world is a deployed stack on the emulated AWS, a stand-in Cloudflare, and the function in a process of its own.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings

from ops.local.admission import Credentials
from ops.local.cloudflare import StandIn
from ops.local.mailbox import Mailbox
from ops.local.runtime import Environment
from ops.local.stack import TOKEN, deploy, emulated_aws
from tests.integration.standin import AT_ONCE
from tests.integration.world import MakeWorld, World

# No deadline: an example that takes longer on a loaded machine is no failure.
settings.register_profile("tests", settings.get_profile("default"), derandomize="CI" in os.environ, deadline=None)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """An emulated AWS."""
    with emulated_aws() as url:
        yield url


@pytest.fixture
def make_world(endpoint: str) -> Iterator[MakeWorld]:
    """Makes worlds, each with its own deployment, stand-in Cloudflare and execution environment."""
    with ExitStack() as worlds:

        def make(
            mailbox: Mailbox = AT_ONCE,
            *,
            accepted: Credentials | None = None,
            secret: dict[str, str] | None = None,
            bare_ids: bool = True,
            variables: dict[str, str] | None = None,
            **parameters: str,
        ) -> World:
            stand_in = worlds.enter_context(
                StandIn(mailbox, credentials=accepted or Credentials(api_token=TOKEN), bare_ids=bare_ids)
            )
            stack = deploy(
                endpoint,
                {"api_token": TOKEN} if secret is None else secret,
                CloudflareAccountId=mailbox.account_id,
                CloudflareBaseUrl=stand_in.base_url,
                **parameters,
            )
            environment = stack.environment | (variables or {})
            function = Environment(stack.template.handler, environment, stack.template.timeout)
            return World(stack, stand_in, worlds.enter_context(function))

        yield make


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """The ordinary world: the whole mailbox without faults, a table and a topic."""
    return make_world()
