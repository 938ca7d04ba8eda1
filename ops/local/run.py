"""`make run`: send all of events/ and the mailbox through the function, and check the results.

One email of the mailbox is not sent. The feed finds it in the search of the fake Cloudflare.
Exits with status 1 if an outcome, alert, record or rejected message is not as expected.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.interrupt import interruptible
from ops.local.cli_checks import check_commands
from ops.local.fake_cloudflare.mailbox import Mailbox
from ops.local.lambda_runtime import Environment
from ops.local.poller import Poller
from ops.local.render import show, show_command
from ops.local.scenarios import FEED, Scenario, scenarios
from ops.local.stack import Stack, local_stack
from ops.local.subscriber import receive
from ops.local.verify import MessageTrace, RunResult, problems, read_dead_letters, read_records

TIMEOUT_SECONDS = 60.0
_NOT_FINAL = frozenset({"RETRY", "DEFERRED"})


def main() -> int:
    """Send all messages, print and check the results, and return the exit status."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    sent, now = scenarios(Mailbox.load()), datetime.now(UTC)
    # The feed begins an hour back. The emails that are sent are older, so that it lists the others only.
    mailbox = Mailbox.load().recent(now - timedelta(hours=2), arrival=now - timedelta(minutes=1))
    with local_stack("127.0.0.1", mailbox) as (stack, cloudflare):
        started = time.monotonic()
        traces = _send_and_poll(stack, sent, console)
        result = RunResult(traces, receive(stack), read_records(stack), read_dead_letters(stack))
        seconds = time.monotonic() - started
        commands = check_commands(stack, _first_escalated(sent), console)
    show(result, console)
    for command in commands:
        show_command(command, console)
    found = [*problems(result), *(problem for command in commands for problem in command.problems)]
    for problem in found:
        console.print(f"✗ {problem}", style="bold red", markup=False)
    console.print(
        f"{len(sent)} messages in {seconds:.1f} s with {len(cloudflare.calls)} requests to Cloudflare: "
        f"{len(result.alerts)} alerts, {len(result.records)} records, {len(result.dead_letters)} rejections; "
        + (f"{len(found)} not as expected" if found else "all as expected"),
        style="bold red" if found else "bold green",
    )
    return 1 if found else 0


def _first_escalated(sent: Sequence[Scenario]) -> str:
    return next(it.mail.postfix_id for it in sent if it.mail and it.outcome == "ESCALATED")


def _send_and_poll(stack: Stack, sent: Sequence[Scenario], console: Console) -> list[MessageTrace]:
    """Send all messages, run the feed, poll until the queue is empty, and return each message's outcomes."""
    number_of_message: dict[str, int] = {}
    with Environment(stack.template.feed_handler, stack.environment, stack.template.timeout) as feed:
        feed.invoke({})
    for number, scenario in enumerate(sent):
        if scenario.source == FEED:
            continue
        message = stack.sqs.send_message(QueueUrl=stack.requests_url, MessageBody=scenario.body)
        number_of_message[message["MessageId"]] = number
    number_of_email = {email_id: number for number, it in enumerate(sent) if it.mail for email_id in it.mail.ids}
    outcomes: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Environment(stack.template.handler, stack.environment, stack.template.timeout) as function,
        Progress(*columns, console=console, transient=True) as progress,
    ):
        task = progress.add_task("Messages through the function", total=len(sent))
        poller, deadline = Poller(stack, function, pause=0), time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline and poller.waiting():
            invocation = poller.poll()
            for outcome in invocation.outcomes if invocation else ():
                # The function requeues a deferred message under a new message id, so the email's id identifies it.
                number = number_of_message.get(outcome["sqs_message_id"], -1)
                outcomes[number_of_email[outcome["id"]] if number < 0 else number].append(outcome)
            progress.update(task, completed=sum(it[-1]["outcome"] not in _NOT_FINAL for it in outcomes.values()))
            if invocation is None:
                time.sleep(0.1)
    return [MessageTrace(scenario, tuple(outcomes[number])) for number, scenario in enumerate(sent)]


if __name__ == "__main__":
    sys.exit(interruptible(main))
