"""The alerts about an event, through the function's own phases, at a time that stands still."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from functions.alert.alert import Alert, Style
from functions.cloudflare.client import Cloudflare
from functions.cloudflare.credentials import Credentials, Secret
from functions.cloudflare.pace import Pace
from functions.escalate.batch import Escalation
from functions.escalate.cases import advance
from functions.escalate.decision import Policy
from functions.escalate.lookup import Lookup
from functions.escalate.message import read_messages
from functions.escalate.outbox import Outbox
from functions.escalate.publisher import Receipt, Topic
from functions.escalate.settlement import Settlement
from functions.escalate.verdict import ESCALATE_BY_DEFAULT
from ops.local.admission import Credentials as Accepted
from ops.local.cloudflare import StandIn
from ops.local.stack import TOKEN
from tests.integration.standin import AT_ONCE

FOLDER = Path(__file__).parent
EVENTS = sorted((FOLDER.parents[1] / "events").glob("*.json"))
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_SECONDS = 60.0


@dataclass
class Collected:
    """A topic that keeps what it is given."""

    alerts: list[Alert] = field(default_factory=list)

    def publish(self, alerts: Sequence[Alert], _: Callable[[], float]) -> list[Receipt]:
        """Take all of them."""
        self.alerts += alerts
        return [Receipt(f"sns-{number}") for number, _ in enumerate(alerts)]


@contextmanager
def escalation(style: Style) -> Iterator[tuple[Escalation, Collected]]:
    """The phases up to the topic, with the stand-in Cloudflare, and without a ledger."""
    topic, accepted = Collected(), Accepted(api_token=TOKEN)
    policy = Policy(AT_ONCE.account_id, ESCALATE_BY_DEFAULT, record_all=False)
    with StandIn(AT_ONCE, credentials=accepted) as stand_in, ThreadPoolExecutor(10) as threads:
        credentials = Credentials(lambda: Secret(json.dumps({"api_token": TOKEN}), "1"))
        pace = Pace(1_000_000, 1)
        cloudflare = Cloudflare(
            stand_in.base_url, AT_ONCE.account_id, credentials, pace, gravity=policy.gravity, connections=10
        )
        lookup = Lookup(cloudflare, threads, policy, with_context=True, now=lambda: NOON)
        outbox = Outbox(None, cast("Topic", topic), style, lambda: NOON)
        yield Escalation(policy, lookup, outbox, cast("Settlement", None), lambda: NOON), topic


def published(event: Path, style: Style) -> list[Alert]:
    """The alerts about an event, in the order of its records."""
    with escalation(style) as (phases, topic):
        requests = phases.read(read_messages(json.loads(event.read_text("utf-8"))))
        detected = advance(requests, lambda cases: phases.lookup.detect(cases, _SECONDS))
        decided = advance(detected, phases.decide)
        in_context = advance(decided, phases.lookup.contexts)
        advance(in_context, lambda cases: phases.outbox.publish(cases, lambda: _SECONDS))
    return topic.alerts


def as_people_read(alerts: Sequence[Alert]) -> str:
    """Subject and text of each."""
    return "\n".join(f"Subject: {it.subject}\n\n{it.bodies['email']}" for it in alerts) or "no alert\n"


def as_machines_read(alerts: Sequence[Alert]) -> str:
    """Attributes and bodies of each."""
    told: list[dict[str, Any]] = [
        {"attributes": it.attributes} | {name: json.loads(it.bodies[name]) for name in ("default", "https")}
        for it in alerts
    ]
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def golden(event: Path) -> dict[Path, str]:
    """What the golden files of an event have to say."""
    alerts = published(event, Style(chat=True))
    return {
        FOLDER / f"{event.stem}.txt": as_people_read(alerts),
        FOLDER / f"{event.stem}.json": as_machines_read(alerts),
    }


def main() -> None:
    """Write them anew."""
    for event in EVENTS:
        for path, text in golden(event).items():
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
                print(f"written: {path.relative_to(FOLDER.parents[1])}", file=sys.stderr)


if __name__ == "__main__":
    main()
