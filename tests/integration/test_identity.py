"""One email, one identity: its id forms and its deliveries share one sequence of alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ops.local.fake_cloudflare.mailbox import Mail
from tests.integration.deployment import Deployment, MakeDeployment, outcomes
from tests.integration.disposition_changes import (
    CLOSE,
    CLOSED,
    CREATE,
    ESCALATED,
    NOTHING,
    SENT_BEFORE,
    UPDATE,
    alert_id,
    change_of,
    with_disposition,
)
from tests.integration.fake_cloudflare_client import ACCOUNT, ChangingMailbox
from tests.integration.test_escalation import MALICIOUS

DUPLICATE = ("ALREADY_ESCALATED", "duplicate-in-batch")
FORMS = MALICIOUS.ids


@dataclass
class Deliveries:
    """A deployment with several deliveries of one email. Tests change each delivery, and request it by its number."""

    deployment: Deployment
    mailbox: "DeliveriesMailbox"

    def change(self, number: int, disposition: str, status: str = "delivered", recipient: str = "") -> str:
        """Change a delivery, and return its investigate id."""
        mail = delivery(number, disposition, status, recipient)
        self.mailbox.change_delivery(mail)
        return mail.investigate_id

    def request(self, number: int, disposition: str, status: str = "delivered") -> list[tuple[str, str]]:
        """Change a delivery, request it, and return the outcomes of one poll."""
        self.deployment.send(self.change(number, disposition, status))
        return outcomes(self.deployment.poll())


class DeliveriesMailbox(ChangingMailbox):
    """A mailbox with several deliveries of one email. The short id forms name the first one."""

    def change_delivery(self, mail: Mail) -> None:
        """Replace one delivery, found by its investigate id only."""
        self._by_id[mail.investigate_id] = mail


def delivery(number: int, disposition: str, status: str = "delivered", recipient: str = "") -> Mail:
    """Make a delivery of the email."""
    investigate_id = f"{MALICIOUS.alert_id}-{7000 + number}"
    details = dict(MALICIOUS.mail or {}) | {"id": investigate_id, "delivery_status": [status]}
    if recipient:
        details |= {"to": [recipient]}
    return replace(with_disposition(disposition), investigate_id=investigate_id, mail=details)


@pytest.fixture
def deliveries(make_deployment: MakeDeployment) -> Deliveries:
    """Make a deployment with deliveries of one email."""
    mailbox = DeliveriesMailbox(ACCOUNT, (MALICIOUS,))
    return Deliveries(make_deployment(mailbox), mailbox)


def changes(deployment: Deployment) -> list[tuple[Any, ...]]:
    """Receive the alerts since the last call, as changes."""
    return [change_of(alert) for alert in deployment.alerts()]


def test_three_id_forms_in_one_batch_have_one_alert(deployment: Deployment) -> None:
    """One message brings the alert. The others name it."""
    deployment.send(*FORMS)

    logged = deployment.poll()

    assert sorted(outcomes(logged)) == sorted([ESCALATED, DUPLICATE, DUPLICATE])
    [alert], [record] = deployment.alerts(), deployment.records()
    assert {alert_id(alert)} == {line["alert_id"] for line in logged} == {record["alert_id"]}
    assert deployment.waiting() == 0


@pytest.mark.parametrize(
    "order",
    [(0, 1, 2), (2, 1, 0), (1, 2, 0)],
    ids=["shortest id form first", "longest id form first", "alert id first"],
)
def test_three_id_forms_over_time_have_one_alert(deployment: Deployment, order: Sequence[int]) -> None:
    """The later forms find the alert sent."""
    logged = []
    for number in order:
        deployment.send(FORMS[number])
        logged += outcomes(deployment.poll())

    assert logged == [ESCALATED, SENT_BEFORE, SENT_BEFORE]
    assert (len(deployment.alerts()), len(deployment.records())) == (1, 1)


def test_deliveries_of_different_disposition_and_place_have_one_alert_per_revision(deliveries: Deliveries) -> None:
    """The email has the disposition and the severity of its most severe delivery."""
    logged = [
        deliveries.request(1, "SUSPICIOUS", "quarantined"),
        deliveries.request(2, "MALICIOUS", "delivered"),
        deliveries.request(1, "SUSPICIOUS", "quarantined"),
        deliveries.request(2, "MALICIOUS", "delivered"),
    ]

    assert logged == [[ESCALATED], [ESCALATED], [SENT_BEFORE], [SENT_BEFORE]]
    assert changes(deliveries.deployment) == [(*CREATE, "SUSPICIOUS", None), (*UPDATE, "MALICIOUS", "SUSPICIOUS")]
    assert [record["revision"] for record in deliveries.deployment.records()] == [0, 1]


def test_email_is_closed_only_when_both_deliveries_are_clean(deliveries: Deliveries) -> None:
    """While one delivery is malicious, the other one closes nothing."""
    logged = [deliveries.request(number, disposition) for number, disposition in ((1, "MALICIOUS"), (2, "MALICIOUS"))]
    assert logged == [[ESCALATED], [SENT_BEFORE]]

    assert deliveries.request(1, "NONE") == [NOTHING]
    assert changes(deliveries.deployment) == [(*CREATE, "MALICIOUS", None)]

    assert deliveries.request(2, "NONE") == [CLOSED]
    assert changes(deliveries.deployment) == [(*CLOSE, "NONE", "MALICIOUS")]


def test_change_of_the_less_severe_delivery_has_no_alert(deliveries: Deliveries) -> None:
    """The other delivery stays malicious, so the email stays malicious."""
    deliveries.request(1, "MALICIOUS")
    deliveries.request(2, "SUSPICIOUS")
    deliveries.deployment.alerts()

    logged = [deliveries.request(2, disposition) for disposition in ("SPAM", "SUSPICIOUS", "NONE")]

    assert logged == [[NOTHING], [SENT_BEFORE], [NOTHING]]
    assert changes(deliveries.deployment) == []


def test_ten_sweeps_over_two_deliveries_add_no_alert(deliveries: Deliveries) -> None:
    """The two dispositions do not alternate."""
    ids = [deliveries.change(1, "SUSPICIOUS", "quarantined"), deliveries.change(2, "MALICIOUS")]
    deliveries.deployment.send(*ids)
    deliveries.deployment.poll()
    assert changes(deliveries.deployment) == [(*CREATE, "MALICIOUS", None)]

    for sweep in range(10):
        deliveries.deployment.send(*(ids if sweep % 2 else reversed(ids)))
        assert outcomes(deliveries.deployment.poll()) == [SENT_BEFORE, SENT_BEFORE]

    assert changes(deliveries.deployment) == []
    assert len(deliveries.deployment.records()) == 1


def test_quarantined_email_that_is_delivered_later_is_an_update(deliveries: Deliveries) -> None:
    """The disposition is the same, and the severity rises."""
    logged = [deliveries.request(1, "MALICIOUS", status) for status in ("quarantined", "delivered", "delivered")]

    first, second = deliveries.deployment.alerts()
    assert logged == [[ESCALATED], [ESCALATED], [SENT_BEFORE]]
    assert change_of(second) == (*UPDATE, "MALICIOUS", "MALICIOUS")
    assert first.facts["severity_id"] < second.facts["severity_id"]


def test_clean_answer_about_a_bare_id_closes_nothing(make_deployment: MakeDeployment) -> None:
    """Without message details it may be about any delivery. An answer about the known delivery closes the alert."""
    mailbox = ChangingMailbox(ACCOUNT, (MALICIOUS,))
    deployment = make_deployment(mailbox, FetchDetails="false")
    deployment.send(MALICIOUS.investigate_id)
    deployment.poll()
    mailbox.change(with_disposition("NONE"))

    logged = []
    for email_id in (MALICIOUS.postfix_id, MALICIOUS.alert_id, MALICIOUS.investigate_id):
        deployment.send(email_id)
        logged += outcomes(deployment.poll())

    assert logged == [NOTHING, NOTHING, CLOSED]
    assert changes(deployment) == [(*CREATE, "MALICIOUS", None), (*CLOSE, "NONE", "MALICIOUS")]


def test_thirty_deliveries_in_three_batches_have_one_alert_and_no_retry(deliveries: Deliveries) -> None:
    """No message uses a second receive."""
    deliveries.deployment.send(*(deliveries.change(number, "MALICIOUS") for number in range(30)))

    batches = [outcomes(deliveries.deployment.poll()) for _ in range(3)]

    assert [len(batch) for batch in batches] == [10, 10, 10]
    logged = [outcome for batch in batches for outcome in batch]
    assert (logged.count(ESCALATED), logged.count(DUPLICATE), logged.count(SENT_BEFORE)) == (1, 9, 20)
    assert deliveries.deployment.waiting() == 0
    assert (len(deliveries.deployment.alerts()), len(deliveries.deployment.records())) == (1, 1)


def test_recipient_of_a_later_delivery_has_a_pointer(deliveries: Deliveries) -> None:
    """The email's alert is found by a recipient that its record does not have."""
    deliveries.deployment.send(deliveries.change(1, "MALICIOUS", recipient="first@larkfield.example"))
    deliveries.deployment.poll()
    later = "recipient=later@larkfield.example"
    assert later not in deliveries.deployment.pointers()

    deliveries.deployment.send(deliveries.change(2, "MALICIOUS", recipient="Later <LATER@larkfield.example>"))

    assert outcomes(deliveries.deployment.poll()) == [SENT_BEFORE]
    assert later in deliveries.deployment.pointers()
    assert len(deliveries.deployment.alerts()) == 1
