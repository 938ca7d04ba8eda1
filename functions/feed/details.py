"""Emails whose alerts went out without message details: queue them again, and the function adds the details."""

from datetime import datetime

from functions.domain.feed_facts import FeedFacts
from functions.feed.queue import Queue, Request
from functions.feed.store import Store

LIMIT = 10
"""Emails in a run: each costs the function two requests to Cloudflare."""
LOOP = "details"


def ask_for_details(store: Store, queue: Queue, now: datetime) -> int:
    """Queue what is due, then note the next try. Returns how many were queued. Raises LedgerUnavailable.

    A run that dies in between queues them again, which changes nothing about a record that has its details.
    """
    due = store.due_details(now, LIMIT)
    following = {it: None if it.done else it.next(now) for it in due}
    asked = [it for it in due if not it.done]
    requests = [Request(it.id, FeedFacts(LOOP, now, details_of=(following[it] or it).key["sk"])) for it in asked]
    refused = {it for it, done in zip(asked, queue.send(requests) if asked else (), strict=True) if not done}
    if due:
        store.replace_details({it: after for it, after in following.items() if it not in refused})
    return len(asked) - len(refused)
