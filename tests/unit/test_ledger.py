"""Ledger: DynamoDB responses that the emulator does not produce."""

import copy
from datetime import timedelta
from typing import Any

import boto3
from botocore.stub import ANY, Stubber

from functions.ledger.ledger import Ledger
from tests.unit.examples import detection, record

TABLE = "records"


def test_unprocessed_record_is_reported_by_its_key_and_the_other_is_recorded() -> None:
    """DynamoDB may return its numbers in another notation, so only the key identifies the record."""
    dynamodb = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="-", aws_secret_access_key="-")
    ledger = Ledger(dynamodb, TABLE, timedelta(days=400))
    scored = record(sqs_message_id="1", detection=detection(findings=[{"score": 1e-7}]))
    sent: list[Any] = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.BatchWriteItem", lambda params, **_: sent.extend(params["RequestItems"][TABLE])
    )
    with Stubber(dynamodb) as aws:
        aws.add_response("batch_write_item", {"UnprocessedItems": {}}, {"RequestItems": ANY})
        assert [True, True] == ledger.record([scored, record(sqs_message_id="2")])
    [unprocessed] = [request for request in sent if request["PutRequest"]["Item"]["sk"]["S"].endswith("#1")]
    returned = copy.deepcopy(unprocessed)
    [finding] = returned["PutRequest"]["Item"]["detection"]["M"]["findings"]["L"]
    assert {"N": "1e-07"} == finding["M"]["score"]
    finding["M"]["score"] = {"N": "0.0000001"}
    with Stubber(dynamodb) as aws:
        aws.add_response("batch_write_item", {"UnprocessedItems": {TABLE: [returned]}}, {"RequestItems": ANY})
        assert [False, True] == ledger.record([scored, record(sqs_message_id="2")])
