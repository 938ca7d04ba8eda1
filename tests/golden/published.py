"""Generate the alerts about an event with the function's own stages."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from functions.alert.alert import Alert, AlertOptions
from functions.cloudflare.client import Cloudflare
from functions.cloudflare.credentials import Credentials, Secret
from functions.cloudflare.rate_limiter import RateLimiter
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy
from functions.escalate.finish import Finisher
from functions.escalate.investigate import Investigator
from functions.escalate.notify import Notifier
from functions.escalate.pipeline import Invocation, Pipeline
from functions.escalate.sqs_message import read_messages
from functions.escalate.stages import advance
from functions.escalate.topic import Receipt, Topic
from ops.local.fake_cloudflare.auth import Credentials as Accepted
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.stack import TOKEN
from tests.integration.fake_cloudflare_client import WITHOUT_FAULTS

FOLDER = Path(__file__).parent
EVENTS = sorted((FOLDER.parents[1] / "events").glob("*.json"))
STACK = "cloudflare-email-alerts"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_SECONDS = 60.0


@dataclass
class Collected:
    """A topic that collects its alerts in a list."""

    alerts: list[Alert] = field(default_factory=list)

    def publish(self, alerts: Sequence[Alert], _: Callable[[], float]) -> list[Receipt]:
        """Accept all alerts."""
        self.alerts += alerts
        return [Receipt(f"sns-{number}") for number, _ in enumerate(alerts)]


@contextmanager
def pipeline(options: AlertOptions) -> Iterator[tuple[Pipeline, Collected]]:
    """Build the stages with the fake Cloudflare and without a ledger."""
    topic, accepted = Collected(), Accepted(api_token=TOKEN)
    policy = Policy(WITHOUT_FAULTS.account_id, ESCALATE_BY_DEFAULT, record_all=False)
    with FakeCloudflare(WITHOUT_FAULTS, credentials=accepted) as fake_cloudflare, ThreadPoolExecutor(10) as threads:
        credentials = Credentials(lambda: Secret(json.dumps({"api_token": TOKEN}), "1"))
        rate_limiter = RateLimiter(1_000_000, 1)
        cloudflare = Cloudflare(
            fake_cloudflare.base_url,
            WITHOUT_FAULTS.account_id,
            credentials,
            rate_limiter,
            severity_rank=policy.severity_rank,
            connections=10,
        )
        investigator = Investigator(cloudflare, threads, policy, with_details=True, now=lambda: NOON)
        notifier = Notifier(None, cast("Topic", topic), options, lambda: NOON)
        yield Pipeline(policy, investigator, notifier, cast("Finisher", None), lambda: NOON), topic


def published(event: Path, options: AlertOptions) -> list[Alert]:
    """Return the alerts about an event, in the order of its records."""
    with pipeline(options) as (stages, topic):
        requests = stages.read(read_messages(json.loads(event.read_text("utf-8"))))
        detected = advance(requests, lambda items: stages.investigator.detect(items, _SECONDS))
        decided = advance(detected, lambda items: [stages.policy.decide(item, NOON) for item in items])
        known = advance(decided, stages.notifier.look_up)
        advance(known, lambda items: stages.notify(items, Invocation("owner", lambda: _SECONDS)))
    return topic.alerts


def as_people_read(alerts: Sequence[Alert]) -> str:
    """Format subject and text of each alert."""
    return "\n".join(f"Subject: {it.subject}\n\n{it.bodies['email']}" for it in alerts) or "no alert\n"


def as_machines_read(alerts: Sequence[Alert]) -> str:
    """Format attributes and bodies of each alert."""
    published_bodies: list[dict[str, Any]] = [
        {"attributes": it.attributes} | {name: json.loads(it.bodies[name]) for name in ("default", "https")}
        for it in alerts
    ]
    return json.dumps(published_bodies, indent=1, ensure_ascii=False) + "\n"


def golden(event: Path) -> dict[Path, str]:
    """Return the expected content of an event's golden files, by path."""
    alerts = published(event, AlertOptions(chat=True, deployment=STACK, stack=STACK))
    return {
        FOLDER / f"{event.stem}.txt": as_people_read(alerts),
        FOLDER / f"{event.stem}.json": as_machines_read(alerts),
    }


def main() -> None:
    """Write each golden file whose content changed."""
    for event in EVENTS:
        for path, text in golden(event).items():
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
                print(f"written: {path.relative_to(FOLDER.parents[1])}", file=sys.stderr)


if __name__ == "__main__":
    main()
