"""The batches that every subject is given, and the mails in them.

An id says itself what Cloudflare answers, so that the server needs no list: its second character is M for malicious and C
for clean, its third S for a small detection and L for a large one. No id comes twice, so that nothing was done before.
"""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ops.local.mailbox import Mailbox

BATCH = 10
ACCOUNT_ID = "7d1f0c2ab84e4e6f9a35c8d2e6b10f47"
_MODEL = "4gqG4S0j1szdhlC"
"""The mail whose detection is answered: a spreadsheet with a macro, 1.9 KB."""
_LINKS, _HEADERS = 4_000, 200
"""With as many links of 250 bytes and headers of 1 KB a detection has 1.2 MB, as large as real ones were seen to be."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """escalated: how many of a batch are malicious. large: whether detections have 1.2 MB instead of 2 KB."""

    escalated: int
    large: bool = False

    @property
    def label(self) -> str:
        """For a person, and as the name in JSON."""
        return f"{self.escalated * 100 // BATCH} % escalated, {'1.2 MB' if self.large else '2 KB'}"


SMALL = tuple(Scenario(escalated) for escalated in (10, 2, 0))
LARGE = tuple(Scenario(escalated, large=True) for escalated in (10, 2, 0))


def events(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """SQS events of a scenario without end, of ids that no other event has."""
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
    """Bodies of Cloudflare's answers, as bytes that are ready to be sent: by the two letters of an id, and the context."""

    detections: dict[str, bytes]
    context: bytes

    @classmethod
    def make(cls) -> "Mails":
        """From a mail of the stand-in Cloudflare's mailbox."""
        model = Mailbox.load().find(_MODEL)
        if model is None or model.result is None or model.mail is None:
            raise AssertionError("the model has both, a detection and a context")
        large = {
            "links": [{"href": f"https://files.example.com/{i:06d}/{'a' * 190}", "text": None} for i in range(_LINKS)],
            "headers": [{"name": f"X-Header-{i}", "value": "h" * 980} for i in range(_HEADERS)],
        }
        return cls(
            detections={
                f"{letter}{size}": _envelope({**model.result, **grown, "final_disposition": disposition})
                for letter, disposition in (("M", "MALICIOUS"), ("C", "SPAM"))
                for size, grown in (("S", {}), ("L", large))
            },
            context=_envelope(model.mail),
        )


def _envelope(result: Any) -> bytes:
    return json.dumps({"success": True, "errors": [], "messages": [], "result": result}).encode()
