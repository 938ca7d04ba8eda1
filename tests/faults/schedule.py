"""Which call meets which fault: drawn from a seed, so that a run that failed can be had again."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.answers import CLOUDFLARE_FAILS, aws_error, blocked, broken, throttled
from tests.faults.proxy import NONE, Call, Fault

BLOCK_SECONDS = 3
"""Cloudflare blocks for 300 s; here time is scaled by a hundred, in what it answers and so in what the function waits."""
CLOUDFLARE = frozenset({"detections", "context"})
"""Actions that are Cloudflare's; all others are AWS's."""


@dataclass
class Schedule:
    """Faults for the calls of all environments of one run.

    rate: the part of calls that meets a fault. crashes, silences, drips, blocks: how many of these there are at the most,
    for each of them takes real time.
    """

    seed: int
    rate: float
    crashes: int
    silences: int
    drips: int
    blocks: int
    counts: Counter[str] = field(default_factory=Counter)
    unmarked: list[bytes] = field(default_factory=list)
    """The bodies of calls that leave alerts published and not marked: each may explain a repeat of those alerts.

    A publish that SNS took, and whose sender did not get to know; and a mark before which the sender died.
    """

    def __post_init__(self) -> None:
        """Draw nothing yet."""
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._blocked_until = 0.0

    def __call__(self, call: Call) -> Fault:
        """The fault for this call."""
        with self._lock:
            name, fault = self._draw(call)
            if name:
                self.counts[name] += 1
            published = call.action == "PublishBatch" and fault.unanswered
            if published or (fault.kill_before and b":_sns_message_id" in call.body):
                self.unmarked.append(call.body)
            return fault

    def _draw(self, call: Call) -> tuple[str, Fault]:
        left = self._blocked_until - time.monotonic()
        if call.action in CLOUDFLARE and left > 0:
            return "calls during a block", blocked(max(1, round(left)))
        if self._random.random() >= self.rate:
            return "", NONE
        if call.action == "GetSecretValue":
            # Without its secret an environment defers for half a minute of real time: once is enough.
            once = self.counts["secrets out of reach"] == 0
            return ("secrets out of reach", Fault(lose_request=True)) if once else ("", NONE)
        if self.counts["crashes"] < self.crashes and self._random.random() < 0.25:
            return "crashes", self._random.choice([Fault(kill_before=True), Fault(kill_after=True)])
        return self._cloudflare() if call.action in CLOUDFLARE else self._aws(call.action)

    def _cloudflare(self) -> tuple[str, Fault]:
        if self.counts["blocks"] < self.blocks and self._random.random() < 0.1:
            self._blocked_until = time.monotonic() + BLOCK_SECONDS
            return "blocks", blocked(BLOCK_SECONDS)
        if self.counts["drips"] < self.drips and self._random.random() < 0.05:
            return "drips", Fault(drip=True)
        return "Cloudflare fails", self._random.choice(CLOUDFLARE_FAILS)

    def _aws(self, action: str) -> tuple[str, Fault]:
        if self.counts["missing answers"] < self.silences and self._random.random() < 0.2:
            return "missing answers", Fault(silent=True)
        kinds = {
            "throttles": throttled(action),
            "failures": broken(action),
            "lost requests": Fault(lose_request=True),
            "lost answers": Fault(lose_answer=True),
            "refusals": aws_error(action, 400, "AccessDenied"),
        }
        name = self._random.choice(list(kinds))
        return name, kinds[name]
