"""The folder of one `make local`, named after its port: files for other shells, and the received alerts.

environment   shell variables: the stack's endpoint and the function's environment
sam.json      the function's environment in a container, for `sam local invoke --env-vars`
events/       the files of `events/`, with current timestamps
alerts/       each alert as an email subscriber gets it (.txt), and as other subscribers get it (.json)

The folder is removed when the stack stops.
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

from ops.local.container import FUNCTION, container_variables
from ops.local.scenarios import EVENTS
from ops.local.stack import Stack
from ops.local.subscriber import ReceivedAlert

ROOT = Path(__file__).parents[2]
_SQS_TIMES = ("SentTimestamp", "ApproximateFirstReceiveTimestamp")


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder's path in the repository, and the numbers of the next alerts."""

    path: Path
    _numbers: Iterator[int]

    def save_alert(self, alert: ReceivedAlert) -> Path:
        """Write an alert's files and return the path of its text."""
        email_id = alert.facts["evidences"][0]["uid"]
        text = self.path / "alerts" / f"{next(self._numbers)}-{email_id}.txt"
        (ROOT / text).write_text(f"Subject: {alert.subject}\n\n{alert.email}", "utf-8")
        facts = json.dumps(alert.facts, indent=2, ensure_ascii=False)
        (ROOT / text).with_suffix(".json").write_text(facts, "utf-8")
        return text


@contextmanager
def local_folder(stack: Stack, host: str) -> Iterator[Folder]:
    """Create the folder, and remove it when the block ends."""
    path = Path(".local", str(urlsplit(stack.aws["AWS_ENDPOINT_URL"]).port))
    shutil.rmtree(ROOT / path, ignore_errors=True)  # left by a killed run that had the same port
    try:
        for name in ("alerts", "events"):
            (ROOT / path / name).mkdir(parents=True)
        # A profile or session token of the user's own account would override the stack's credentials.
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in stack.environment.items())
        (ROOT / path / "environment").write_text(f"unset AWS_PROFILE AWS_SESSION_TOKEN\n{exports}", "utf-8")
        container = {FUNCTION: container_variables(stack, host)}
        (ROOT / path / "sam.json").write_text(json.dumps(container, indent=2), "utf-8")
        for event in EVENTS.glob("*.json"):
            recent = with_recent_timestamps(json.loads(event.read_text("utf-8")), datetime.now(UTC))
            (ROOT / path / "events" / event.name).write_text(json.dumps(recent, indent=2, ensure_ascii=False), "utf-8")
        yield Folder(path, count(1))
    finally:
        shutil.rmtree(ROOT / path)


def with_recent_timestamps(event: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Shift the event's SQS timestamps so that the newest one is now.

    With the dates of the repository, a record would show a request that waited for months.
    """
    attributes = [record["attributes"] for record in event["Records"]]
    newest = max(int(it[name]) for it in attributes for name in _SQS_TIMES if name in it)
    offset = int(now.timestamp() * 1000) - newest
    shifted = [it | {name: str(int(it[name]) + offset) for name in _SQS_TIMES if name in it} for it in attributes]
    records = [record | {"attributes": new} for record, new in zip(event["Records"], shifted, strict=True)]
    return event | {"Records": records}
