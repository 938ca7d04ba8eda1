"""The random faults of a chaos run, from a seed, so that a failed run can be repeated."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.answers import CLOUDFLARE_FAILS, aws_error, blocked, broken, throttled
from tests.faults.proxy import NONE, Call, Fault

BLOCK_SECONDS = 3
"""Cloudflare blocks for 300 s. Here its `retry-after` is a hundredth of that, and so is the function's wait."""
CLOUDFLARE = frozenset({"detections", "details"})
"""Cloudflare's actions; all others are AWS's."""


@dataclass
class Schedule:
    """The faults for the calls of all environments of one run.

    rate: the fraction of calls that get a fault. crashes, silences, drips, blocks: the maximum count of each, because
    each takes real time.
    """

    seed: int
    rate: float
    crashes: int
    silences: int
    drips: int
    blocks: int
    counts: Counter[str] = field(default_factory=Counter)
    unmarked: list[bytes] = field(default_factory=list)
    """The bodies of calls after which alerts are published but not marked as sent. Each explains one repeated alert.

    These are publishes without a response to the function, and marks before which the function was killed.
    """

    def __post_init__(self) -> None:
        """Set up the random numbers."""
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._blocked_until = 0.0

    def __call__(self, call: Call) -> Fault:
        """Return the fault for a call."""
        with self._lock:
            name, fault = self._draw(call)
            if name:
                self.counts[name] += 1
            # The other topic may have taken the alert when the function is killed before this call.
            published = call.action.startswith("PublishBatch") and (fault.unanswered or fault.kill_before)
            marks, notes = b":_sns_message_id" in call.body, b":_receipts" in call.body
            unnoted = notes and not marks and fault != NONE
            if published or unnoted or (fault.kill_before and marks):
                self.unmarked.append(call.body)
            return fault

    def _draw(self, call: Call) -> tuple[str, Fault]:
        block_remaining = self._blocked_until - time.monotonic()
        if call.action in CLOUDFLARE and block_remaining > 0:
            return "calls during a block", blocked(max(1, round(block_remaining)))
        if self._random.random() >= self.rate:
            return "", NONE
        if call.action == "GetSecretValue":
            # Without its secret, an environment defers requests for half a minute of real time. One fault is enough.
            first = self.counts["secret unavailable"] == 0
            return ("secret unavailable", Fault(lose_request=True)) if first else ("", NONE)
        if self.counts["crashes"] < self.crashes and self._random.random() < 0.25:
            return "crashes", self._random.choice([Fault(kill_before=True), Fault(kill_after=True)])
        return self._cloudflare() if call.action in CLOUDFLARE else self._aws(call.action)

    def _cloudflare(self) -> tuple[str, Fault]:
        if self.counts["blocks"] < self.blocks and self._random.random() < 0.1:
            self._blocked_until = time.monotonic() + BLOCK_SECONDS
            return "blocks", blocked(BLOCK_SECONDS)
        if self.counts["slow responses, byte by byte"] < self.drips and self._random.random() < 0.05:
            return "slow responses, byte by byte", Fault(drip=True)
        return "failures of Cloudflare", self._random.choice(CLOUDFLARE_FAILS)

    def _aws(self, action: str) -> tuple[str, Fault]:
        if self.counts["missing responses"] < self.silences and self._random.random() < 0.2:
            return "missing responses", Fault(silent=True)
        kinds = {
            "throttling by AWS": throttled(action),
            "failures of AWS": broken(action),
            "lost requests": Fault(lose_request=True),
            "lost responses": Fault(lose_answer=True),
            "access denied by AWS": aws_error(action, 400, "AccessDenied"),
        }
        name = self._random.choice(list(kinds))
        return name, kinds[name]
