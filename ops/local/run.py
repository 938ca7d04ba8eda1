"""`make run`: everything in events/ and the whole mailbox through the real function, shown and checked.

Ends with status 1 if a single outcome, alert, record or rejection is not as it had to be.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.interrupt import interruptible
from ops.local.consignment import Consignment, consignments
from ops.local.inbox import receive
from ops.local.inquiry import inquire
from ops.local.mailbox import Mailbox
from ops.local.poller import Poller
from ops.local.proof import Travel, Yield, problems, read_dead_letters, read_records
from ops.local.runtime import Environment
from ops.local.show import show, show_answer
from ops.local.stack import Stack, local_stack

PATIENCE_SECONDS = 60.0
_AGAIN = frozenset({"RETRY", "DEFERRED"})


def main() -> int:
    """Run it all; the exit status."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    sent = consignments(Mailbox.load())
    with local_stack("127.0.0.1") as (stack, cloudflare):
        started = time.monotonic()
        result = Yield(_travel(stack, sent, console), receive(stack), read_records(stack), read_dead_letters(stack))
        seconds = time.monotonic() - started
        answers = inquire(stack, _first(sent), console)
    show(result, console)
    for answer in answers:
        show_answer(answer, console)
    wrong = [*problems(result), *(problem for answer in answers for problem in answer.problems)]
    for problem in wrong:
        console.print(f"✗ {problem}", style="bold red", markup=False)
    console.print(
        f"{len(sent)} messages in {seconds:.1f} s with {len(cloudflare.calls)} questions to Cloudflare: "
        f"{len(result.alerts)} alerts, {len(result.records)} records, {len(result.dead_letters)} rejections; "
        + (f"{len(wrong)} not as expected" if wrong else "all as expected"),
        style="bold red" if wrong else "bold green",
    )
    return 1 if wrong else 0


def _first(sent: Sequence[Consignment]) -> str:
    """The id of the first mail that is alerted on."""
    return next(it.mail.postfix_id for it in sent if it.mail and it.outcome == "ESCALATED")


def _travel(stack: Stack, sent: Sequence[Consignment], console: Console) -> list[Travel]:
    """Send everything, poll until nothing is left, and tell each message's outcomes."""
    by_message: dict[str, int] = {}
    for number, consignment in enumerate(sent):
        message = stack.sqs.send_message(QueueUrl=stack.requests_url, MessageBody=consignment.body)
        by_message[message["MessageId"]] = number
    by_mail = {mail_id: number for number, it in enumerate(sent) if it.mail for mail_id in it.mail.ids}
    outcomes: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Environment(stack.template.handler, stack.environment, stack.template.timeout) as function,
        Progress(*columns, console=console, transient=True) as progress,
    ):
        task = progress.add_task("Messages through the function", total=len(sent))
        poller, patience = Poller(stack, function, pause=0), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < patience and poller.waiting():
            invocation = poller.poll()
            for outcome in invocation.outcomes if invocation else ():
                # A deferred message comes back as another one: it is known by the mail that it names.
                known = by_message.get(outcome["sqs_message_id"])
                outcomes[by_mail[outcome["id"]] if known is None else known].append(outcome)
            progress.update(task, completed=sum(it[-1]["outcome"] not in _AGAIN for it in outcomes.values()))
            if invocation is None:
                time.sleep(0.1)
    return [Travel(consignment, tuple(outcomes[number])) for number, consignment in enumerate(sent)]


if __name__ == "__main__":
    sys.exit(interruptible(main))
