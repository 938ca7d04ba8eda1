"""Each fact of an email is the same in every view. The facts are parsed from what is rendered, not from the objects."""

import csv
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from functions.alert.alert import AlertOptions, describe
from functions.domain.message_details import EmailKind
from functions.ledger.item import attributes
from functions.ledger.keys import alert_key
from ops.escalator.output.file_formats import HEADINGS
from ops.escalator.output.file_formats import csv as csv_of
from ops.escalator.records.stored_record import StoredRecord, read_stored_record
from ops.escalator.report.record_view import record_view
from ops.escalator.views.row import table_row
from ops.escalator.views.timeline import record_timeline
from tests.unit.examples import NOON
from tests.unit.items import RETENTION
from tests.unit.twelve_emails import KINDS, Kind


def stored(kind: Kind) -> StoredRecord:
    """The record as the table returns it."""
    record = kind.record
    item: dict[str, Any] = alert_key(record) | attributes(record, RETENTION)
    item |= {"state": "SENT", "activity": record.activity, "alert_id": record.alert_id}
    found = read_stored_record(json.loads(json.dumps(item)))
    assert isinstance(found, StoredRecord)
    return found


def fanged(text: str) -> str:
    """The text without defanging, and with the angle brackets that a chat replaces."""
    text = re.sub(r"\[([^\[\]\w]{1,3})\]", r"\1", text.replace("hxxp", "http"))
    return re.sub(r"\(([^()\s]+@[^()\s]+)\)", r"<\1>", text)


def e_mail(kind: Kind) -> Mapping[str, str]:
    """The rows of the text, and its sections."""
    text = re.sub(r"\n {14}(?=\S)", " ", describe(kind.record).bodies["email"])
    rows = dict(re.findall(r"^  ([A-Z][\w -]+): +(.*)$", fanged(text), re.MULTILINE))
    lists = dict(re.findall(r"^([A-Z ]+) \(\d+\)\n((?:  .*\n)+)", fanged(text), re.MULTILINE))
    verdict = text.split(" email, ", 1)[0].rpartition(": ")[2]  # without what it is, such as a simulation
    return rows | lists | {"verdict": verdict, "title": text.partition(". Severity")[0]}


def chat(kind: Kind) -> Mapping[str, str]:
    """The rows of the notification."""
    content = json.loads(describe(kind.record, AlertOptions(chat=True)).bodies["https"])["content"]
    rows = re.findall(r"^\*([A-Za-z -]+):\* `(.*)`$", fanged(content["description"]), re.MULTILINE)
    return dict(rows) | {"title": content["title"]}


def ocsf(kind: Kind) -> Mapping[str, Any]:
    """The finding, parsed."""
    finding: dict[str, Any] = json.loads(describe(kind.record).bodies["default"])
    return finding


def csv_row(kind: Kind) -> Mapping[str, str]:
    """The line of a CSV export, by column."""
    heading, row = csv.reader([HEADINGS["csv"], csv_of(stored(kind))])
    return dict(zip(heading, row, strict=True))


def explain(kind: Kind) -> Mapping[str, str]:
    """What the timeline says, by event."""
    return {event.what: " ".join(event.sentences) for event in record_timeline(stored(kind), NOON).events}


def report(kind: Kind) -> Mapping[str, Any]:
    """What the page gets."""
    view: dict[str, Any] = json.loads(json.dumps(record_view(stored(kind))))
    return view


every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
def test_sender_is_the_same_everywhere(kind: Kind) -> None:
    views = {
        "e-mail": e_mail(kind)["From"],
        "chat": chat(kind)["From"],
        "ocsf": ocsf(kind)["evidences"][0]["email"]["from_mailbox"],
        "csv": csv_row(kind)["from"],
        "explain": explain(kind)["from"],
        "report": fanged(report(kind)["from"]),
    }
    assert dict.fromkeys(views, kind.sender) == views


@every_kind
def test_subject_is_the_same_everywhere(kind: Kind) -> None:
    views = {
        "e-mail": e_mail(kind)["Subject"],
        "chat": chat(kind)["Subject"],
        "ocsf": ocsf(kind)["evidences"][0]["email"]["subject"],
        "csv": csv_row(kind)["subject"],
        "history": table_row(stored(kind))["subject"],
        "explain": explain(kind)["subject"],
        "report": fanged(report(kind)["subject"]),
    }
    assert dict.fromkeys(views, kind.subject) == views


@every_kind
def test_recipients_are_the_same_everywhere(kind: Kind) -> None:
    views = {
        "e-mail": e_mail(kind)["Recipients"],
        "chat": chat(kind)["Recipients"],
        "ocsf": ", ".join(ocsf(kind)["evidences"][0]["email"]["to"]),
        "csv": csv_row(kind)["to"].replace("; ", ", "),
        "explain": explain(kind)["to"],
        "report": fanged(", ".join(report(kind)["recipients"])),
    }
    assert dict.fromkeys(views, ", ".join(kind.recipients)) == views


@every_kind
def test_reply_to_is_shown_everywhere_if_it_differs(kind: Kind) -> None:
    views = {
        "e-mail": e_mail(kind).get("Reply-To", ""),
        "chat": chat(kind).get("Reply-To", ""),
        "ocsf": ", ".join(ocsf(kind)["evidences"][0]["email"].get("reply_to_mailboxes", [])),
        "explain": explain(kind).get("reply to", ""),
        "report": fanged(report(kind).get("reply_to", "")),
    }
    assert dict.fromkeys(views, kind.reply_to) == views


@every_kind
def test_place_of_the_email_is_the_same_everywhere(kind: Kind) -> None:
    simulation = "Simulation: " if kind.record.kind is EmailKind.SIMULATION else ""
    title = f"{simulation}{kind.disposition} email, {kind.location}"
    assert title == e_mail(kind)["title"] == ocsf(kind)["message"] == chat(kind)["title"].partition(": ")[2]
    assert f"severity {kind.record.severity}; {kind.location}" in explain(kind)["decided"]
    assert report(kind)["locations"].startswith(kind.location)
    views = {
        "ocsf": ocsf(kind)["unmapped"]["delivered"],
        "csv": csv_row(kind)["delivered"],
        "attribute": describe(kind.record).attributes["delivered"],
    }
    assert 1 == len({*views.values()}), views


@every_kind
def test_verdict_and_categories_are_the_same_everywhere(kind: Kind) -> None:
    verdicts = {
        e_mail(kind)["verdict"],
        ocsf(kind)["unmapped"]["disposition"],
        csv_row(kind)["disposition"],
        table_row(stored(kind))["disposition"],
        report(kind)["disposition"],
    }
    assert {kind.disposition} == verdicts
    categories = {
        re.sub(r"\s*- ", "", e_mail(kind).get("THREAT CATEGORIES", "")).strip(),
        chat(kind).get("Threats", ""),
        ", ".join(ocsf(kind)["finding_info"].get("types", [])),
        csv_row(kind)["categories"],
        ", ".join(it["name"] for it in report(kind).get("categories", [])),
    }
    assert {", ".join(kind.categories)} == categories


@every_kind
def test_hosts_and_files_are_the_same_everywhere(kind: Kind) -> None:
    email = ocsf(kind)["evidences"][0]["email"]
    assert {*kind.hosts} == {it["hostname"] for it in email.get("urls", ())}
    assert {*kind.files} == {it["name"] for it in email.get("files", ())}
    mail, notification, page = e_mail(kind), chat(kind), report(kind)
    for host in kind.hosts:
        hrefs = fanged(" ".join(it["href"] for it in page["links"]))
        assert [True] * 3 == [f"//{host}/" in it for it in (mail["LINKS"], notification["Links"], hrefs)]
    for name in kind.files:
        names = fanged(" ".join(it["name"] for it in page["attachments"]))
        assert [True] * 3 == [name in it for it in (mail["ATTACHMENTS"], notification["Attachments"], names)]
    assert (str(len(email.get("urls", ()))), str(len(kind.files))) == (
        csv_row(kind)["links"],
        csv_row(kind)["attachments"],
    )
