"""What a local run makes of the repository's files: recent mail, events just sent, and how a container gets there."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ops.local.consignment import EVENTS
from ops.local.container import BRIDGE, add_host
from ops.local.folder import just_sent
from ops.local.guide import examples
from ops.local.mailbox import Mailbox

NOW = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
MAILBOX = Mailbox.load()
RECENT = MAILBOX.recent(NOW)


def test_recent_mail_keeps_ids_and_order() -> None:
    """Every mail is there under its ids, and was scanned in the same order as before."""
    assert [mail.ids for mail in MAILBOX] == [mail.ids for mail in RECENT]
    dated = sorted((mail for mail in RECENT if mail.mail), key=lambda mail: mail.scanned_at)
    times = [mail.mail["scanned_at"] for mail in dated if mail.mail]
    assert sorted(times) == times


def test_recent_mail_is_of_the_last_hour() -> None:
    """The newest is a minute old, and each other one a minute older than the next."""
    times = sorted(datetime.fromisoformat(mail.mail["scanned_at"]) for mail in RECENT if mail.mail)
    assert NOW.replace(microsecond=0) - timedelta(minutes=1) == times[-1]
    assert NOW - timedelta(hours=1) < times[0]


def test_recent_mail_keeps_the_distance_of_its_times() -> None:
    """What was sent some seconds before the scan still was, and the form of each time is the same."""
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


def test_recent_mail_is_otherwise_the_same() -> None:
    """Nothing but the times differs: the detection of a mail without a campaign is the very same."""
    same = [before.result == after.result for before, after in zip(MAILBOX, RECENT, strict=True)]
    assert 1 == same.count(False), "one mail has a campaign, which was first seen at some time"


@pytest.mark.parametrize("name", sorted(path.name for path in EVENTS.glob("*.json")))
def test_event_as_if_just_sent(name: str) -> None:
    """The newest timestamp is now, the distances stay, and so does everything else."""
    event = json.loads((EVENTS / name).read_text("utf-8"))
    moved = just_sent(event, NOW)
    differences = set()
    newest = 0
    for before, after in zip(event["Records"], moved["Records"], strict=True):
        for key in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
            old, new = before["attributes"].pop(key), after["attributes"].pop(key)
            differences.add(int(new) - int(old))
            newest = max(newest, int(new))
    assert 1 == len(differences)
    assert int(NOW.timestamp() * 1000) == newest
    assert event == moved


@pytest.mark.parametrize(
    ("host", "system", "option"),
    [
        (BRIDGE, "Linux", f" --add-host host.docker.internal:{BRIDGE}"),
        ("127.0.0.1", "Linux", None),
        ("127.0.0.1", "Darwin", ""),
    ],
    ids=["bridge", "no-bridge", "docker-desktop"],
)
def test_container_gets_the_option_that_it_needs(host: str, system: str, option: str | None) -> None:
    """Only the bridge is named to a container; Docker Desktop resolves the name itself."""
    assert option == add_host(host, system)


def test_examples_are_of_four_dispositions() -> None:
    """The ids that are shown stand for an alert of each kind, and for none."""
    shown = [mail.result["final_disposition"] for mail in examples(RECENT) if mail.result]
    assert ["MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPAM"] == shown
