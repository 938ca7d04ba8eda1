"""`make run` is a proof: it passes on the real thing, and fails as soon as anything at all is missing."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops.local.consignment import consignments
from ops.local.inbox import ReceivedAlert
from ops.local.mailbox import Mailbox
from ops.local.proof import Travel, Yield, problems

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef

ROOT = Path(__file__).parents[2]
CONSIGNMENTS = consignments(Mailbox.load())


def test_run() -> None:
    """The whole run passes, and says so in its last line and by its exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "ops.local.run"], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("all as expected")
    assert f"{len(CONSIGNMENTS)} messages" in done.stdout.splitlines()[-1]


def test_consignments_cover_everything() -> None:
    """Every file in events/ is sent, and every disposition is among the mails."""
    sources = {it.source for it in CONSIGNMENTS}
    assert {path.name for path in (ROOT / "events").glob("*.json")} | {"mailbox"} == sources
    assert {"ESCALATED", "NOT_ESCALATED", "NOT_FOUND", "REJECTED"} == {it.outcome for it in CONSIGNMENTS}


def test_severities_are_expected_of_every_alert() -> None:
    """Each mail that is alerted on has a severity in the mailbox, and no other has one."""
    assert {True} == {(it.severity is not None) == (it.outcome == "ESCALATED") for it in CONSIGNMENTS if it.mail}
    assert {"Critical", "High", "Medium"} == {it.severity for it in CONSIGNMENTS} - {None}


def _attributes(reason: str) -> "dict[str, MessageAttributeValueOutputTypeDef]":
    values = {"reason": reason, "detail": "why"}
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def _perfect() -> Yield:
    """What one escalated mail, one rejected and one that was not found leave behind."""
    escalated, rejected, missing = (
        next(it for it in CONSIGNMENTS if it.outcome == outcome and (it.mail or outcome == "REJECTED"))
        for outcome in ("ESCALATED", "REJECTED", "NOT_FOUND")
    )
    alert = ReceivedAlert(
        "sns-1",
        "subject",
        "text",
        {},
        {"alert_id": "a-1", "disposition": escalated.disposition or "", "severity": escalated.severity or ""},
    )
    outcome = {
        "outcome": "ESCALATED",
        "alert_id": "a-1",
        "sns_message_id": "sns-1",
        "disposition": escalated.disposition,
    }
    return Yield(
        travels=[
            Travel(escalated, (outcome,)),
            Travel(rejected, ({"outcome": "REJECTED", "reason": rejected.reason},)),
            Travel(missing, ({"outcome": "NOT_FOUND", "id": "m-1"},)),
        ],
        alerts=[alert],
        records=[
            {"alert_id": "a-1", "outcome": "ESCALATED", "state": "SENT", "sns_message_id": "sns-1"},
            {"id": "m-1", "outcome": "NOT_FOUND", "state": "RECORDED"},
        ],
        dead_letters=[{"MessageAttributes": _attributes(rejected.reason or "")}],
    )


def test_perfect_run() -> None:
    """Nothing is wrong where everything is there."""
    assert [] == problems(_perfect())


SPOILED: dict[str, Callable[[Yield], Yield]] = {
    "no-outcome": lambda it: replace(it, travels=[replace(it.travels[0], outcomes=()), *it.travels[1:]]),
    "other-outcome": lambda it: replace(
        it, travels=[replace(it.travels[0], outcomes=({"outcome": "NOT_ESCALATED"},)), *it.travels[1:]]
    ),
    "no-alert": lambda it: replace(it, alerts=[]),
    "alert-twice": lambda it: replace(it, alerts=[*it.alerts, *it.alerts]),
    "alert-of-nothing": lambda it: replace(
        it, alerts=[*it.alerts, replace(it.alerts[0], attributes={"alert_id": "a-2", "disposition": ""})]
    ),
    "alert-says-otherwise": lambda it: replace(
        it, alerts=[replace(it.alerts[0], attributes=it.alerts[0].attributes | {"disposition": "SPAM"})]
    ),
    "alert-with-another-severity": lambda it: replace(
        it, alerts=[replace(it.alerts[0], attributes=it.alerts[0].attributes | {"severity": "Low"})]
    ),
    "alert-without-severity": lambda it: replace(
        it, alerts=[replace(it.alerts[0], attributes=it.alerts[0].attributes | {"severity": ""})]
    ),
    "no-record": lambda it: replace(it, records=it.records[1:]),
    "record-pending": lambda it: replace(it, records=[dict(it.records[0]) | {"state": "PENDING"}, *it.records[1:]]),
    "record-of-another-alert": lambda it: replace(
        it, records=[dict(it.records[0]) | {"sns_message_id": "sns-2"}, *it.records[1:]]
    ),
    "record-of-nothing": lambda it: replace(it, records=[*it.records, dict(it.records[0]) | {"alert_id": "a-2"}]),
    "not-found-unrecorded": lambda it: replace(it, records=it.records[:1]),
    "no-rejection": lambda it: replace(it, dead_letters=[]),
    "rejection-for-another-reason": lambda it: replace(
        it,
        dead_letters=[{"MessageAttributes": _attributes("x")}],
    ),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_spoiled_run(spoil: Callable[[Yield], Yield]) -> None:
    """Each single thing that is missing or too much is told."""
    assert problems(spoil(_perfect()))
