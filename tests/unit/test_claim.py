"""Claims of alerts, against a table that answers from a list."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.email_id import EmailId
from functions.domain.email_state import EmailState, last_alert, plan
from functions.domain.recipients import recipients
from functions.domain.record import Activity, Record, State, moment
from functions.domain.search_values import SearchKind
from functions.ledger.claim import CONFLICT_PAUSE_SECONDS, ROUNDS, claim
from functions.ledger.claim_attempt import Claim, ClaimOwner, ClaimStatus
from functions.ledger.email_item import email_attributes, read_email
from functions.ledger.item import attributes
from functions.ledger.keys import YES, alert_key, email_key, pointer_key
from functions.ledger.table import LedgerUnavailable
from functions.ledger.transaction import MAX_WRITES
from tests.unit.examples import ALERT_ID, INVESTIGATE_ID, NOON, details, escalated
from tests.unit.fake_table import REFUSED_BY_CONFLICT, FakeTable, email_changed, key_of, pk_of, record_exists, values_of

LEASE = timedelta(seconds=65)
OWNER = ClaimOwner("worker-1", NOON, LEASE, publishes=True)
ALERT = escalated()
UNKNOWN_EMAIL = EmailState()


def claim_one(
    table: FakeTable, *records: Record, state: EmailState = UNKNOWN_EMAIL, owner: ClaimOwner = OWNER
) -> Claim:
    """Claim for one email, without waits."""
    [result] = claim(table, [(state, records)], owner, lambda _: None)
    return result


def email_item(alert: Record, **changes: Any) -> dict[str, Any]:
    """The item of an email whose last alert is this one."""
    state = replace(plan(EmailState(), [alert]).state, alert=last_alert(alert))
    return email_key(alert) | email_attributes(state, 0) | changes


def record_item(alert: Record, state: State, **changes: Any) -> dict[str, Any]:
    """The item of an alert's record in this state."""
    owner = {"owner": "worker-2", "lease_until": moment(NOON + timedelta(seconds=40)), "activity": alert.activity}
    return alert_key(alert) | attributes(alert, timedelta(days=400)) | owner | {"state": state} | changes


def test_new_email_is_claimed_with_one_transaction_of_email_and_record() -> None:
    table = FakeTable()
    result = claim_one(table, ALERT)
    assert result.alert is not None
    assert (ClaimStatus.CLAIMED, ALERT.alert_id) == (result.status, result.alert.alert_id)
    [[group]] = table.transactions
    assert [email_key(ALERT)["sk"], alert_key(ALERT)["sk"]] == [key_of(write) for write in group]
    assert 1 == values_of(group[0])["version"]
    known = values_of(group[1])
    assert ("PENDING", YES, "worker-1") == (known["state"], known["pending"], known["owner"])
    assert moment(NOON + LEASE) == known["lease_until"]


def test_answer_that_makes_no_alert_due_needs_no_transaction() -> None:
    table = FakeTable()
    not_escalated = replace(ALERT, disposition="SPAM", escalates=False)
    assert Claim(ClaimStatus.NOT_DUE) == claim_one(table, not_escalated)
    assert [] == table.transactions


def test_version_conflict_plans_again_from_the_current_item() -> None:
    """Another worker alerted with a lower disposition in between, so the alert becomes an Update of that one."""
    earlier = escalated(disposition="SUSPICIOUS")
    table = FakeTable(answers=[{0: email_changed(email_item(earlier, version=7))}])
    result = claim_one(table, ALERT)
    assert result.alert is not None
    assert ClaimStatus.CLAIMED is result.status
    assert (Activity.UPDATE, 1) == (result.alert.activity, result.alert.revision)
    assert result.alert.previous is not None
    assert earlier.alert_id == result.alert.previous.alert_id
    assert 8 == values_of(table.transactions[1][0][0])["version"]


def test_next_alert_replaces_a_record_whose_worker_died_and_takes_over_its_pointers() -> None:
    earlier = escalated(disposition="SUSPICIOUS")
    died = record_item(earlier, State.PENDING, lease_until=moment(NOON - timedelta(seconds=1)))
    table = FakeTable(items={died["sk"]: died})
    result = claim_one(table, ALERT, state=read_email(email_item(earlier)))
    [[[email, alert, replaced]]] = table.transactions
    assert [email_key(ALERT)["sk"], alert_key(ALERT)["sk"][:-1] + "1", died["sk"]] == [
        key_of(write) for write in (email, alert, replaced)
    ]
    assert State.REPLACED == values_of(replaced)["state"]
    assert result.unindexed is not None
    assert (ClaimStatus.CLAIMED, died["sk"]) == (result.status, alert_key(result.unindexed)["sk"])


def test_next_alert_waits_for_a_worker_that_may_still_publish_the_last_one() -> None:
    """Subscribers get the alerts about an email in order."""
    earlier = escalated(disposition="SUSPICIOUS")
    live = record_item(earlier, State.PENDING)
    table = FakeTable(items={live["sk"]: live})
    result = claim_one(table, ALERT, state=read_email(email_item(earlier)))
    assert (ClaimStatus.HELD, 40.0, []) == (result.status, result.lease_seconds_left, table.transactions)


def test_next_alert_takes_over_the_pointers_of_a_sent_record_that_has_none() -> None:
    earlier = escalated(disposition="SUSPICIOUS")
    sent = record_item(earlier, State.SENT)
    table = FakeTable(items={sent["sk"]: sent})
    result = claim_one(table, ALERT, state=read_email(email_item(earlier)))
    [[group]] = table.transactions
    assert result.unindexed is not None
    assert (2, sent["sk"]) == (len(group), alert_key(result.unindexed)["sk"])


def test_record_that_outlives_the_item_of_its_email_is_not_alerted_again() -> None:
    """DynamoDB deletes expired items at different times."""
    table = FakeTable(answers=[{0: record_exists(record_item(ALERT, State.SENT))}])
    result = claim_one(table, ALERT)
    assert (ClaimStatus.SENT, 1) == (result.status, len(table.transactions))


def test_sent_record_is_sent_and_the_email_still_gets_the_delivery() -> None:
    """The state that was read did not know that the alert is complete. The second round writes the email alone."""
    first = email_item(ALERT)
    second = escalated(id=EmailId(f"{ALERT_ID}-2"))
    table = FakeTable(
        answers=[{0: email_changed(first)}, {0: record_exists(record_item(ALERT, State.SENT))}],
    )
    assert ClaimStatus.SENT is claim_one(table, second).status
    [group] = table.transactions[2]
    assert [email_key(ALERT)["sk"]] == [key_of(write) for write in group]
    assert {INVESTIGATE_ID, f"{ALERT_ID}-2"} == {*values_of(group[0])["deliveries"]}


def test_sent_record_without_pointers_is_returned_as_unindexed() -> None:
    table = FakeTable(
        answers=[
            {0: email_changed(email_item(ALERT))},
            {0: record_exists(record_item(ALERT, State.SENT))},
        ]
    )
    result = claim_one(table, ALERT)
    assert result.unindexed is not None
    assert (ClaimStatus.SENT, alert_key(ALERT)) == (result.status, alert_key(result.unindexed))


def test_pending_record_with_a_live_lease_is_held_for_the_rest_of_the_lease() -> None:
    table = FakeTable(answers=[{0: record_exists(record_item(ALERT, State.PENDING))}])
    result = claim_one(table, ALERT)
    assert (ClaimStatus.HELD, 40.0) == (result.status, result.lease_seconds_left)
    assert 1 == len(table.transactions)


def test_own_claim_whose_answer_was_lost_is_claimed() -> None:
    """Botocore repeats a call that timed out, and the table refuses the repetition because of our own first write."""
    own = record_item(ALERT, State.PENDING, owner="worker-1")
    table = FakeTable(answers=[{0: email_changed(email_item(ALERT))}, {0: record_exists(own)}])
    result = claim_one(table, ALERT)
    assert result.alert is not None
    assert (ClaimStatus.CLAIMED, ALERT.alert_id) == (result.status, result.alert.alert_id)


def test_claim_is_unknown_after_conflicts_in_every_round() -> None:
    table, pauses = FakeTable(answers=[{0: REFUSED_BY_CONFLICT}] * ROUNDS), list[float]()
    assert [Claim(ClaimStatus.UNKNOWN)] == claim(table, [(EmailState(), [ALERT])], OWNER, pauses.append)
    assert ROUNDS == len(table.transactions) == len(pauses)
    shortest, longest = CONFLICT_PAUSE_SECONDS
    assert all(shortest <= pause <= longest for pause in pauses)


def test_conflict_about_one_email_does_not_repeat_the_claim_of_another() -> None:
    other = escalated(id=EmailId("4Njp3P0STMz2c02R"))
    table = FakeTable(answers=[{0: REFUSED_BY_CONFLICT}])
    results = claim(table, [(EmailState(), [ALERT]), (EmailState(), [other])], OWNER, lambda _: None)
    assert [ClaimStatus.CLAIMED] * 2 == [result.status for result in results]
    assert [2, 1] == [len(groups) for groups in table.transactions]


def test_unavailable_table_raises_ledger_unavailable() -> None:
    with pytest.raises(LedgerUnavailable):
        claim_one(FakeTable(answers=[LedgerUnavailable("DynamoDB did not answer")]), ALERT)


@pytest.mark.parametrize(("publishes", "expected"), [(True, "RECORDED"), (False, "-")], ids=["topic", "no topic"])
def test_record_that_was_never_published_can_be_claimed_only_with_a_topic(publishes: bool, expected: str) -> None:
    table = FakeTable()
    claim_one(table, ALERT, owner=replace(OWNER, publishes=publishes))
    assert expected == values_of(table.transactions[0][0][1])[":recorded"]


def test_further_delivery_of_a_complete_alert_adds_pointers_for_its_new_recipients() -> None:
    state = replace(plan(EmailState(), [ALERT]).state, version=3, alert=last_alert(ALERT), complete=True)
    second = escalated(id=EmailId(f"{ALERT_ID}-2"), details=details(id=f"{ALERT_ID}-2", to=["Kim@larkfield.example"]))
    table = FakeTable()
    assert ClaimStatus.NOT_DUE is claim_one(table, second, state=state).status
    [[group]] = table.transactions
    assert email_key(ALERT)["sk"] == key_of(group[0])
    pointer = pointer_key(SearchKind.RECIPIENT, "kim@larkfield.example", moment(NOON), alert_key(ALERT)["sk"])
    assert pointer["sk"] == key_of(group[-1])


def with_recipients(*addresses: str, **changes: Any) -> Record:
    """An escalated answer whose message details name these recipients."""
    return escalated(details=details(client_recipients=list(addresses)), **changes)


def test_recipients_of_another_delivery_in_the_batch_have_pointers_to_the_alert() -> None:
    """The record of the alert names those of one delivery only."""
    table = FakeTable()
    first = with_recipients("ann@corp.example")
    second = with_recipients("bob@corp.example", id=EmailId(f"{ALERT_ID}-2"), sqs_message_id="2")
    result = claim_one(table, first, second)
    assert result.alert is not None
    [[[_, record, *pointers]]] = table.transactions
    assert alert_key(result.alert)["sk"] == key_of(record)
    told = {*recipients(result.alert.detection, result.alert.details)}
    others = {"ann@corp.example", "bob@corp.example"} - told
    assert {f"{SearchKind.RECIPIENT}={it}" for it in others} == {pk_of(write) for write in pointers}


def test_claim_never_has_more_writes_than_a_transaction_or_a_key_twice() -> None:
    """DynamoDB refuses such a transaction, and with it those of all other emails in the batch."""
    known = read_email(email_item(ALERT))
    many = with_recipients(
        *(f"user{n}@corp.example" for n in range(150)),
        "bob@corp.example",
        "bob@corp.example.",
        id=EmailId(f"{ALERT_ID}-2"),
    )
    table = FakeTable()
    claim_one(table, many, state=replace(known, complete=True))
    [[group]] = table.transactions
    keys = [(pk_of(write), key_of(write)) for write in group]
    assert (MAX_WRITES, len(keys)) == (len(group), len({*keys}))
    assert f"full={SearchKind.RECIPIENT}" == pk_of(group[-1])


def test_item_that_has_lost_its_version_is_an_unknown_email() -> None:
    assert EmailState() == read_email(email_key(ALERT) | {"complete_alert": ALERT.alert_id})
    without_alert = {
        name: it for name, it in email_item(ALERT).items() if not name.startswith("last_") and name != "alert_id"
    }
    assert read_email(without_alert).alert is None
