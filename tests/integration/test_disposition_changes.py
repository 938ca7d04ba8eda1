"""Changes of an email's disposition: each change has one alert."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ops.local.lambda_runtime import Environment
from tests.integration.deployment import MakeDeployment
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
    """Return a function that makes deployments whose email can change, with template parameters."""

    def make(**parameters: str) -> ChangingDeployment:
        mailbox = changing_mailbox()
        return ChangingDeployment(make_deployment(mailbox, **parameters), mailbox)

    return make


@pytest.fixture
def changing(make_changing: Callable[..., ChangingDeployment]) -> ChangingDeployment:
    """Make the default deployment whose email can change."""
    return make_changing()


def test_suspicious_email_that_becomes_malicious_is_an_update(changing: ChangingDeployment) -> None:
    """The second alert has its own id and record, and names the disposition and the id of the first."""
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
    assert [alert_id(first), alert_id(second)] == [it["alert_id"] for it in records]
    assert ["SENT", "SENT"] == [it["state"] for it in records]
    assert [("0", "SUSPICIOUS"), ("1", "MALICIOUS")] == changing.alert_records()
    assert (1, "SUSPICIOUS", alert_id(first)) == (
        records[1]["revision"],
        records[1]["previous_disposition"],
        records[1]["previous_alert_id"],
    )
    assert alert_id(first) != alert_id(second)


def test_repeated_request_after_an_update_adds_no_alert(changing: ChangingDeployment) -> None:
    """The alert for the change was sent before."""
    changing.request("SUSPICIOUS")
    changing.request("MALICIOUS")
    changing.deployment.alerts()

    assert [[SENT_BEFORE], [SENT_BEFORE]] == [changing.request("MALICIOUS"), changing.request("MALICIOUS")]
    assert ([], [("0", "SUSPICIOUS"), ("1", "MALICIOUS")]) == (changing.deployment.alerts(), changing.alert_records())


@pytest.mark.parametrize(
    "record_all", ["false", "true"], ids=["only alerts are recorded", "all decisions are recorded"]
)
def test_malicious_email_that_becomes_clean_is_closed_once(
    make_changing: Callable[..., ChangingDeployment], record_all: str
) -> None:
    """The Close is informational and has a record, with either value of RECORD_ALL."""
    changing = make_changing(RecordAll=record_all)
    assert [[ESCALATED], [CLOSED]] == [changing.request("MALICIOUS"), changing.request("NONE")]

    first, second = changing.deployment.alerts()
    assert (*CLOSE, "NONE", "MALICIOUS") == change_of(second)
    assert {"disposition": "MALICIOUS", "alert_id": alert_id(first)} == second.facts["unmapped"]["previous"]
    assert ("Close", "Informational", "NONE") == tuple(
        second.attributes[it] for it in ("activity", "severity", "disposition")
    )
    assert (1, False) == (second.facts["severity_id"], second.facts["is_alert"])
    assert [("ESCALATED", "SENT"), ("CLOSED", "SENT")] == [
        (it["outcome"], it["state"]) for it in changing.deployment.records()
    ]
    assert [("0", "MALICIOUS"), ("1", "NONE")] == changing.alert_records()
    assert changing.deployment.records()[1]["severity"] == "Informational"

    assert [[NOTHING], [NOTHING]] == [changing.request("NONE"), changing.request("NONE")]
    assert ([], [("0", "MALICIOUS"), ("1", "NONE")]) == (changing.deployment.alerts(), changing.alert_records())


def test_closed_email_with_another_clean_disposition_has_no_alert(changing: ChangingDeployment) -> None:
    """After a Close, only a disposition that escalates makes an alert due."""
    changing.request("MALICIOUS")
    changing.request("NONE")
    changing.deployment.alerts()

    assert ([NOTHING], []) == (changing.request("SPAM"), changing.deployment.alerts())


def test_closed_email_that_becomes_malicious_again_is_an_update(changing: ChangingDeployment) -> None:
    """The three alerts have different ids. Each names the one before, and none is repeated."""
    assert [[ESCALATED], [CLOSED], [ESCALATED]] == [changing.request(it) for it in ("MALICIOUS", "NONE", "MALICIOUS")]

    alerts = changing.deployment.alerts()
    assert [
        (*CREATE, "MALICIOUS", None),
        (*CLOSE, "NONE", "MALICIOUS"),
        (*UPDATE, "MALICIOUS", "NONE"),
    ] == [change_of(it) for it in alerts]
    alert_ids = [alert_id(it) for it in alerts]
    assert 3 == len({*alert_ids})
    assert alert_ids[:2] == [it.facts["unmapped"]["previous"]["alert_id"] for it in alerts[1:]]
    assert alert_ids == [it["alert_id"] for it in changing.deployment.records()]
    assert [("0", "MALICIOUS"), ("1", "NONE"), ("2", "MALICIOUS")] == changing.alert_records()

    assert ([SENT_BEFORE], []) == (changing.request("MALICIOUS"), changing.deployment.alerts())


def test_answer_without_disposition_changes_nothing(changing: ChangingDeployment) -> None:
    """It neither closes nor repeats the alert. A later disposition still closes it."""
    changing.request("MALICIOUS")
    changing.deployment.alerts()

    assert [("NOT_ESCALATED", "disposition-not-given")] == changing.request(None)
    assert ([], [("0", "MALICIOUS")]) == (changing.deployment.alerts(), changing.alert_records())
    assert [SENT_BEFORE] == changing.request("MALICIOUS")
    assert [CLOSED] == changing.request("NONE")


def test_clean_email_that_becomes_malicious_is_a_create(changing: ChangingDeployment) -> None:
    """A clean email has no alert and no record, so the first alert is a Create."""
    assert ([NOTHING], [], []) == (
        changing.request("NONE"),
        changing.deployment.alerts(),
        changing.deployment.records(),
    )

    assert [ESCALATED] == changing.request("MALICIOUS")
    assert [(*CREATE, "MALICIOUS", None)] == [change_of(it) for it in changing.deployment.alerts()]


def test_email_requested_by_two_id_forms_is_closed(changing: ChangingDeployment) -> None:
    """The alert came from the postfix id. The investigate id names the same email, so its answer closes the alert."""
    changing.set_disposition("MALICIOUS")
    changing.deployment.send(MALICIOUS.postfix_id)
    changing.deployment.poll()

    assert [CLOSED] == changing.request("NONE")
    assert [(*CREATE, "MALICIOUS", None), (*CLOSE, "NONE", "MALICIOUS")] == [
        change_of(it) for it in changing.deployment.alerts()
    ]


def test_clean_email_beside_a_closed_one_has_no_alert(make_deployment: MakeDeployment) -> None:
    """One email of the batch is closed. The other one never had an alert."""
    other = replace(
        with_disposition("NONE"), postfix_id="4Zz9Yy8Xx7zWw6Vv", investigate_id="4Zz9Yy8Xx7zWw6Vv-2026-01-01T00:00:00-1"
    )
    mailbox = ChangingMailbox(ACCOUNT, (MALICIOUS, other))
    deployment = make_deployment(mailbox)
    deployment.send(MALICIOUS.investigate_id)
    deployment.poll()
    mailbox.change(with_disposition("NONE"))
    deployment.send(MALICIOUS.investigate_id, other.postfix_id)

    by_id = {line["id"]: (line["outcome"], line["reason"]) for line in deployment.poll()}

    assert {MALICIOUS.investigate_id: CLOSED, other.postfix_id: NOTHING} == by_id
    assert [(*CREATE, "MALICIOUS", None), (*CLOSE, "NONE", "MALICIOUS")] == [
        change_of(it) for it in deployment.alerts()
    ]


def test_disposition_removed_from_escalate_on_closes_nothing(
    make_changing: Callable[..., ChangingDeployment],
) -> None:
    """The email has the same disposition as before, so its alert was right."""
    changing = make_changing()
    changing.request("SUSPICIOUS")
    changing.deployment.alerts()
    stack = changing.deployment.stack
    variables = stack.environment | {"ESCALATE_ON": "MALICIOUS"}

    with Environment(stack.template.handler, variables, stack.template.timeout) as function:
        ended = ChangingDeployment(replace(changing.deployment, function=function), changing.mailbox).request(
            "SUSPICIOUS"
        )

    assert ([NOTHING], [], [("0", "SUSPICIOUS")]) == (ended, changing.deployment.alerts(), changing.alert_records())


def test_closed_disposition_added_to_escalate_on_is_an_update_once(
    make_changing: Callable[..., ChangingDeployment],
) -> None:
    """The email was closed as SPAM. With SPAM in ESCALATE_ON, it has one further alert."""
    changing = make_changing()
    changing.request("MALICIOUS")
    changing.request("SPAM")
    changing.deployment.alerts()
    stack = changing.deployment.stack
    variables = stack.environment | {"ESCALATE_ON": "MALICIOUS,SPAM"}

    with Environment(stack.template.handler, variables, stack.template.timeout) as function:
        later = ChangingDeployment(replace(changing.deployment, function=function), changing.mailbox)
        ended = [later.request("SPAM"), later.request("SPAM")]

    assert [[ESCALATED], [SENT_BEFORE]] == ended
    assert [(*UPDATE, "SPAM", "SPAM")] == [change_of(it) for it in changing.deployment.alerts()]
    assert [("0", "MALICIOUS"), ("1", "SPAM"), ("2", "SPAM")] == changing.alert_records()


def test_each_change_is_recorded_once_without_a_topic(make_changing: Callable[..., ChangingDeployment]) -> None:
    """A repeated request adds no record."""
    changing = make_changing(Sinks="table")
    ended = [changing.request(it) for it in ("SUSPICIOUS", "MALICIOUS", "NONE", "NONE")]

    assert [[ESCALATED], [ESCALATED], [CLOSED], [NOTHING]] == ended
    assert [("0", "SUSPICIOUS"), ("1", "MALICIOUS"), ("2", "NONE")] == changing.alert_records()
    assert ["RECORDED"] * 3 == [it["state"] for it in changing.deployment.records()]


def test_every_alert_is_a_create_without_a_table(make_changing: Callable[..., ChangingDeployment]) -> None:
    """Without a table the previous alert is unknown, so no alert is an Update or a Close."""
    changing = make_changing(Sinks="topic")
    ended = [changing.request(it) for it in ("SUSPICIOUS", "MALICIOUS", "NONE")]

    assert [[ESCALATED], [ESCALATED], [NOTHING]] == ended
    assert [(*CREATE, "SUSPICIOUS", None), (*CREATE, "MALICIOUS", None)] == [
        change_of(it) for it in changing.deployment.alerts()
    ]
