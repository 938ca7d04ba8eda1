"""Changes of an email's disposition: each change sends one alert and writes one record."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ops.local.lambda_runtime import Environment
from tests.integration.deployment import MakeDeployment, outcomes
from tests.integration.disposition_changes import (
    CLOSE,
    CLOSED,
    CREATE,
    ESCALATED,
    NOTHING,
    SENT_BEFORE,
    UPDATE,
    ChangingDeployment,
    alert_id,
    change_of,
    changing_mailbox,
    with_disposition,
)
from tests.integration.fake_cloudflare_client import ACCOUNT, ChangingMailbox
from tests.integration.test_escalation import MALICIOUS


@pytest.fixture
def make_changing(make_deployment: MakeDeployment) -> Callable[..., ChangingDeployment]:
    """Return a function that makes a changing deployment with template parameters."""

    def make(**parameters: str) -> ChangingDeployment:
        mailbox = changing_mailbox()
        return ChangingDeployment(make_deployment(mailbox, **parameters), mailbox)

    return make


@pytest.fixture
def changing(make_changing: Callable[..., ChangingDeployment]) -> ChangingDeployment:
    """Make a changing deployment with default parameters."""
    return make_changing()


# --- alerts and records -----------------------------------------------------------------------------------------------


def test_more_severe_disposition_sends_an_update_that_names_the_previous_alert(changing: ChangingDeployment) -> None:
    """The update has its own alert id and its own record."""
    assert [[ESCALATED], [ESCALATED]] == [changing.request("SUSPICIOUS"), changing.request("MALICIOUS")]

    first, second = changing.deployment.alerts()
    assert [(*CREATE, "SUSPICIOUS", None), (*UPDATE, "MALICIOUS", "SUSPICIOUS")] == [
        change_of(first),
        change_of(second),
    ]
    assert {"disposition": "SUSPICIOUS", "alert_id": alert_id(first)} == second.facts["unmapped"]["previous"]
    assert ("Update", "MALICIOUS") == (second.attributes["activity"], second.attributes["disposition"])
    assert "was SUSPICIOUS" in second.subject
    records = changing.deployment.records()
    assert [alert_id(first), alert_id(second)] == [record["alert_id"] for record in records]
    assert ["SENT", "SENT"] == [record["state"] for record in records]
    assert ["SUSPICIOUS", "MALICIOUS#1"] == changing.entries()
    assert (1, "SUSPICIOUS", alert_id(first)) == (
        records[1]["revision"],
        records[1]["previous_disposition"],
        records[1]["previous_alert_id"],
    )
    assert alert_id(first) != alert_id(second)


def test_repeated_request_after_an_update_sends_no_alert(changing: ChangingDeployment) -> None:
    """Both repetitions end as ALREADY_ESCALATED, and add no record."""
    changing.request("SUSPICIOUS")
    changing.request("MALICIOUS")
    changing.deployment.alerts()

    assert [[SENT_BEFORE], [SENT_BEFORE]] == [changing.request("MALICIOUS"), changing.request("MALICIOUS")]
    assert ([], ["SUSPICIOUS", "MALICIOUS#1"]) == (changing.deployment.alerts(), changing.entries())


@pytest.mark.parametrize("record_all", ["false", "true"], ids=["only alerts are recorded", "all outcomes are recorded"])
def test_disposition_that_is_no_longer_escalated_sends_one_informational_close(
    make_changing: Callable[..., ChangingDeployment], record_all: str
) -> None:
    """The close is recorded as CLOSED with any value of RecordAll."""
    changing = make_changing(RecordAll=record_all)
    assert [[ESCALATED], [CLOSED]] == [changing.request("MALICIOUS"), changing.request("NONE")]

    first, second = changing.deployment.alerts()
    assert (*CLOSE, "NONE", "MALICIOUS") == change_of(second)
    assert {"disposition": "MALICIOUS", "alert_id": alert_id(first)} == second.facts["unmapped"]["previous"]
    assert ("Close", "Informational", "NONE") == tuple(
        second.attributes[name] for name in ("activity", "severity", "disposition")
    )
    assert (1, False) == (second.facts["severity_id"], second.facts["is_alert"])
    assert [("ESCALATED", "SENT"), ("CLOSED", "SENT")] == [
        (record["outcome"], record["state"]) for record in changing.deployment.records()
    ]
    assert ["MALICIOUS", "NONE#1"] == changing.entries()
    assert changing.deployment.records()[1]["severity"] == "Informational"

    assert [[SENT_BEFORE], [SENT_BEFORE]] == [changing.request("NONE"), changing.request("NONE")]
    assert ([], ["MALICIOUS", "NONE#1"]) == (changing.deployment.alerts(), changing.entries())


def test_closed_email_with_another_disposition_that_is_not_escalated_sends_no_alert(
    changing: ChangingDeployment,
) -> None:
    """NONE sends the close. SPAM after it is NOT_ESCALATED."""
    changing.request("MALICIOUS")
    changing.request("NONE")
    changing.deployment.alerts()

    assert ([NOTHING], []) == (changing.request("SPAM"), changing.deployment.alerts())


def test_closed_email_that_is_malicious_again_sends_an_update(changing: ChangingDeployment) -> None:
    """The three alerts have different ids, and each names the previous alert."""
    assert [[ESCALATED], [CLOSED], [ESCALATED]] == [
        changing.request(disposition) for disposition in ("MALICIOUS", "NONE", "MALICIOUS")
    ]

    alerts = changing.deployment.alerts()
    assert [
        (*CREATE, "MALICIOUS", None),
        (*CLOSE, "NONE", "MALICIOUS"),
        (*UPDATE, "MALICIOUS", "NONE"),
    ] == [change_of(alert) for alert in alerts]
    alert_ids = [alert_id(alert) for alert in alerts]
    assert 3 == len({*alert_ids})
    assert alert_ids[:2] == [alert.facts["unmapped"]["previous"]["alert_id"] for alert in alerts[1:]]
    assert alert_ids == [record["alert_id"] for record in changing.deployment.records()]
    assert ["MALICIOUS", "NONE#1", "MALICIOUS#2"] == changing.entries()

    assert ([SENT_BEFORE], []) == (changing.request("MALICIOUS"), changing.deployment.alerts())


def test_response_without_a_disposition_sends_no_alert_and_keeps_the_last_alert(changing: ChangingDeployment) -> None:
    """Later requests compare with MALICIOUS, the disposition of the last alert."""
    changing.request("MALICIOUS")
    changing.deployment.alerts()

    assert [("NOT_ESCALATED", "disposition-not-given")] == changing.request(None)
    assert ([], ["MALICIOUS"]) == (changing.deployment.alerts(), changing.entries())
    assert [SENT_BEFORE] == changing.request("MALICIOUS")
    assert [CLOSED] == changing.request("NONE")


def test_email_without_an_alert_sends_no_close_and_its_first_alert_is_a_create(changing: ChangingDeployment) -> None:
    """NONE sends and records nothing. MALICIOUS after it sends a Create."""
    assert ([NOTHING], [], []) == (
        changing.request("NONE"),
        changing.deployment.alerts(),
        changing.deployment.records(),
    )

    assert [ESCALATED] == changing.request("MALICIOUS")
    assert [(*CREATE, "MALICIOUS", None)] == [change_of(alert) for alert in changing.deployment.alerts()]


def test_close_is_not_sent_for_another_kind_of_the_email_id(changing: ChangingDeployment) -> None:
    """The last alert belongs to one email id. The same email under another id has no last alert."""
    changing.request("MALICIOUS")
    changing.deployment.alerts()
    changing.set_disposition("NONE")
    changing.deployment.send(MALICIOUS.investigate_id)

    assert ([NOTHING], []) == (outcomes(changing.deployment.poll()), changing.deployment.alerts())


def test_emails_in_one_batch_are_compared_with_their_own_last_alert(make_deployment: MakeDeployment) -> None:
    """The email with an alert is closed. The email without one is not escalated."""
    other = replace(
        with_disposition("NONE"), postfix_id="4Zz9Yy8Xx7zWw6Vv", investigate_id="4Zz9Yy8Xx7zWw6Vv-2026-01-01T00:00:00-1"
    )
    mailbox = ChangingMailbox(ACCOUNT, (MALICIOUS, other))
    deployment = make_deployment(mailbox)
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()
    mailbox.change(with_disposition("NONE"))
    deployment.send(MALICIOUS.postfix_id, other.postfix_id)

    outcome_by_id = {line["id"]: (line["outcome"], line["reason"]) for line in deployment.poll()}

    assert {MALICIOUS.postfix_id: CLOSED, other.postfix_id: NOTHING} == outcome_by_id
    assert [(*CREATE, "MALICIOUS", None), (*CLOSE, "NONE", "MALICIOUS")] == [
        change_of(alert) for alert in deployment.alerts()
    ]


def test_disposition_removed_from_escalate_on_sends_no_close(make_changing: Callable[..., ChangingDeployment]) -> None:
    """The settings changed, but the disposition did not, so the alert is still correct."""
    changing = make_changing()
    changing.request("SUSPICIOUS")
    changing.deployment.alerts()
    stack = changing.deployment.stack
    variables = stack.environment | {"ESCALATE_ON": "MALICIOUS"}

    with Environment(stack.template.handler, variables, stack.template.timeout) as function:
        repeated = ChangingDeployment(replace(changing.deployment, function=function), changing.mailbox).request(
            "SUSPICIOUS"
        )

    assert ([SENT_BEFORE], [], ["SUSPICIOUS"]) == (repeated, changing.deployment.alerts(), changing.entries())


def test_closed_disposition_added_to_escalate_on_sends_one_update(
    make_changing: Callable[..., ChangingDeployment],
) -> None:
    """The close was sent for SPAM. The new settings escalate SPAM."""
    changing = make_changing()
    changing.request("MALICIOUS")
    changing.request("SPAM")
    changing.deployment.alerts()
    stack = changing.deployment.stack
    variables = stack.environment | {"ESCALATE_ON": "MALICIOUS,SPAM"}

    with Environment(stack.template.handler, variables, stack.template.timeout) as function:
        later = ChangingDeployment(replace(changing.deployment, function=function), changing.mailbox)
        after_change = [later.request("SPAM"), later.request("SPAM")]

    assert [[ESCALATED], [SENT_BEFORE]] == after_change
    assert [(*UPDATE, "SPAM", "SPAM")] == [change_of(alert) for alert in changing.deployment.alerts()]
    assert ["MALICIOUS", "SPAM#1", "SPAM#2"] == changing.entries()


# --- with one sink ----------------------------------------------------------------------------------------------------


def test_each_change_is_recorded_once_without_a_topic(make_changing: Callable[..., ChangingDeployment]) -> None:
    """The second NONE is no change, so it adds no record."""
    changing = make_changing(Sinks="table")
    results = [changing.request(disposition) for disposition in ("SUSPICIOUS", "MALICIOUS", "NONE", "NONE")]

    assert [[ESCALATED], [ESCALATED], [CLOSED], [SENT_BEFORE]] == results
    assert ["SUSPICIOUS", "MALICIOUS#1", "NONE#2"] == changing.entries()
    assert ["RECORDED"] * 3 == [record["state"] for record in changing.deployment.records()]


def test_every_alert_is_a_create_without_a_table(make_changing: Callable[..., ChangingDeployment]) -> None:
    """Without a table there is no last alert to compare with, so nothing is updated or closed."""
    changing = make_changing(Sinks="topic")
    results = [changing.request(disposition) for disposition in ("SUSPICIOUS", "MALICIOUS", "NONE")]

    assert [[ESCALATED], [ESCALATED], [NOTHING]] == results
    assert [(*CREATE, "SUSPICIOUS", None), (*CREATE, "MALICIOUS", None)] == [
        change_of(alert) for alert in changing.deployment.alerts()
    ]
