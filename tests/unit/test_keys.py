"""Keys and indexes of the ledger's table, compared with the template."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samtranslator.yaml_helper import yaml_parse

from functions.domain.email_id import EmailId
from functions.domain.email_state import last_alert
from functions.domain.record import PreviousAlert, Record, moment
from functions.domain.search_values import MAX_CATEGORIES, MAX_VALUES, SearchKind, search_value
from functions.ledger.item import attributes
from functions.ledger.keys import (
    MONTH,
    Index,
    alert_key,
    decision_key,
    email_key,
    is_record,
    pointed_at,
    pointer_key,
    pointers,
    recipient_pointers,
)
from ops.local.template import TEMPLATE
from tests.strategies import Answer, any_text, json_values, wild_answers, wild_details
from tests.unit.examples import (
    ACCOUNT,
    FORMS,
    INVESTIGATE_ID,
    NOON,
    POSTFIX_ID,
    details,
    detection,
    escalated,
    parsed_record,
    record,
)

TABLE: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]["LedgerTable"]["Properties"]
INDEXES: dict[str, Any] = {index["IndexName"]: index for index in TABLE["GlobalSecondaryIndexes"]}
FULL = escalated(
    detection=detection(sender_info={"ip": "192.0.2.1", "pld": "evil.example"}),
    details=details(),
)
WRITTEN_BY_CLAIM_AND_MARK = {"activity", "alert_id", "state", "pending", "published_at"}
PREVIOUS = PreviousAlert("SUSPICIOUS", "7" * 32)
PARTITION_KEY_LIMIT, SORT_KEY_LIMIT = 2_048, 1_024
"""Bytes that DynamoDB accepts in a key."""
LONGEST_IDS = record(
    id=EmailId(f"{'4' * 64}-2026-11-20T08:15:00-{'9' * 20}"),
    disposition="MALICIOUS-" + "X" * 30,
    revision=10**6,
    sqs_message_id="7" * 100,
)
"""A record whose ids and disposition have their maximum length."""


def key_schema(declared: Any) -> list[tuple[str, str]]:
    return [(part["AttributeName"], part["KeyType"]) for part in declared["KeySchema"]]


# --- the template -----------------------------------------------------------------------------------------------------


def test_every_key_has_the_parts_that_the_template_declares() -> None:
    assert [("pk", "HASH"), ("sk", "RANGE")] == key_schema(TABLE)
    keys = [alert_key(FULL), decision_key(FULL), email_key(FULL), pointer_key(SearchKind.CATEGORY, "a", "b", "c")]
    assert [["pk", "sk"]] * len(keys) == [[*key] for key in keys]


def test_template_has_exactly_the_indexes_that_queries_use() -> None:
    assert [*Index] == [*INDEXES]


@pytest.mark.parametrize("index", Index)
def test_index_partitions_by_its_attribute_and_sorts_by_time(index: Index) -> None:
    assert [(index.partitioned_by, "HASH"), ("decided_at", "RANGE")] == key_schema(INDEXES[index])


@pytest.mark.parametrize("index", Index)
def test_record_has_every_attribute_of_an_index(index: Index) -> None:
    """The keys of the index, and the attributes that are projected into it."""
    projected = INDEXES[index]["Projection"].get("NonKeyAttributes", [])
    written = attributes(FULL, timedelta(days=400)).keys() | WRITTEN_BY_CLAIM_AND_MARK
    assert {index.partitioned_by, "decided_at", *projected} <= written


def test_template_declares_the_attributes_of_keys_only() -> None:
    """All are texts. CloudFormation refuses a declared attribute that no key uses."""
    in_keys = {name for table in (TABLE, *INDEXES.values()) for name, _ in key_schema(table)}
    declared = {it["AttributeName"]: it["AttributeType"] for it in TABLE["AttributeDefinitions"]}
    assert dict.fromkeys(in_keys, "S") == declared


def test_month_is_the_start_of_a_moment() -> None:
    assert "2026-11" == moment(NOON)[MONTH]


# --- the keys of records ----------------------------------------------------------------------------------------------

ALERTS: dict[str, tuple[dict[str, object], str]] = {
    "first alert": ({}, "0"),
    "same alert for another message": ({"sqs_message_id": "2"}, "0"),
    "same alert with another disposition": ({"disposition": "SUSPICIOUS"}, "0"),
    "update": ({"revision": 1, "previous": PREVIOUS}, "1"),
    "second update": ({"revision": 2, "previous": PREVIOUS}, "2"),
    "close": ({"revision": 1, "previous": PREVIOUS, "disposition": "NONE"}, "1"),
}


@pytest.mark.parametrize(("changes", "revision"), ALERTS.values(), ids=ALERTS)
def test_alert_has_one_key_per_email_and_revision(changes: dict[str, object], revision: str) -> None:
    """Two workers cannot claim two alerts of the same revision."""
    expected = {"pk": POSTFIX_ID, "sk": f"{ACCOUNT}/{POSTFIX_ID}#{revision}"}
    assert expected == alert_key(record(**changes))


DECISIONS = {
    "disposition that is not escalated": ("SPAM", "NOT_ESCALATED", "SPAM#7"),
    "no disposition": (None, "NOT_ESCALATED", "NOT_ESCALATED#7"),
    "no detection": (None, "NOT_FOUND", "NOT_FOUND#7"),
}


@pytest.mark.parametrize(("disposition", "outcome", "label"), DECISIONS.values(), ids=DECISIONS)
def test_decision_without_an_alert_has_one_key_per_request(disposition: str | None, outcome: str, label: str) -> None:
    """No decision overwrites another, and a redelivery adds none."""
    decision = record(disposition=disposition, outcome=outcome, sqs_message_id="7")
    assert {"pk": POSTFIX_ID, "sk": f"{ACCOUNT}/{POSTFIX_ID}#{label}"} == decision_key(decision)


def test_email_has_one_key_for_all_of_its_alerts() -> None:
    changes: list[dict[str, Any]] = [{}, {"disposition": "NONE", "revision": 3, "previous": PREVIOUS}]
    assert [{"pk": POSTFIX_ID, "sk": f"{ACCOUNT}/{POSTFIX_ID}"}] * 2 == [email_key(record(**it)) for it in changes]


@pytest.mark.parametrize("id", FORMS.values(), ids=FORMS)
def test_email_and_its_records_have_one_partition_and_different_sort_keys(id: str) -> None:
    keys = [make(record(id=EmailId(id))) for make in (email_key, alert_key, decision_key)]
    assert [POSTFIX_ID] * 3 == [key["pk"] for key in keys]
    assert [False, True, True] == [is_record(key["sk"]) for key in keys]
    assert 3 == len({key["sk"] for key in keys})


@pytest.mark.parametrize("make", [email_key, alert_key, decision_key])
def test_all_forms_of_an_id_have_the_same_key(make: Any) -> None:
    """A mailbox, a SIEM and an analyst can each use another form of the id."""
    assert 1 == len({make(record(id=EmailId(form)))["sk"] for form in FORMS.values()})


def test_short_postfix_id_with_another_date_has_another_key_in_the_same_partition() -> None:
    """Postfix uses a short id again, so the date tells the emails apart."""
    days = [record(id=EmailId(f"C3CD21F3E90-2026-11-{day}T08:00:00")) for day in ("20", "21")]
    assert [f"{ACCOUNT}/C3CD21F3E90@2026-11-{day}#0" for day in ("20", "21")] == [alert_key(it)["sk"] for it in days]
    assert {"C3CD21F3E90"} == {alert_key(it)["pk"] for it in days}


# --- pointers ---------------------------------------------------------------------------------------------------------


def test_pointer_sorts_by_time_and_names_its_record() -> None:
    assert {"pk": "link_host=evil.example", "sk": "2026-11-23T12:00:00.000Z a/b#c"} == pointer_key(
        SearchKind.LINK_HOST, "evil.example", "2026-11-23T12:00:00.000Z", "a/b#c"
    )


any_record = st.builds(
    record,
    id=st.sampled_from([EmailId(form) for form in (*FORMS.values(), "C3CD21F3E90-2026-11-20T08:00:00")]),
    account_id=st.text("0123456789abcdef", min_size=32, max_size=32),
    disposition=st.none() | st.sampled_from(["MALICIOUS", "MALICIOUS-BEC", "NONE"]),
    outcome=st.sampled_from(["ESCALATED", "NOT_FOUND"]),
    revision=st.integers(0, 5),
    sqs_message_id=st.uuids().map(str),
)


@given(any_record, st.sampled_from(SearchKind), any_text)
def test_any_pointer_leads_to_its_record(pointed_record: Record, kind: SearchKind, text: str) -> None:
    for key in (alert_key(pointed_record), decision_key(pointed_record)):
        pointer = pointer_key(kind, search_value(kind, text), moment(pointed_record.decided_at), key["sk"])
        assert key == pointed_at(pointer["sk"])


def test_record_has_a_pointer_for_every_value() -> None:
    found = escalated(
        detection=detection(
            links=[{"href": "https://login.evil.example/a"}],
            attachments=[{"sha256": "F" * 64}],
            threat_categories=[{"name": "Credential Harvester"}],
            headers=[{"name": "Cc", "value": "kim@larkfield.example"}],
            sender_info={"ip": "192.0.2.1", "pld": "evil.example"},
        ),
        details=details(),
    )
    made = pointers(found, alert_key(found))
    assert [
        "link_host=login.evil.example",
        f"attachment_hash={'f' * 64}",
        "category=credential harvester",
        "recipient=gareth@larkfield.example",
        "recipient=kim@larkfield.example",
        "sender=pay@evil.example",
        "sender=bounce@evil.example",
        "sender_domain=evil.example",
        "sender_ip=192.0.2.1",
        "message_id=1@evil.example",
    ] == [pointer["pk"] for pointer in made]
    assert {f"2026-11-23T12:00:00.000Z {alert_key(found)['sk']}"} == {pointer["sk"] for pointer in made}


def test_record_with_as_many_values_as_are_kept_says_that_there_may_be_more() -> None:
    """One value less, and nothing is missing."""
    for count, full in ((MAX_VALUES - 1, []), (MAX_VALUES, ["full=link_host"]), (MAX_VALUES + 9, ["full=link_host"])):
        links = [{"href": f"https://host{number}.example/"} for number in range(count)]
        found = escalated(detection=detection(links=links))
        assert full == [it["pk"] for it in pointers(found, alert_key(found)) if it["pk"].startswith("full=")]


def test_email_that_takes_no_further_recipient_says_so() -> None:
    alert = escalated()
    made = recipient_pointers(["kim@larkfield.example"], last_alert(alert), email_key(alert), is_full=True)
    assert ["recipient=kim@larkfield.example", "full=recipient"] == [it["pk"] for it in made]
    assert {alert_key(alert)["sk"]} == {pointed_at(it["sk"])["sk"] for it in made}


def test_further_recipient_has_a_pointer_to_the_record_of_the_last_alert() -> None:
    """The pointer is equal to the one that the record itself would have."""
    alert = escalated(detection=detection(headers=[{"name": "To", "value": "Kim@larkfield.example"}]), revision=2)
    [made] = recipient_pointers(["Kim@larkfield.example", ""], last_alert(alert), email_key(alert))
    assert [made] == pointers(alert, alert_key(alert))
    assert alert_key(alert) == pointed_at(made["sk"])


hostile_text = any_text | st.text(st.sampled_from(" aA\t\u0130\u03a3\U0001f600"), min_size=490, max_size=520)


@given(
    wild_answers(json_values() | hostile_text, json_values()),
    wild_details(json_values() | hostile_text),
    st.lists(st.tuples(hostile_text, hostile_text)),
)
def test_any_answer_has_pointers_that_dynamodb_accepts(
    answer: Answer, details_answer: Answer, named: list[tuple[str, str]]
) -> None:
    """No key is too long or empty, and none occurs twice: DynamoDB refuses a transaction with a key twice."""
    links = [{"href": f"{scheme}://{host}/"} for pair in named for scheme in ("https", pair[0]) for host in pair]
    categories = [{"name": name} for pair in named for name in pair]
    for result in (answer, answer | {"links": links, "threat_categories": categories}):
        found = parsed_record(result, details_answer, LONGEST_IDS)
        for key in (alert_key(found), decision_key(found)):
            made = pointers(found, key)
            assert len(made) == len({(pointer["pk"], pointer["sk"]) for pointer in made})
            assert len(made) <= MAX_VALUES * (len(SearchKind) - 1) + MAX_CATEGORIES + len(SearchKind)
            assert all(len(pointer["pk"].encode()) <= PARTITION_KEY_LIMIT for pointer in made)
            assert all(len(pointer["sk"].encode()) <= SORT_KEY_LIMIT for pointer in made)
            assert not [pointer for pointer in made if pointer["pk"] in {f"{kind}=" for kind in SearchKind}]


def test_longest_id_is_valid() -> None:
    """The property above uses the longest id that the pattern accepts."""
    assert LONGEST_IDS.id == EmailId.read(LONGEST_IDS.id.value)
    assert INVESTIGATE_ID != LONGEST_IDS.id.value
