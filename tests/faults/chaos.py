"""`make chaos`: send many messages through the real handler, with injected faults and killed processes.

    python -m tests.faults.chaos [--messages N] [--seed S]

Two environments poll one queue, as in Lambda. A proxy injects faults between them and the servers. The seed determines
the faults and the points at which a process is killed. Time is scaled: Cloudflare's block lasts 3 s instead of 300 s,
and redeliveries come after 2 s. A lease expires at once when the invocation of its owner has ended.

At the end, the ledger, the subscriber's queue and the dead-letter queue are compared with the sent messages.
"""

import argparse
import json
import operator
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import reduce

from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.lambda_runtime import Environment, FunctionError
from ops.local.poller import Poller
from ops.local.stack import TOKEN, Stack, deploy, emulated_aws
from tests.clock import eventually
from tests.faults.proxy import Proxy
from tests.faults.report import Report, compare, format_report, invalid_messages
from tests.faults.schedule import Schedule

ENVIRONMENTS = 2
SERVICES = ("DYNAMODB", "SECRETS_MANAGER", "SNS", "SQS")
"""The services of AWS that the function calls, as in AWS_ENDPOINT_URL_SQS."""
ROUND = 250
"""Messages in one round, which has its own table: the emulator's queries read the whole table."""
TIMEOUT_SECONDS = 900.0
_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYZ"


def mailbox_of(count: int) -> Mailbox:
    """Make emails from those of the real mailbox: two in five malicious or suspicious, some without a detection."""
    real = Mailbox.load()
    escalated = [mail for mail in real if mail.result and mail.expect == "ESCALATED"]
    clean = [mail for mail in real if mail.result and mail.expect == "NOT_ESCALATED"]
    return Mailbox(
        real.account_id,
        tuple(
            _numbered(escalated[number % len(escalated)] if number % 5 < 2 else clean[number % len(clean)], number)
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
        expect=model.expect if detected else "NOT_FOUND",
    )


@dataclass
class Chaos:
    """One round: its stack, its emails and its faults."""

    stack: Stack
    mailbox: Mailbox
    schedule: Schedule
    ended: set[str] = field(default_factory=set)
    """Owners whose invocation has ended, so that their leases may expire."""

    def send(self) -> None:
        """Put a request for each email on the queue, and some invalid messages."""
        bodies = [json.dumps({"postfix_id": mail.postfix_id}) for mail in self.mailbox]
        bodies += ["not an id at all"] * invalid_messages(self.mailbox)
        for start in range(0, len(bodies), 10):
            self.stack.sqs.send_message_batch(
                QueueUrl=self.stack.requests_url,
                Entries=[
                    {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[start : start + 10])
                ],
            )

    def work(self, function: Environment) -> None:
        """Poll with one environment until the queue is empty."""
        poller = Poller(self.stack, function, pause=2)

        def emptied() -> bool:
            self._deliver(poller)
            return not poller.waiting()

        eventually(emptied, "the queue is empty", TIMEOUT_SECONDS)

    def _deliver(self, poller: Poller) -> None:
        owner, pending = str(uuid.uuid4()), True
        try:
            invocation = poller.poll(owner)
            pending = bool(invocation and invocation.response["batchItemFailures"])
        except FunctionError as exc:
            self.schedule.counts["batches with an exception of the function"] += "Traceback" in str(exc)
        self.ended.add(owner)
        if pending:
            self.expire_leases()

    def expire_leases(self) -> None:
        """Expire the leases of ended invocations, as a minute of waiting does."""
        pages = self.stack.dynamodb.get_paginator("scan").paginate(
            TableName=self.stack.table,
            FilterExpression="#state = :pending AND lease_until > :past",
            ProjectionExpression="pk, sk, #owner",
            ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
            ExpressionAttributeValues={":pending": {"S": "PENDING"}, ":past": {"S": "2021"}},
        )
        for item in (item for page in pages for item in page["Items"]):
            if item["owner"]["S"] not in self.ended:
                continue
            # The other environment may have marked the record since, or taken it over.
            with suppress(self.stack.dynamodb.exceptions.ConditionalCheckFailedException):
                self.stack.dynamodb.update_item(
                    TableName=self.stack.table,
                    Key={"pk": item["pk"], "sk": item["sk"]},
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
    """Send messages in rounds."""
    sizes = [min(ROUND, messages - start) for start in range(0, messages, ROUND)]
    return reduce(
        operator.add, (_printed(_round(size, seed * 1_000 + number), number) for number, size in enumerate(sizes))
    )


def _printed(report: Report, number: int) -> Report:
    verdict = "passed" if report.passed else "FAILED"
    print(
        f"  round {number + 1}: {report.sent} messages, {report.alerts} alerts, {verdict}, {report.seconds:.0f} s",
        flush=True,
    )
    return report


def _round(messages: int, seed: int) -> Report:
    mailbox = mailbox_of(messages)
    schedule = Schedule(seed, rate=0.12, crashes=messages // 20, silences=2, drips=1, blocks=1)
    with ExitStack() as servers:
        endpoint = servers.enter_context(emulated_aws())
        cloudflare = servers.enter_context(FakeCloudflare(mailbox, credentials=Credentials(api_token=TOKEN)))
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
        functions = []
        for _ in range(ENVIRONMENTS):
            aws = servers.enter_context(Proxy(endpoint, schedule))
            api = servers.enter_context(Proxy(cloudflare.base_url, schedule))
            # Without AWS_ENDPOINT_URL, the function has its timeouts for AWS. A missing response runs into them.
            variables = {
                "AWS_ENDPOINT_URL": "",
                **{f"AWS_ENDPOINT_URL_{service}": aws.origin for service in SERVICES},
                "CLOUDFLARE_BASE_URL": cloudflare.base_url.replace(_origin(cloudflare.base_url), api.origin),
            }
            function = servers.enter_context(
                Environment(stack.template.handler, stack.environment | variables, stack.template.timeout)
            )
            aws.send_signal = api.send_signal = function.send_signal
            functions.append(function)
        with ThreadPoolExecutor(ENVIRONMENTS) as workers:
            list(workers.map(chaos.work, functions))
        return compare(stack, mailbox, schedule, len(cloudflare.calls), time.monotonic() - started)


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def main() -> int:
    """Run with the command line's arguments, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make chaos", description="Inject faults and crashes, and count lost and repeated alerts."
    )
    parser.add_argument("--messages", type=int, default=2_000, help="messages to send (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the faults (default: %(default)s)")
    arguments = parser.parse_args()
    print(f"chaos: {arguments.messages} messages, seed {arguments.seed}", flush=True)
    report = run(arguments.messages, arguments.seed)
    print(format_report(report))
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
