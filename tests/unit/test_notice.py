"""notice.py: what a test alert and a repeat say of themselves, in every form."""

import json
from typing import Any

import pytest

from functions.alert.alert import MAX_SUBJECT, AlertOptions, describe
from functions.alert.notice import Notice
from tests.unit.examples import escalated
from tests.unit.test_ocsf_finding import check
from tests.unit.test_ocsf_official_schema import errors

OPTIONS = AlertOptions(chat=True, deployment="x" * 128, stack="s" * 128)


@pytest.mark.parametrize("notice", Notice)
def test_notice_is_in_every_form(notice: Notice) -> None:
    """The subject and the SMS begin with it, in less than 100 characters. The e-mail says it first."""
    alert = describe(escalated(), OPTIONS, notice=notice)
    assert alert.subject == alert.bodies["sms"]
    assert alert.subject.startswith(f"[{notice}] [High] MALICIOUS email")
    assert len(alert.subject) <= MAX_SUBJECT
    first = alert.bodies["email"].partition("\n\n")[0]
    assert f"{notice}: {notice.sentence}" == first.replace("\n", " ")
    assert max(map(len, first.splitlines())) <= 72
    chat = json.loads(alert.bodies["https"])
    assert chat["content"]["title"].startswith(f"[{notice}] ")
    assert chat["content"]["description"].startswith(notice.sentence)


@pytest.mark.parametrize("notice", Notice)
def test_finding_with_a_notice_matches_both_schemas(notice: Notice) -> None:
    finding: dict[str, Any] = json.loads(describe(escalated(), notice=notice).finding)
    check(finding)
    assert [] == errors(finding)
    assert (notice.sentence, True) == (finding["comment"], finding["message"].startswith(f"[{notice}] "))


def test_test_is_no_alert_for_machines() -> None:
    """A filter by activity leaves it out, and so does a rule on is_alert."""
    alert = describe(escalated(), notice=Notice.TEST)
    finding = json.loads(alert.finding)
    assert ("Test", 7) == (alert.attributes["activity"], len(alert.attributes))
    assert (False, 99, "Test") == (finding["is_alert"], finding["activity_id"], finding["activity_name"])


def test_repeat_has_the_attributes_of_the_alert_and_one_more() -> None:
    """There are at most 8. SNS discards a message with more than 10 for a queue with raw delivery."""
    first, repeat = describe(escalated()), describe(escalated(), notice=Notice.REPEAT)
    assert first.attributes | {"repeat": "true"} == repeat.attributes
    assert len(repeat.attributes) == 8
    assert json.loads(repeat.finding)["metadata"]["uid"] == json.loads(first.finding)["metadata"]["uid"]


def test_ordinary_alert_has_no_notice() -> None:
    finding = json.loads(describe(escalated()).finding)
    assert "comment" not in finding
    assert finding["is_alert"]
