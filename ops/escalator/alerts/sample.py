"""Records about an email that does not exist: for a test alert, and for one alert of each kind that can be published."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.message_details import read_message_details
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import PreviousAlert, Record, moment
from functions.domain.severity import Severity, severity

_SAMPLE = Path(__file__).with_name("sample.json")
_OF_SEVERITY = {
    Severity.CRITICAL: ("MALICIOUS", "delivered"),
    Severity.HIGH: ("MALICIOUS", "quarantined"),
    Severity.MEDIUM: ("SUSPICIOUS", "quarantined"),
    Severity.LOW: ("SPAM", "quarantined"),
    Severity.INFORMATIONAL: ("SPAM", "quarantined"),
}
"""By severity: a disposition and a delivery status that lead to it."""
_STATUSES = ("delivered", "quarantined", "")
"""One for each value of the attribute `delivered`."""
_FALLEN = "NONE"
"""The disposition of an alert that closes."""


@cache
def _sample() -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = json.loads(_SAMPLE.read_text("utf-8"))
    return content


def sample_record(account_id: str, asked: Severity, now: datetime) -> Record:
    """The record of a test alert. Each test has an id of its own, which begins with TEST."""
    record = _with(_base(account_id, now), *_OF_SEVERITY[asked])
    return replace(record, severity=asked)


def possible_records(account_id: str, dispositions: Sequence[str], now: datetime) -> Iterator[Record]:
    """One record of each kind that raises an alert: by disposition, delivery and activity."""
    base = _base(account_id, now)
    known = replace(base, previous=PreviousAlert("SUSPICIOUS", "0" * 32, Severity.HIGH))
    for status in _STATUSES:
        for disposition in dispositions:
            yield _with(base, disposition, status)
            yield _with(known, disposition, status)
        yield _with(replace(known, outcome=Outcome.CLOSED, escalates=False), _FALLEN, status)


def _with(record: Record, disposition: str, status: str) -> Record:
    details = read_message_details({**_sample()["details"], "delivery_status": [status] if status else []})
    return replace(
        record,
        disposition=disposition,
        severity=severity(disposition, details.delivery, escalates=record.escalates),
        detection=read_detection({**_sample()["detection"], "final_disposition": disposition}),
        details=replace(details, scanned_at=moment(record.decided_at), sent_at=moment(record.decided_at)),
    )


def _base(account_id: str, now: datetime) -> Record:
    return Record(
        account_id=account_id,
        id=EmailId(f"TEST{now:%Y%m%d%H%M%S}"),
        outcome=Outcome.ESCALATED,
        reason=Reason.DISPOSITION_LISTED,
        escalate_on=(),
        queued_at=now,
        fetched_at=now,
        decided_at=now,
        sqs_message_id="",
        escalates=True,
    )
