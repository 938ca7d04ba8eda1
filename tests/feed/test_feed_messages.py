"""What the feed says about a delivery: in the record and the alert, and from the feed alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.domain.feed_facts import FeedFacts, feed_text
from functions.escalate.sqs_message import FROM_FEED
from ops.local.subscriber import ReceivedAlert
from tests.feed.test_feed_on_aws import FEED_ROLE, MALICIOUS
from tests.integration.deployment import Deployment, MakeDeployment
from tests.integration.fake_cloudflare_client import only

EVENTS = Path(__file__).parents[2] / "events"
OUR_ROLE = "AROA3XFRBF535EXAMPLE1"
SEEN_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FACTS = FeedFacts(
    "hourly", SEEN_AT, edf_hash="0f1e", delivery_mode="RETRO_SCAN", delivery_status=("quarantined", "delivered")
)
AT = {
    "fetched_at",
    "decided_at",
    "claimed_at",
    "campaign_since",
    "published_at",
    "expires_at",
    "month",
    "owner",
    "receipts",
    "sns_message_id",
}
"""What differs between two records of the same decision."""


def sent(body: str, sender: str, facts: FeedFacts | None = None) -> dict[str, Any]:
    """A record of Lambda's event, by a sender, with facts as the attribute of the feed."""
    [record] = json.loads((EVENTS / "malicious.json").read_text("utf-8"))["Records"]
    record["attributes"]["SenderId"] = sender
    attributes = {FROM_FEED: {"stringValue": feed_text(facts), "dataType": "String"}} if facts else {}
    return {**record, "body": body, "messageAttributes": attributes}


def without_details(make_deployment: MakeDeployment) -> Deployment:
    """A deployment whose Cloudflare has no message details."""
    roles = {"FEED_ROLE_ID": FEED_ROLE, "FUNCTION_ROLE_ID": OUR_ROLE}
    return make_deployment(only(replace(MALICIOUS, mail=None)), variables=roles)


def alert_of(deployment: Deployment, record: dict[str, Any]) -> tuple[ReceivedAlert, dict[str, Any]]:
    """The alert and the record that come of a message."""
    assert {"batchItemFailures": []} == deployment.invoke(record).response
    [alert], [stored] = deployment.alerts(), deployment.records()
    return alert, stored


FORGED = {
    "an attribute": sent(MALICIOUS.investigate_id, "AIDAPRODUCER:x", FACTS),
    "an attribute, from a role with a similar id": sent(MALICIOUS.investigate_id, f"{FEED_ROLE}2:feed", FACTS),
    "an attribute, from a session named like the role": sent(
        MALICIOUS.investigate_id, f"AROAPRODUCER:{FEED_ROLE}", FACTS
    ),
    "members of the body": sent(
        json.dumps(
            {
                "investigate_id": MALICIOUS.investigate_id,
                "from_feed": {"delivery_status": ["delivered"]},
                "edf_hash": "0f1e",
                "delivery_mode": "RETRO_SCAN",
                "delivery_status": ["delivered"],
                "SenderId": f"{FEED_ROLE}:feed",
            }
        ),
        "AIDAPRODUCER:x",
    ),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_facts_of_a_producer_change_nothing(make_deployment: MakeDeployment, forged: dict[str, Any]) -> None:
    """Alert and record are those of the id alone."""
    plain = sent(MALICIOUS.investigate_id, "AIDAPRODUCER:x")
    (alert, record), (forged_alert, forged_record) = (
        alert_of(without_details(make_deployment), it) for it in (plain, forged)
    )
    assert alert.attributes == forged_alert.attributes
    assert alert.facts["severity"] == forged_alert.facts["severity"] == "High"
    assert "feed" not in forged_record
    assert {name: value for name, value in record.items() if name not in AT} == {
        name: value for name, value in forged_record.items() if name not in AT
    }


def test_facts_of_the_feed_count_without_message_details(make_deployment: MakeDeployment) -> None:
    """An email in an inbox is Critical, and the text says that it is an old one."""
    deployment = without_details(make_deployment)
    alert, record = alert_of(deployment, sent(MALICIOUS.investigate_id, f"{FEED_ROLE}:feed", FACTS))
    assert ("true", "Critical") == (alert.attributes["delivered"], alert.attributes["severity"])
    assert ("true", "Critical") == (record["delivered"], record["severity"])
    assert {
        "loop": "hourly",
        "seen_at": "2026-11-23T12:00:00.000+00:00",
        "edf_hash": "0f1e",
        "delivery_mode": "RETRO_SCAN",
        "delivery_status": ["quarantined", "delivered"],
    } == record["feed"]
    [people] = deployment.people()
    assert "Delivery:   in an inbox" in people["email"]
    assert "A retro\nscan found it: the email is older than this alert." in people["email"]


def test_message_details_outrank_the_facts_of_the_feed(make_deployment: MakeDeployment) -> None:
    """They are newer."""
    mail = replace(MALICIOUS, mail={**(MALICIOUS.mail or {}), "delivery_status": ["quarantined"]})
    deployment = make_deployment(only(mail), variables={"FEED_ROLE_ID": FEED_ROLE})
    alert, _ = alert_of(deployment, sent(MALICIOUS.investigate_id, f"{FEED_ROLE}:feed", FACTS))
    assert ("false", "High") == (alert.attributes["delivered"], alert.attributes["severity"])
