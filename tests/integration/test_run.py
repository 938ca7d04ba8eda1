"""`make run` passes with the real function, and its checks find each single difference."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops.local.fake_cloudflare.mailbox import Mailbox
from ops.local.scenarios import scenarios
from ops.local.subscriber import ReceivedAlert
from ops.local.verify import MessageTrace, RunResult, problems

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef

ROOT = Path(__file__).parents[2]
SCENARIOS = scenarios(Mailbox.load())


def test_run_passes() -> None:
    """Its last line and its exit status show the success."""
    process = subprocess.run(
        [sys.executable, "-m", "ops.local.run"], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ
    )

    assert 0 == process.returncode, process.stdout + process.stderr
    assert process.stdout.rstrip().endswith("all as expected")
    assert f"{len(SCENARIOS)} messages" in process.stdout.splitlines()[-1]


def test_scenarios_cover_all_event_files_and_outcomes() -> None:
    """Emails that no event names come from the mailbox, or from the feed."""
    sources = {it.source for it in SCENARIOS}
    assert {path.name for path in (ROOT / "events").glob("*.json")} | {"mailbox", "feed"} == sources
    assert {"ESCALATED", "NOT_ESCALATED", "NOT_FOUND", "REJECTED"} == {it.outcome for it in SCENARIOS}


def test_every_alert_has_an_expected_severity() -> None:
    """The mailbox has a severity for each email with an alert, and for no other."""
    assert {True} == {(it.severity is not None) == (it.outcome == "ESCALATED") for it in SCENARIOS if it.mail}
    assert {"Critical", "High", "Medium"} == {it.severity for it in SCENARIOS} - {None}


def _attributes(reason: str) -> "dict[str, MessageAttributeValueOutputTypeDef]":
    values = {"reason": reason, "detail": "why"}
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def _expected_result() -> RunResult:
    """Make the expected result of an escalated, a rejected and a missing email."""
    escalated, rejected, missing = (
        next(it for it in SCENARIOS if it.outcome == outcome and (it.mail or outcome == "REJECTED"))
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
    return RunResult(
        traces=[
            MessageTrace(escalated, (outcome,)),
            MessageTrace(rejected, ({"outcome": "REJECTED", "reason": rejected.reason},)),
            MessageTrace(missing, ({"outcome": "NOT_FOUND", "id": "m-1"},)),
        ],
        alerts=[alert],
        records=[
            {"alert_id": "a-1", "outcome": "ESCALATED", "state": "SENT", "sns_message_id": "sns-1"},
            {"id": "m-1", "outcome": "NOT_FOUND", "state": "RECORDED"},
        ],
        dead_letters=[{"MessageAttributes": _attributes(rejected.reason or "")}],
    )


def test_expected_result_has_no_problems() -> None:
    assert [] == problems(_expected_result())


DIFFERENCES: dict[str, Callable[[RunResult], RunResult]] = {
    "outcome missing": lambda it: replace(it, traces=[replace(it.traces[0], outcomes=()), *it.traces[1:]]),
    "another outcome": lambda it: replace(
        it, traces=[replace(it.traces[0], outcomes=({"outcome": "NOT_ESCALATED"},)), *it.traces[1:]]
    ),
    "alert missing": lambda it: replace(it, alerts=[]),
    "alert received twice": lambda it: replace(it, alerts=[*it.alerts, *it.alerts]),
    "alert without an outcome": lambda it: replace(
        it, alerts=[*it.alerts, replace(it.alerts[0], attributes={"alert_id": "a-2", "disposition": ""})]
    ),
    "alert with another disposition": lambda it: replace(
        it, alerts=[replace(it.alerts[0], attributes=it.alerts[0].attributes | {"disposition": "SPAM"})]
    ),
    "alert with another severity": lambda it: replace(
        it, alerts=[replace(it.alerts[0], attributes=it.alerts[0].attributes | {"severity": "Low"})]
    ),
    "alert without severity": lambda it: replace(
        it, alerts=[replace(it.alerts[0], attributes=it.alerts[0].attributes | {"severity": ""})]
    ),
    "record missing": lambda it: replace(it, records=it.records[1:]),
    "record pending": lambda it: replace(it, records=[dict(it.records[0]) | {"state": "PENDING"}, *it.records[1:]]),
    "record of another alert": lambda it: replace(
        it, records=[dict(it.records[0]) | {"sns_message_id": "sns-2"}, *it.records[1:]]
    ),
    "record without an outcome": lambda it: replace(
        it, records=[*it.records, dict(it.records[0]) | {"alert_id": "a-2"}]
    ),
    "record of a missing email missing": lambda it: replace(it, records=it.records[:1]),
    "dead letter missing": lambda it: replace(it, dead_letters=[]),
    "dead letter with another reason": lambda it: replace(
        it,
        dead_letters=[{"MessageAttributes": _attributes("x")}],
    ),
}


@pytest.mark.parametrize("change", DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_each_difference_is_reported(change: Callable[[RunResult], RunResult]) -> None:
    assert problems(change(_expected_result()))
