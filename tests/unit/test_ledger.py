"""Operations of the ledger, with answers of DynamoDB that the emulator does not give."""

import copy
from datetime import timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.stub import ANY, Stubber

from functions.ledger.keys import alert_key, email_key, pointed_at
from functions.ledger.ledger import Ledger
from functions.ledger.table import LedgerUnavailable, Table
from functions.ledger.transaction import MAX_WRITES
from tests.unit.examples import NOON, detection, escalated, record
from tests.unit.fake_table import REFUSED_BY_CONFLICT, FakeTable, key_of, values_of

TABLE = "records"
LINKS = 150
"""More links than one record has pointers for (100), and with hashes more values than one transaction has writes."""


def many_values() -> Any:
    """An alert with 100 link hosts and 100 hashes: 200 pointers."""
    links = [{"href": f"https://{n}.example/"} for n in range(LINKS)]
    return escalated(detection=detection(links=links, attachments=[{"sha256": f"{n:064x}"} for n in range(LINKS)]))


def test_record_that_dynamodb_returns_unprocessed_is_not_written() -> None:
    """DynamoDB returns numbers in its own spelling, so an unprocessed item is recognized by its key."""
    dynamodb = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="-", aws_secret_access_key="-")
    ledger = Ledger(Table(dynamodb, TABLE, timedelta(days=400)))
    scored = record(sqs_message_id="1", detection=detection(findings=[{"score": 1e-7}]))
    sent: list[Any] = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.BatchWriteItem", lambda params, **_: sent.extend(params["RequestItems"][TABLE])
    )
    with Stubber(dynamodb) as aws:
        aws.add_response("batch_write_item", {"UnprocessedItems": {}}, {"RequestItems": ANY})
        assert [True, True] == ledger.record([scored, record(sqs_message_id="2")])
    [unprocessed] = [it for it in sent if it["PutRequest"]["Item"]["sk"]["S"].endswith("#1")]
    returned = copy.deepcopy(unprocessed)
    [finding] = returned["PutRequest"]["Item"]["detection"]["M"]["findings"]["L"]
    assert {"N": "1e-07"} == finding["M"]["score"]
    finding["M"]["score"] = {"N": "0.0000001"}
    with Stubber(dynamodb) as aws:
        aws.add_response("batch_write_item", {"UnprocessedItems": {TABLE: [returned]}}, {"RequestItems": ANY})
        assert [False, True] == ledger.record([scored, record(sqs_message_id="2")])


def test_more_pointers_than_a_transaction_holds_are_put_before_it() -> None:
    """99 pointers and the completing write fill a transaction of 100. The other 103 go ahead, with those of full kinds."""
    table, alert = FakeTable(), many_values()
    assert [True] == Ledger(table).index([(alert, None)], sent=True)
    [[group]] = table.transactions
    assert (MAX_WRITES, 103) == (len(group), len(table.put_items))
    assert email_key(alert)["sk"] == key_of(group[-1])
    in_transaction = {cast("Any", write)["Put"]["Item"]["pk"]["S"] for write in group[:-1]}
    assert 202 == len(in_transaction | {it["pk"] for it in table.put_items})


def test_record_is_not_complete_if_one_of_its_many_pointers_is_refused() -> None:
    """The redelivery writes the pointers again."""
    table = FakeTable(refused_puts=frozenset({50}))
    assert [False] == Ledger(table).index([(many_values(), None)], sent=True)
    assert [[]] == table.transactions


def test_refused_group_leaves_only_its_own_record_unindexed() -> None:
    table = FakeTable(answers=[{1: REFUSED_BY_CONFLICT}])
    records = [escalated(), escalated(revision=1), escalated(revision=2)]
    assert [True, False, True] == Ledger(table).index([(it, None) for it in records], sent=True)


@pytest.mark.parametrize("sent", [True, False], ids=["published", "not published"])
def test_email_is_complete_only_if_its_alert_was_published(sent: bool) -> None:
    """Without a topic the record stays claimable, so that an alert goes out once there is one."""
    table, alert = FakeTable(), escalated()
    assert [True] == Ledger(table).index([(alert, None)], sent=sent)
    [[[*_, completion]]] = table.transactions
    assert email_key(alert)["sk"] == key_of(completion)
    assert {"complete_alert": alert.alert_id if sent else ""} == values_of(completion)


def test_pointers_of_the_alert_before_are_written_with_the_alert() -> None:
    """A worker died before it wrote them, and the next answer made another alert due."""
    table, links = FakeTable(), [{"href": "https://evil.example/"}]
    before, alert = (escalated(detection=detection(links=links), revision=n) for n in (0, 1))
    assert [True] == Ledger(table).index([(alert, before)], sent=True)
    [[[*writes, _]]] = table.transactions
    pointed = {pointed_at(key_of(write))["sk"] for write in writes}
    assert {alert_key(before)["sk"], alert_key(alert)["sk"]} == pointed


def test_mark_that_meets_a_conflict_raises_ledger_unavailable() -> None:
    table = FakeTable(answers=[{0: REFUSED_BY_CONFLICT[:1]}])
    with pytest.raises(LedgerUnavailable):
        Ledger(table).mark([(escalated(), {"findings": "sns-1"})], "worker-1", NOON)
