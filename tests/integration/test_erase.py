"""`escalator erase` on the emulated AWS: one person's address leaves the table, and everything else stays."""

import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from functions.ledger.attribute_values import to_item
from functions.ledger.keys import ERASING
from ops.escalator.cli import escalator
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from tests.doctor.operator import NO_ACCOUNT
from tests.integration.deployment import Deployment, MakeDeployment, outcomes
from tests.integration.fake_cloudflare_client import ACCOUNT
from tests.integration.test_escalation import MALICIOUS

ANN, JOANN, BOB = "ann.lee@corp.example", "jo.ann.lee@corp.example", "bob@corp.example"


def mail_to_both() -> Mail:
    """An email to three people. It has Ann's address in nine spellings."""
    details = dict(MALICIOUS.mail or {}) | {
        "client_recipients": ["Ann.Lee@corp.example", JOANN],
        "envelope_to": [ANN],
        "to": [f'"Lee, Ann" <{ANN}>', BOB],
        "to_name": ["Lee, Ann"],
        "subject": f"Ann Lee, your account {ANN} expires",
    }
    result = dict(MALICIOUS.result or {})
    result["headers"] = [
        {"name": "Received", "value": f"from out.example by mx1.corp.example with ESMTPS id 1 for <{ANN}>; Tue"},
        {"name": "To", "value": f"Ann Lee <{ANN.upper()}>, Bob <{BOB}>, {JOANN}"},
        {"name": "Cc", "value": "=?utf-8?q?Ann_Lee_=3Cann=2Elee=40corp=2Eexample=3E?="},
        {"name": "Return-Path", "value": "<bounce-ann.lee=corp.example@sender.example>"},
    ]
    result["links"] = [
        {"href": "https://evil.example/?e=ann.lee%40corp.example&n=jo.ann.lee%40corp.example", "text": "open"}
    ]
    return replace(MALICIOUS, mail=details, result=result)


@pytest.fixture
def deployment(make_deployment: MakeDeployment) -> Deployment:
    """Make a deployment that has sent one alert."""
    made = make_deployment(Mailbox(ACCOUNT, (mail_to_both(),)))
    made.send(MALICIOUS.postfix_id)
    assert ["ESCALATED"] == [it for it, _ in outcomes(made.poll())]
    return made


def run(deployment: Deployment, *args: str) -> Result:
    """Run a command on the table."""
    environment = {**deployment.stack.aws, **NO_ACCOUNT}
    arguments = [*args, "--table", deployment.stack.table]
    return CliRunner().invoke(escalator, arguments, env=environment, prog_name="escalator")


def rows(done: Result) -> list[dict[str, Any]]:
    """The rows of a run with --json."""
    assert 0 == done.exit_code, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_without_apply_nothing_changes(deployment: Deployment) -> None:
    before = deployment.items()
    found = rows(run(deployment, "erase", ANN, "--json"))
    assert before == deployment.items()
    assert {("email", "would be erased"), ("record", "would be erased")} == {(it["item"], it["result"]) for it in found}


def test_address_leaves_the_table_in_every_spelling(deployment: Deployment) -> None:
    """The other recipients stay, also one whose address ends with the same characters."""
    done = run(deployment, "erase", "Ann Lee <ANN.LEE@corp.example>", "--apply")
    assert 0 == done.exit_code, done.output
    left = json.dumps(deployment.items(), ensure_ascii=False).lower()
    without = left.replace(JOANN, "").replace(JOANN.replace("@", "%40"), "")
    assert "ann.lee" not in without
    assert "ann_lee" not in without
    assert "lee, ann" not in without
    assert JOANN in left
    assert BOB in left
    assert JOANN.replace("@", "%40") in left


def test_campaign_counts_as_many_people_as_before_and_has_another_digest(deployment: Deployment) -> None:
    def people() -> list[str]:
        [copy] = [it for it in deployment.items() if it["pk"].startswith("campaign=") and not it["sk"].startswith("#")]
        found: list[str] = copy["people"]
        return found

    before = people()
    run(deployment, "erase", ANN, "--apply")
    assert (len(before), 1) == (len(people()), len({*before} - {*people()}))


def test_person_is_not_found_and_others_are(deployment: Deployment) -> None:
    [record] = deployment.records()
    run(deployment, "erase", ANN, "--apply")
    assert [] == rows(run(deployment, "history", "--recipient", ANN, "--json"))
    assert [] == rows(run(deployment, "find", ANN, "--json"))
    for other in (JOANN, BOB):
        assert [record["alert_id"]] == [
            it["alert_id"] for it in rows(run(deployment, "history", "--recipient", other, "--json"))
        ]
    assert [record["alert_id"]] == [it["alert_id"] for it in rows(run(deployment, "find", "evil.example", "--json"))]


def test_decision_times_and_indicators_stay_and_explain_names_the_erasure(deployment: Deployment) -> None:
    """What changed is the text of recipients, and the note who erased it."""
    [before] = deployment.records()
    run(deployment, "erase", ANN, "--apply")
    [after] = deployment.records()
    assert before.keys() | {"erasures"} == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert {"detection", "details", "subject"} == changed
    [erasure] = after["erasures"]
    assert erasure["by"].startswith("arn:aws:")
    assert erasure["placeholder"] in after["details"]["to"][0]
    explained = run(deployment, "explain", MALICIOUS.postfix_id)
    assert 0 == explained.exit_code, explained.output
    assert f"by {erasure['by']}" in explained.stdout


def test_second_run_changes_nothing(deployment: Deployment) -> None:
    run(deployment, "erase", ANN, "--apply")
    before = deployment.items()
    assert [] == rows(run(deployment, "erase", ANN, "--apply", "--json"))
    assert before == deployment.items()


def test_memory_against_repeats_stays(deployment: Deployment) -> None:
    """The email brings the address back, because it is processed again: the page says so."""
    deployment.alerts()
    run(deployment, "erase", ANN, "--apply")
    deployment.send(MALICIOUS.postfix_id)
    assert [("ALREADY_ESCALATED", "alert-sent-before")] == outcomes(deployment.poll())
    assert [] == deployment.alerts()


def test_interrupted_erasure_goes_on_with_its_placeholder(deployment: Deployment) -> None:
    """The note of it is gone at the end."""
    marker = {"pk": f"recipient={ANN}", "sk": ERASING, "placeholder": "erased-00c0ffee@erased.invalid"}
    deployment.stack.dynamodb.put_item(TableName=deployment.stack.table, Item=to_item(marker))
    run(deployment, "erase", ANN, "--apply")
    [record] = deployment.records()
    assert marker["placeholder"] in json.dumps(record["details"])
    assert [] == [it for it in deployment.items() if it["pk"] == marker["pk"]]


def test_record_that_has_no_pointer_because_it_is_full_is_erased(deployment: Deployment) -> None:
    """Records with a hundred recipients are read one by one."""
    dynamodb, table = deployment.stack.dynamodb, deployment.stack.table
    [pointer] = [it for it in deployment.items() if it["pk"] == f"recipient={ANN}"]
    dynamodb.delete_item(TableName=table, Key=to_item({"pk": pointer["pk"], "sk": pointer["sk"]}))
    dynamodb.put_item(TableName=table, Item=to_item(pointer | {"pk": "full=recipient"}))
    found = rows(run(deployment, "erase", ANN, "--apply", "--json"))
    assert ["erased"] * 2 == [it["result"] for it in found]
    assert ANN not in json.dumps(deployment.records()).replace(JOANN, "").lower()


def test_name_of_the_operator_is_erased_everywhere(deployment: Deployment) -> None:
    run(deployment, "erase", ANN, "--name", "Ann Lee", "--apply")
    [record] = deployment.records()
    assert record["subject"].startswith("erased-")
    assert "Ann Lee" not in json.dumps(record)


@pytest.mark.parametrize("text", ["", "ann", "corp.example"])
def test_text_that_is_no_address_is_a_usage_error(deployment: Deployment, text: str) -> None:
    assert 2 == run(deployment, "erase", text).exit_code
