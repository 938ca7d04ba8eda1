"""`make local`: the local stack, kept up until interrupted, with the function behind its queue.

Listens on loopback, or on Docker's bridge where there is one, so that a container (`sam local invoke`) can reach it
too. Several run beside each other: each has its own ports, and a folder that is named by one of them.
"""

import argparse
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from threading import Event

from rich.console import Console

from ops.local.container import reachable_host
from ops.local.folder import Folder, folder_of
from ops.local.guide import guide
from ops.local.inbox import receive
from ops.local.mailbox import MAILBOX, Mailbox
from ops.local.poller import Poller
from ops.local.runtime import Environment, FunctionError
from ops.local.stack import Stack, local_stack

_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_PAUSE_SECONDS = 0.3
"""Between two looks at the queues: short for a person, and long enough to leave the processor idle."""


def main() -> int:
    """Serve until interrupted; the exit status."""
    parser = argparse.ArgumentParser(prog="make local", description="Keep the local stack up until Ctrl-C.")
    parser.add_argument("--no-poll", action="store_true", help="leave messages on the queue, for `sam local invoke`")
    polls = not parser.parse_args().no_poll
    console = Console(highlight=False, markup=False, soft_wrap=True)
    # Blocked in every thread and in the function's process, too: only the last lines wait for these signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        mailbox = Mailbox.load().recent(datetime.now(UTC))
    except (KeyError, TypeError, ValueError) as exc:
        console.print(f"Cannot read {MAILBOX}: {exc!r}. Compare its newest entry with the others.")
        return 1
    host, stopped = reachable_host(), Event()
    with (
        local_stack(host, mailbox) as (stack, cloudflare),
        folder_of(stack, host) as folder,
        Environment(stack.template.handler, stack.environment, stack.template.timeout) as function,
        ThreadPoolExecutor(1) as pool,
    ):
        console.print(guide(stack, cloudflare, mailbox, folder.path, host, polls=polls))
        work = pool.submit(_watch, stack, folder, function if polls else None, console, stopped)
        work.add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))  # a failure ends the waiting, too
        signal.sigwait(_ENDING)
        stopped.set()
        while not wait([work], timeout=0.1).done:
            function.send_signal(signal.SIGKILL)  # an invocation may take a minute
        work.result()
    console.print(f"Ended; {folder.path} is removed.")
    return 0


def _watch(stack: Stack, folder: Folder, function: Environment | None, console: Console, stopped: Event) -> None:
    """Deliver what is sent, where there is a function to deliver to, and keep each alert; tell of both."""
    while not stopped.wait(_PAUSE_SECONDS):
        if function is not None:
            _deliver(Poller(stack, function), console, stopped)
        for alert in receive(stack):
            console.print(f"  {'alert':15}cat {folder.keep(alert)}")


def _deliver(poller: Poller, console: Console, stopped: Event) -> None:
    try:
        invocation = poller.poll()
    except FunctionError as exc:
        if not stopped.is_set():
            console.print(f"The function failed; SQS delivers its messages again later.\n{exc}")
        return
    for it in invocation.outcomes if invocation else ():
        mail = it.get("id") or f"message {it['sqs_message_id']}"
        console.print(f"  {it['outcome']:15}{mail}  {it.get('disposition', '')}  {it['reason']}")


if __name__ == "__main__":
    sys.exit(main())
