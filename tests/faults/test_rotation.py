"""Rotation of the secret while messages are processed."""

import threading
from collections import Counter
from contextlib import ExitStack

from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.mailbox import Mailbox
from ops.local.lambda_runtime import Environment
from ops.local.poller import Poller
from tests.clock import HANG_SECONDS, eventually
from tests.faults.chaos import mailbox_of
from tests.faults.proxy import NONE, Call, Decide, Fault, Proxy
from tests.integration.deployment import MakeDeployment, request

NEW = "the-new-token"
_EMAILS = 60


def test_rotation_under_load_loses_no_message(make_deployment: MakeDeployment) -> None:
    """Each environment fetches the secret again at most once."""
    mailbox = mailbox_of(_EMAILS)
    detected = Mailbox(mailbox.account_id, tuple(mail for mail in mailbox if mail.detected))
    deployment = make_deployment(detected, RecordAll="true")
    calls: list[Counter[str]] = [Counter(), Counter()]
    deployment.send(*(request(mail.postfix_id) for mail in detected))
    rotated = threading.Event()

    def counting(counter: Counter[str]) -> Decide:
        def decide(call: Call) -> Fault:
            counter[call.action] += 1
            if call.action == "TransactWriteItems" and not rotated.is_set():
                rotated.set()
                deployment.cloudflare.accept(Credentials(api_token=NEW))
                deployment.stack.secrets.put_secret_value(
                    SecretId=deployment.stack.variables["CLOUDFLARE_SECRET_ID"],
                    SecretString=f'{{"api_token": "{NEW}"}}',
                )
            return NONE

        return decide

    with ExitStack() as servers:
        workers = []
        for counter in calls:
            proxy = servers.enter_context(Proxy(deployment.stack.aws["AWS_ENDPOINT_URL"], counting(counter)))
            variables = deployment.stack.environment | {"AWS_ENDPOINT_URL": proxy.origin}
            function = servers.enter_context(Environment(deployment.stack.template.handler, variables, 60))
            workers.append(threading.Thread(target=_drain, args=(Poller(deployment.stack, function, pause=0),)))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    assert {mail.postfix_id for mail in detected} == {record["postfix_id"] for record in deployment.records()}
    assert all(counter["GetSecretValue"] <= 2 for counter in calls), calls
    assert 3 <= sum(counter["GetSecretValue"] for counter in calls)
    assert [] == deployment.rejections()
    assert NEW not in str(deployment.records())


def _drain(poller: Poller) -> None:
    def emptied() -> bool:
        poller.poll()
        return not poller.waiting()

    eventually(emptied, "the queue is empty", 10 * HANG_SECONDS)
