"""`make chaos`: many messages through the real handler, while everything around it fails and it is killed again and again.

    python -m tests.faults.chaos [--messages N] [--seed S]

Two environments poll one queue, as Lambda does. Between them and the servers stands the fault-injecting layer. Faults,
and the points at which a process is killed, are drawn from the seed. Time is scaled: Cloudflare's block lasts 3 s
instead of 300, redeliveries come after 2 s, and what holds a lease is dead or done when its time is taken to have passed.

At the end the ledger, the subscriber's queue and the dead-letter queue are compared with what was sent.
"""

import argparse
import json
import operator
import sys
import threading
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import reduce
from threading import Lock

from ops.local.admission import Credentials
from ops.local.cloudflare import StandIn
from ops.local.mailbox import Mail, Mailbox
from ops.local.poller import Poller
from ops.local.runtime import Environment, FunctionError
from ops.local.stack import TOKEN, Stack, deploy, emulated_aws
from tests.clock import eventually
from tests.faults.proxy import Proxy
from tests.faults.report import Report, bad_messages, judge, tell
from tests.faults.schedule import Schedule

ENVIRONMENTS = 2
ROUND = 250
"""Messages on one table."""
PATIENCE_SECONDS = 900.0
_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYZ"


def mailbox_of(count: int) -> Mailbox:
    """So many mails in the shapes of the real mailbox: two in five malicious or suspicious, one in twenty unknown."""
    real = Mailbox.load()
    models = [it for it in real if it.result and it.expect == "ESCALATED"]
    clean = [it for it in real if it.result and it.expect == "NOT_ESCALATED"]
    return Mailbox(
        real.account_id,
        tuple(
            _numbered(models[number % len(models)] if number % 5 < 2 else clean[number % len(clean)], number)
            for number in range(count)
        ),
    )


def _numbered(model: Mail, number: int) -> Mail:
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    postfix_id = f"4h{digits}Bz1Cd"
    detected = not digits.endswith(("7", "Z"))
    return replace(
        model,
        postfix_id=postfix_id,
        investigate_id=f"{postfix_id}-2026-11-20T08:00:00-1234",
        detected=detected,
        script=(),
        result={
            **(model.result or {}),
            "headers": [],
            "links": [],
        },  # the emulator copies the table at each transaction
        expect=model.expect if detected else "NOT_FOUND",
    )


@dataclass
class Chaos:
    """One run."""

    stack: Stack
    mailbox: Mailbox
    schedule: Schedule
    ended: set[str] = field(default_factory=set)
    """Invocations that are over, one way or the other: their leases can be taken to have run out."""
    table_lock: Lock = field(default_factory=Lock)

    def send(self) -> None:
        """Put a request for every mail on the queue, and a few that are none."""
        bodies = [json.dumps({"postfix_id": it.postfix_id}) for it in self.mailbox]
        bodies += ["not an id at all"] * bad_messages(self.mailbox)
        for start in range(0, len(bodies), 10):
            self.stack.sqs.send_message_batch(
                QueueUrl=self.stack.requests_url,
                Entries=[
                    {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[start : start + 10])
                ],
            )

    def work(self, function: Environment) -> None:
        """One environment's part: poll until nothing is left."""
        poller = Poller(self.stack, function, pause=2)

        def emptied() -> bool:
            self._deliver(poller)
            return not poller.waiting()

        eventually(emptied, "the queue is empty", PATIENCE_SECONDS)

    def _deliver(self, poller: Poller) -> None:
        owner, pending = str(uuid.uuid4()), True
        try:
            invocation = poller.poll(owner)
            pending = bool(invocation and invocation.response["batchItemFailures"])
        except FunctionError as exc:
            self.schedule.counts["batches that the function failed"] += "Traceback" in str(exc)
        self.ended.add(owner)
        if pending:
            self.let_leases_run_out()

    def let_leases_run_out(self) -> None:
        """What a minute of waiting does to the claims of invocations that are over."""
        with self.table_lock:
            self._let_leases_run_out()

    def _let_leases_run_out(self) -> None:
        pages = self.stack.dynamodb.get_paginator("scan").paginate(
            TableName=self.stack.table,
            FilterExpression="#state = :pending AND lease_until > :past",
            ProjectionExpression="about, entry, #owner",
            ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
            ExpressionAttributeValues={":pending": {"S": "PENDING"}, ":past": {"S": "2021"}},
        )
        for item in (item for page in pages for item in page["Items"]):
            if item["owner"]["S"] in self.ended:
                self.stack.dynamodb.update_item(
                    TableName=self.stack.table,
                    Key={"about": item["about"], "entry": item["entry"]},
                    UpdateExpression="SET lease_until = :past",
                    ConditionExpression="#owner = :owner AND #state = :pending",
                    ExpressionAttributeNames={"#owner": "owner", "#state": "state"},
                    ExpressionAttributeValues={
                        ":past": {"S": "2020-01-01T00:00:00.000Z"},
                        ":owner": item["owner"],
                        ":pending": {"S": "PENDING"},
                    },
                )


def run(messages: int, seed: int) -> Report:
    """So many messages, in rounds: the emulator copies the whole table at each transaction, so that a table stays small."""
    sizes = [min(ROUND, messages - start) for start in range(0, messages, ROUND)]
    return reduce(
        operator.add, (_told(_round(size, seed * 1_000 + number), number) for number, size in enumerate(sizes))
    )


def _told(report: Report, number: int) -> Report:
    kept = "kept" if report.passed else "BROKEN"
    print(
        f"  round {number + 1}: {report.sent} messages, {report.alerts} alerts, {kept}, {report.seconds:.0f} s",
        flush=True,
    )
    return report


def _round(messages: int, seed: int) -> Report:
    mailbox = mailbox_of(messages)
    schedule = Schedule(seed, rate=0.12, crashes=messages // 20, silences=2, drips=1, blocks=1)
    with ExitStack() as servers:
        endpoint = servers.enter_context(emulated_aws())
        cloudflare = servers.enter_context(StandIn(mailbox, credentials=Credentials(api_token=TOKEN)))
        stack = deploy(
            endpoint,
            {"api_token": TOKEN},
            CloudflareAccountId=mailbox.account_id,
            CloudflareBaseUrl=cloudflare.base_url,
            RecordAll="true",
        )
        chaos = Chaos(stack, mailbox, schedule)
        chaos.send()
        started = time.monotonic()
        workers = []
        for _ in range(ENVIRONMENTS):
            aws = servers.enter_context(Proxy(endpoint, schedule, one_at_a_time=chaos.table_lock))
            api = servers.enter_context(Proxy(cloudflare.base_url, schedule))
            variables = {
                "AWS_ENDPOINT_URL": aws.origin,
                "CLOUDFLARE_BASE_URL": cloudflare.base_url.replace(_origin(cloudflare.base_url), api.origin),
            }
            function = servers.enter_context(
                Environment(stack.template.handler, stack.environment | variables, stack.template.timeout)
            )
            aws.send_signal = api.send_signal = function.send_signal
            workers.append(threading.Thread(target=chaos.work, args=(function,)))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return judge(stack, mailbox, schedule, len(cloudflare.calls), time.monotonic() - started)


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def main() -> int:
    """Run by the arguments; the exit status."""
    parser = argparse.ArgumentParser(description="Kill the function, break all around it, and count what is lost.")
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(f"chaos: {arguments.messages} messages, seed {arguments.seed}", flush=True)
    report = run(arguments.messages, arguments.seed)
    print(tell(report))
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
