"""The commands in an alert can be pasted into a shell, and ask the deployment that sent it."""

import shlex

import pytest

from functions.alert.alert import AlertOptions, describe
from functions.alert.commands import COUNTED_DAYS, MAX_COUNT, explain, look_for_others, related_values
from functions.domain.detection import read_detection
from functions.domain.header_fields import header_fields
from functions.domain.indicators import IndicatorKind, parse_asked
from functions.domain.search_values import SearchKind
from tests.unit.examples import FULL, INVESTIGATE_ID, POSTFIX_ID, details, escalated

RECORD = escalated(detection=read_detection(FULL), details=details())
NAMED = AlertOptions(deployment="ACME", stack="acme-prod", chat=True)


def words(lines: list[str]) -> list[str]:
    """The words that a shell reads."""
    return shlex.split("\n".join(lines).replace("\\\n", ""))


def test_command_that_is_wrapped_is_one_command() -> None:
    assert ["escalator", "explain", INVESTIGATE_ID, "--stack", "acme-prod"] == words(explain(RECORD, "acme-prod", 40))


def test_commands_ask_for_sender_host_and_file() -> None:
    """The escalator reads the defanged values."""
    fields = header_fields(RECORD.detection, RECORD.details)
    found = look_for_others(RECORD, fields, {}, "acme-prod", 70)
    sender, host, file = (words(lines)[3] for _, *lines in found)
    assert "pay@evil.example" == parse_asked(IndicatorKind.ADDRESS, sender)
    assert "login.evil.example" == parse_asked(IndicatorKind.HOST, host)
    assert "0" * 64 == parse_asked(IndicatorKind.HASH, file)


def test_name_of_the_deployment_is_in_subject_text_and_chat() -> None:
    alert = describe(RECORD, NAMED)
    assert f"[High] MALICIOUS email, quarantined (ACME): {POSTFIX_ID}" == alert.subject
    assert "  Deployment: ACME\n" in alert.bodies["email"]
    assert "*Deployment:* `ACME`" in alert.bodies["https"]
    assert (
        "LOOK FOR OTHERS\n"
        "  Same sender:\n"
        "  escalator history --sender 'pay[@]evil[.]example' --since 30d \\\n"
        "  --stack acme-prod\n" in alert.bodies["email"]
    )


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, ""),
        (0, ", no earlier records"),
        (1, ", 1 earlier record"),
        (MAX_COUNT - 1, ", 99 earlier records"),
        (MAX_COUNT, ", 100 or more earlier records"),
    ],
)
def test_number_of_earlier_records_is_before_the_command(count: int | None, shown: str) -> None:
    fields = header_fields(RECORD.detection, RECORD.details)
    counts = {} if count is None else {related_values(RECORD, fields)[0]: count}
    [heading, *_] = next(look_for_others(RECORD, fields, counts, "acme-prod", 70))
    assert f"Same sender{shown}{f' in {COUNTED_DAYS} days' if shown else ''}:" == heading


def test_reply_address_that_differs_from_the_sender_is_asked_for_too() -> None:
    fields = header_fields(RECORD.detection, details(replyto="Boss <boss@other.example>"))
    asked = [value for kind, value in related_values(RECORD, fields) if kind is SearchKind.SENDER]
    assert ["pay@evil.example", "boss@other.example"] == asked
    headings = [heading for heading, *_ in look_for_others(RECORD, fields, {}, "acme-prod", 70)]
    assert ["Same sender:", "Same reply address:"] == headings[:2]
