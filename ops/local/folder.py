"""The folder of one `make local`, named by its port: what another shell reads, and each alert as it was received.

environment   variables for a shell: where the stack is, and the function's own
sam.json      the function's environment in a container, for `sam local invoke --env-vars`
events/       the files of `events/`, as if their messages had just been sent
alerts/       each alert as a mailbox gets it (.txt), and as every other subscriber does (.json)

The folder is removed when the stack ends.
"""

import json
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ops.local.consignment import EVENTS
from ops.local.container import FUNCTION, container_variables
from ops.local.inbox import ReceivedAlert
from ops.local.stack import Stack

ROOT = Path(__file__).parents[2]
_SQS_TIMES = ("SentTimestamp", "ApproximateFirstReceiveTimestamp")


@dataclass(frozen=True, slots=True)
class Folder:
    """Where it is, as seen from the repository, and the numbers of the alerts to come."""

    path: Path
    _numbers: Iterator[int]

    def keep(self, alert: ReceivedAlert) -> Path:
        """Write an alert's files; the path of its text."""
        mail = alert.facts["metadata"]["correlation_uid"]
        text = self.path / "alerts" / f"{next(self._numbers)}-{mail}.txt"
        (ROOT / text).write_text(f"Subject: {alert.subject}\n\n{alert.email}", "utf-8")
        facts = json.dumps(alert.facts, indent=2, ensure_ascii=False)
        (ROOT / text).with_suffix(".json").write_text(facts, "utf-8")
        return text


@contextmanager
def folder_of(stack: Stack, host: str) -> Iterator[Folder]:
    """The folder, for as long as the block lasts."""
    path = Path(".local", str(urlsplit(stack.aws["AWS_ENDPOINT_URL"]).port))
    shutil.rmtree(ROOT / path, ignore_errors=True)  # of a run that was killed: the port is this one's now
    try:
        for name in ("alerts", "events"):
            (ROOT / path / name).mkdir(parents=True)
        # A profile or a session of the person's own account has no place beside the stack's credentials.
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in stack.environment.items())
        (ROOT / path / "environment").write_text(f"unset AWS_PROFILE AWS_SESSION_TOKEN\n{exports}", "utf-8")
        container = {FUNCTION: container_variables(stack, host)}
        (ROOT / path / "sam.json").write_text(json.dumps(container, indent=2), "utf-8")
        for event in EVENTS.glob("*.json"):
            sent = just_sent(json.loads(event.read_text("utf-8")), datetime.now(UTC))
            (ROOT / path / "events" / event.name).write_text(json.dumps(sent, indent=2, ensure_ascii=False), "utf-8")
        yield Folder(path, count(1))
    finally:
        shutil.rmtree(ROOT / path)


def just_sent(event: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The event with SQS's timestamps moved, so that its newest one is now.

    With the dates in the repository a record would say that its request had been waiting for months.
    """
    attributes = [record["attributes"] for record in event["Records"]]
    newest = max(int(it[name]) for it in attributes for name in _SQS_TIMES if name in it)
    by = int(now.timestamp() * 1000) - newest
    moved = [it | {name: str(int(it[name]) + by) for name in _SQS_TIMES if name in it} for it in attributes]
    records = [record | {"attributes": new} for record, new in zip(event["Records"], moved, strict=True)]
    return event | {"Records": records}
