"""The batches for all subjects, and the emails in them.

The id determines Cloudflare's response, so that the server needs no list: the second character is M for malicious and C
for clean, the third is S for a small detection and L for a large one. Each id is used once, so no email is a duplicate.
"""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ops.local.fake_cloudflare.mailbox import Mailbox

BATCH = 10
ACCOUNT_ID = "7d1f0c2ab84e4e6f9a35c8d2e6b10f47"
_MODEL = "4gqG4S0j1szdhlC"
"""The email of the mailbox whose detection the server returns: a spreadsheet with a macro, 1.9 KB."""
_LINKS, _HEADERS = 4_000, 200
"""4,000 links of 250 bytes and 200 headers of 1 KB make a detection of 1.2 MB, the size of the largest real ones."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of batch. escalated: the number of malicious emails. large: detections have 1.2 MB instead of 2 KB."""

    escalated: int
    large: bool = False

    @property
    def label(self) -> str:
        """The name in the tables and in JSON."""
        return f"{self.escalated * 100 // BATCH} % escalated, {'1.2 MB' if self.large else '2 KB'}"


SMALL = tuple(Scenario(escalated) for escalated in (10, 2, 0))
LARGE = tuple(Scenario(escalated, large=True) for escalated in (10, 2, 0))


def events(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """Yield SQS events of a scenario without end. Each has new ids."""
    kind = "L" if scenario.large else "S"
    while True:
        yield {
            "Records": [
                _record(f"4{'M' if place < scenario.escalated else 'C'}{kind}{next(_numbers):012d}")
                for place in range(BATCH)
            ]
        }


_numbers = itertools.count()


def _record(postfix_id: str) -> dict[str, Any]:
    return {
        "messageId": f"message-{postfix_id}",
        "receiptHandle": f"receipt-{postfix_id}",
        "body": json.dumps({"investigate_id": f"{postfix_id}-2026-11-20T08:15:00-10203040"}),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time.time() * 1000))},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:requests",
        "awsRegion": "us-east-1",
    }


@dataclass(frozen=True, slots=True)
class Mails:
    """Bodies of Cloudflare's responses: detections by the two letters of an id, and message details."""

    detections: dict[str, bytes]
    details: bytes

    @classmethod
    def make(cls) -> "Mails":
        """Make the bodies from an email of the fake Cloudflare's mailbox."""
        model = Mailbox.load().find(_MODEL)
        if model is None or model.result is None or model.mail is None:
            raise AssertionError(f"{_MODEL} needs a detection and message details. Correct mailbox.json.")
        large = {
            "links": [{"href": f"https://files.example.com/{i:06d}/{'a' * 190}", "text": None} for i in range(_LINKS)],
            "headers": [{"name": f"X-Header-{i}", "value": "h" * 980} for i in range(_HEADERS)],
        }
        return cls(
            detections={
                f"{letter}{size}": _success({**model.result, **members, "final_disposition": disposition})
                for letter, disposition in (("M", "MALICIOUS"), ("C", "SPAM"))
                for size, members in (("S", {}), ("L", large))
            },
            details=_success(model.mail),
        )


def _success(result: Any) -> bytes:
    return json.dumps({"success": True, "errors": [], "messages": [], "result": result}).encode()
