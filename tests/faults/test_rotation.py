"""The secret changes while messages are under way."""

import threading
from collections import Counter
from contextlib import ExitStack

from ops.local.admission import Credentials
from ops.local.mailbox import Mailbox
from ops.local.poller import Poller
from ops.local.runtime import Environment
from tests.clock import HANG_SECONDS, eventually
from tests.faults.chaos import mailbox_of
from tests.faults.proxy import NONE, Call, Decide, Fault, Proxy
from tests.integration.world import MakeWorld, request

NEW = "the-new-token"
_MAILS = 60


def test_secret_rotated_under_load(make_world: MakeWorld) -> None:
    """No message is lost, and each environment looks the secret up again once."""
    everything = mailbox_of(_MAILS)
    detected = Mailbox(everything.account_id, tuple(mail for mail in everything if mail.detected))
    world = make_world(detected, RecordAll="true")
    lookups: list[Counter[str]] = [Counter(), Counter()]
    world.send(*(request(mail.postfix_id) for mail in detected))
    rotated = threading.Event()

    def counting(counter: Counter[str]) -> Decide:
        def decide(call: Call) -> Fault:
            counter[call.action] += 1
            if call.action == "TransactWriteItems" and not rotated.is_set():
                rotated.set()
                world.cloudflare.accept(Credentials(api_token=NEW))
                world.stack.secrets.put_secret_value(
                    SecretId=world.stack.variables["CLOUDFLARE_SECRET_ID"], SecretString=f'{{"api_token": "{NEW}"}}'
                )
            return NONE

        return decide

    with ExitStack() as servers:
        workers = []
        one_at_a_time = threading.Lock()
        for counter in lookups:
            proxy = servers.enter_context(
                Proxy(world.stack.aws["AWS_ENDPOINT_URL"], counting(counter), one_at_a_time=one_at_a_time)
            )
            variables = world.stack.environment | {"AWS_ENDPOINT_URL": proxy.origin}
            function = servers.enter_context(Environment(world.stack.template.handler, variables, 60))
            workers.append(threading.Thread(target=_drain, args=(Poller(world.stack, function, pause=0),)))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    assert {mail.postfix_id for mail in detected} == {record["postfix_id"] for record in world.records()}
    assert all(counter["GetSecretValue"] <= 2 for counter in lookups), lookups
    assert 3 <= sum(counter["GetSecretValue"] for counter in lookups)
    assert [] == world.rejections()
    assert NEW not in str(world.records())


def _drain(poller: Poller) -> None:
    def emptied() -> bool:
        poller.poll()
        return not poller.waiting()

    eventually(emptied, "the queue is empty", 10 * HANG_SECONDS)
