"""`make local`: keep the local stack up until Ctrl-C, with the function polling its queue and the feed on its schedule.

It listens on Docker's bridge if there is one, so that a container (`sam local invoke`) can reach it, else on loopback.
Several can run at the same time: each has its own ports, and a folder named after one of them.
"""

import argparse
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from threading import Event

from rich.console import Console

from functions.escalate.app import SUMMARIZE
from ops.local.container import reachable_host
from ops.local.fake_cloudflare.mailbox import MAILBOX, Mailbox
from ops.local.folder import Folder, local_folder
from ops.local.guide import guide
from ops.local.lambda_runtime import Environment, FunctionError
from ops.local.poller import Poller
from ops.local.stack import Stack, local_stack
from ops.local.subscriber import receive

_STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_POLL_SECONDS = 0.3
"""Pause between two polls: short for a person, and long enough to keep the processor idle."""
FEED_SECONDS = 10.0
"""Between two runs of the feed. On AWS it is a minute."""
ARRIVAL = timedelta(seconds=15)
"""After the start, an email arrives. Nothing sends its id."""


def main() -> int:
    """Serve until interrupted, and return the exit status."""
    parser = argparse.ArgumentParser(prog="make local", description="Keep the local stack up until Ctrl-C.")
    parser.add_argument("--no-poll", action="store_true", help="Leave messages on the queue, for `sam local invoke`.")
    polls = not parser.parse_args().no_poll
    console = Console(highlight=False, markup=False, soft_wrap=True)
    # Threads and the function's process inherit the blocked signals, so that only `sigwait` below receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        now = datetime.now(UTC)
        # The feed begins an hour back. The other emails are older, so that they wait for their ids to be sent.
        mailbox = Mailbox.load().recent(now - timedelta(hours=2), arrival=now + ARRIVAL)
    except (KeyError, TypeError, ValueError) as exc:
        console.print(f"Cannot read {MAILBOX}: {exc!r}. Compare the newest entry with the others, and correct it.")
        return 1
    host, stopped = reachable_host(), Event()
    with (
        local_stack(host, mailbox) as (stack, cloudflare),
        local_folder(stack, host) as folder,
        Environment(
            stack.template.handler, stack.environment, stack.template.timeout, stack.log_writer("EscalateLogGroup")
        ) as function,
        Environment(
            stack.template.feed_handler, stack.environment, stack.template.timeout, stack.log_writer("FeedLogGroup")
        ) as feed,
        ThreadPoolExecutor(1) as pool,
    ):
        console.print(guide(stack, cloudflare, mailbox, folder.path, host, polls=polls))
        functions = (function, feed) if polls else None
        watch = pool.submit(_watch, stack, folder, functions, console, stopped)
        watch.add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))  # a failure also ends `sigwait`
        signal.sigwait(_STOP_SIGNALS)
        stopped.set()
        while not wait([watch], timeout=0.1).done:
            for it in (function, feed):
                it.send_signal(signal.SIGKILL)  # an invocation can take a minute
        watch.result()
    console.print(f"Stopped. {folder.path} is removed.")
    return 0


def _watch(
    stack: Stack, folder: Folder, functions: tuple[Environment, Environment] | None, console: Console, stopped: Event
) -> None:
    """Run the feed and deliver messages to the function, if any, and save alerts. Print a line for each event."""
    next_run = time.monotonic()
    while not stopped.wait(_POLL_SECONDS):
        if functions is not None:
            function, feed = functions
            if time.monotonic() >= next_run:
                next_run = time.monotonic() + FEED_SECONDS
                _run_feed(feed, console, stopped)
                _publish_summaries(function, console, stopped)
            _deliver(Poller(stack, function), console, stopped)
        for alert in receive(stack):
            console.print(f"  {'alert':15}cat {folder.save_alert(alert)}")


def _run_feed(feed: Environment, console: Console, stopped: Event) -> None:
    try:
        run = feed.invoke({}).response
    except FunctionError as exc:
        if not stopped.is_set():
            console.print(f"The feed failed. Its next run continues.\n{exc}")
        return
    if run["queued"] or run["result"] != "done":
        console.print(f"  {'feed':15}{run['result']}, {run['queued']} queued")


def _publish_summaries(function: Environment, console: Console, stopped: Event) -> None:
    try:
        run = function.invoke({"action": SUMMARIZE}).response
    except FunctionError as exc:
        if not stopped.is_set():
            console.print(f"The summaries failed. The next run continues.\n{exc}")
        return
    if run.get("published") or run.get("failure"):
        console.print(f"  {'summaries':15}{run.get('published', 0)} published {run.get('failure', '')}")


def _deliver(poller: Poller, console: Console, stopped: Event) -> None:
    try:
        invocation = poller.poll()
    except FunctionError as exc:
        if not stopped.is_set():
            console.print(f"The function failed. SQS delivers its messages again after the visibility timeout.\n{exc}")
        return
    for outcome in invocation.outcomes if invocation else ():
        name = outcome.get("id") or f"message {outcome['sqs_message_id']}"
        console.print(f"  {outcome['outcome']:15}{name}  {outcome.get('disposition', '')}  {outcome['reason']}")


if __name__ == "__main__":
    sys.exit(main())
