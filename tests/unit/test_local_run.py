"""ops/local: recent dates of emails and events, and the options for containers."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ops.local.container import BRIDGE, add_host
from ops.local.fake_cloudflare.mailbox import Mailbox
from ops.local.folder import with_recent_timestamps
from ops.local.guide import examples
from ops.local.scenarios import EVENTS

NOW = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
MAILBOX = Mailbox.load()
RECENT = MAILBOX.recent(NOW)


def test_recent_emails_keep_their_ids_and_order() -> None:
    """The order of the scans is the same."""
    assert [mail.ids for mail in MAILBOX] == [mail.ids for mail in RECENT]
    dated = sorted((mail for mail in RECENT if mail.mail), key=lambda mail: mail.scanned_at)
    times = [mail.mail["scanned_at"] for mail in dated if mail.mail]
    assert sorted(times) == times


def test_recent_emails_are_from_the_last_hour() -> None:
    """The newest is a minute old, and each other one a minute older than the next."""
    times = sorted(datetime.fromisoformat(mail.mail["scanned_at"]) for mail in RECENT if mail.mail)
    assert NOW.replace(microsecond=0) - timedelta(minutes=1) == times[-1]
    assert NOW - timedelta(hours=1) < times[0]


def test_recent_emails_keep_the_difference_between_their_times() -> None:
    """The time from sending to scan and the format of each time are the same."""
    for before, after in zip(MAILBOX, RECENT, strict=True):
        if before.mail is None or after.mail is None:
            continue
        old, new = (
            {name: datetime.fromisoformat(it[name]) for name in ("sent_at", "scanned_at")}
            for it in (before.mail, after.mail)
        )
        assert old["scanned_at"] - old["sent_at"] == new["scanned_at"] - new["sent_at"]
        assert after.mail["scanned_at"].endswith("Z")
        assert len(before.mail.get("ts", "")) == len(after.mail.get("ts", ""))


def test_recent_emails_differ_in_times_only() -> None:
    """Detections without a campaign have no times, so they are equal."""
    same = [before.result == after.result for before, after in zip(MAILBOX, RECENT, strict=True)]
    assert 1 == same.count(False), "one email has a campaign, which has the time when it was first seen"


@pytest.mark.parametrize("name", sorted(path.name for path in EVENTS.glob("*.json")))
def test_event_gets_recent_timestamps(name: str) -> None:
    """The newest timestamp is now. The differences between timestamps and all other members stay the same."""
    event = json.loads((EVENTS / name).read_text("utf-8"))
    recent = with_recent_timestamps(event, NOW)
    differences = set()
    newest = 0
    for before, after in zip(event["Records"], recent["Records"], strict=True):
        for key in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
            old, new = before["attributes"].pop(key), after["attributes"].pop(key)
            differences.add(int(new) - int(old))
            newest = max(newest, int(new))
    assert 1 == len(differences)
    assert int(NOW.timestamp() * 1000) == newest
    assert event == recent


@pytest.mark.parametrize(
    ("host", "system", "option"),
    [
        (BRIDGE, "Linux", f" --add-host host.docker.internal:{BRIDGE}"),
        ("127.0.0.1", "Linux", None),
        ("127.0.0.1", "Darwin", ""),
    ],
    ids=["Linux with a bridge", "Linux without a bridge", "Docker Desktop"],
)
def test_container_gets_the_host_option_that_it_needs(host: str, system: str, option: str | None) -> None:
    """Linux needs the address of the bridge; Docker Desktop resolves the host name itself."""
    assert option == add_host(host, system)


def test_examples_have_four_dispositions() -> None:
    """Three give alerts, one does not."""
    shown = [mail.result["final_disposition"] for mail in examples(RECENT) if mail.result]
    assert ["MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPAM"] == shown
