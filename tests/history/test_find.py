"""`escalator find`: what is pasted from an alert, a mail client, a browser and a log finds its record."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.email_id import EmailId
from functions.domain.email_state import MAX_RECIPIENTS
from functions.domain.record import Record
from functions.domain.search_values import MAX_VALUES, SearchKind
from functions.ledger.claim_attempt import ClaimOwner
from ops.escalator.commands.find import Search, find_records
from ops.escalator.options import whole_retention
from ops.escalator.records.reading import readings
from tests.history.cli_harness import LedgerCli
from tests.history.conftest import MakeLedger
from tests.history.in_memory_table import claimed, publish
from tests.history.sample_history import LEASE, NOW, OWNER, sample_history
from tests.unit.examples import details, detection, escalated

POSTFIX_ID = "4jTHXX1BkfzpM0K"
FULL_ID = f"{POSTFIX_ID}-2026-03-20T08:15:00"
SHA256, MD5 = "3acad1151bcb896dbde051683b44321a567961c9c05c30b85a4d6f02482ee0e8", "0cc175b9c0f1b6a831c399e269772661"
DOMAINS = [f"sender{number}.example" for number in range(40)]
LONG_AGO = datetime(2026, 3, 20, 8, 16, tzinfo=UTC)
"""Earlier than the 30 days that other commands search."""


def wanted(**fields: Any) -> Record:
    """The email that is searched for."""
    return escalated(
        id=EmailId(f"{FULL_ID}-1"),
        detection=detection(
            links=[
                {"href": "https://Pay.Harrow.example:8443/i/HF-88213.iso"},
                {"href": "https://b\u00fccher.example/a"},
            ],
            attachments=[{"size": 7, "name": "a.iso", "sha256": SHA256}, {"size": 7, "name": "b.iso", "md5": MD5}],
            sender_info={"ip": "2001:DB8:0::25", "pld": "harrow.example"},
        ),
        details=details(
            id=f"{FULL_ID}-1",
            subject="Overdue: invoice HF-88213, final reminder",
            **{"from": "Billing@Harrow.example", "from_name": "Harrow Freight Billing"},
            envelope_from="bounce@relay.example",
            to=["ann.lee@larkfield.example"],
            message_id="<CAF+1@mail.Harrow.example>",
        ),
        queued_at=LONG_AGO,
        fetched_at=LONG_AGO,
        decided_at=LONG_AGO,
        **fields,
    )


@pytest.fixture(scope="module")
def found_by(make_ledger: MakeLedger) -> tuple[LedgerCli, Record]:
    """A ledger with the email among others, written by the real ledger."""
    cli = make_ledger(sample_history(40))
    alert = claimed(cli.ledger, wanted(), LONG_AGO)
    publish(cli.ledger, alert, "sns-1", LONG_AGO + timedelta(seconds=1))
    return cli, alert


PASTED: dict[str, tuple[str, str]] = {
    "alert: its id": ("ALERT", "alert id ALERT"),
    "alert: line of its id": ("  Alert ID:   ALERT", "alert id ALERT"),
    "alert: line of the email id": (f"  Email ID:   {FULL_ID}-1", f"investigate id {FULL_ID}-1"),
    "alert: line of the history": (f"  History:    escalator explain {POSTFIX_ID}", f"postfix id {POSTFIX_ID}"),
    "alert: its own subject": (
        f"Subject: [Critical] MALICIOUS email, in an inbox: {POSTFIX_ID}",
        f"postfix id {POSTFIX_ID}",
    ),
    "alert: defanged link": (
        "hxxps[://]Pay[.]Harrow[.]example[:]8443/i/HF-88213[.]iso",
        "host of a link pay.harrow.example",
    ),
    "alert: line of a link": ("* hxxps[://]pay[.]harrow[.]example[:]8443/i", "host of a link pay.harrow.example"),
    "alert: line of the sender": (
        "  From:       Harrow Freight Billing\n              <billing[@]harrow[.]example>",
        "sender billing@harrow.example",
    ),
    "alert: line of the domain": ("  Domain:     harrow[.]example", "domain of a sender harrow.example"),
    "alert: line of the IP address": ("  IP address: 2001[:]db8[:][:]25", "IP address of a sender 2001:db8::25"),
    "alert: hash": (f"SHA-256:\n    {SHA256}", f"hash of an attachment {SHA256}"),
    "alert: line of the subject": (
        "  Subject:    Overdue: invoice HF-88213, final\n              reminder",
        "words of a subject overdue: invoice hf-88213, final reminder",
    ),
    "alert in JSON: its uid": ('"uid": "ALERT-1774000000000",', "alert id ALERT"),
    "mail client: sender with a name": (
        '"Billing, Harrow Freight" <Billing@Harrow.example>',
        "sender billing@harrow.example",
    ),
    "mail client: recipient": ("To: Ann Lee <ann.lee@larkfield.example>", "recipient ann.lee@larkfield.example"),
    "mail client: Message-ID header": (
        "Message-ID: <CAF+1@mail.Harrow.example>",
        "Message-ID caf+1@mail.harrow.example",
    ),
    "mail client: words of the subject": ("final INVOICE", "words of a subject final invoice"),
    "browser: URL with Unicode": ("https://B\u00dcCHER.example/a?b=c#d", "host of a link xn--bcher-kva.example"),
    "browser: host in ASCII": ("xn--bcher-kva.example", "host of a link xn--bcher-kva.example"),
    "log: envelope sender": ("from=<bounce@relay.example>,", "sender bounce@relay.example"),
    "log: message-id": ("message-id=<CAF+1@mail.Harrow.example>", "Message-ID caf+1@mail.harrow.example"),
    "log: queue id": (f"{POSTFIX_ID}:", f"postfix id {POSTFIX_ID}"),
    "log: Logpush id": (f'"AlertID":"{FULL_ID}Z"', f"Cloudflare's alert id {FULL_ID}"),
    "log: client": ("client=mx.relay.example[2001:db8::25]", "IP address of a sender 2001:db8::25"),
    "log: MD5": (MD5.upper(), f"hash of an attachment {MD5}"),
}


@pytest.mark.parametrize(("pasted", "read_as"), PASTED.values(), ids=PASTED.keys())
def test_pasted_text_finds_the_record_and_says_how_it_was_read(
    found_by: tuple[LedgerCli, Record], pasted: str, read_as: str
) -> None:
    """The answer also names the table and the period, which is longer than 30 days."""
    cli, alert = found_by

    done = cli.run("find", "--json", "--", pasted.replace("ALERT", alert.alert_id))

    assert (0, [alert.alert_id]) == (done.exit_code, [it["alert_id"] for it in json.loads(done.stdout)]), done.stderr
    assert f"Searched for {read_as.replace('ALERT', alert.alert_id)}: 1 record.\n" in done.stderr
    assert re.search(
        rf"Searched the table {cli.table}, from 2026-01-01 00:00 to 20\d\d-\d\d-\d\d \d\d:\d\d UTC", done.stderr
    )


NOT_THERE = {
    "alert id": ("0" * 31 + "7", ["alert id", "postfix id", "hash of an attachment"]),
    "host": ("nothing.example", ["host of a link", "domain of a sender"]),
    "address": (
        "nothing@nothing.example",
        ["sender", "recipient", "Message-ID"],
    ),
    "word with the form of an id": ("Lotterywinner", ["postfix id", "words of a subject"]),
    "number that is no IP address": ("999.1.1.1", ["words of a subject"]),
}


@pytest.mark.parametrize(("text", "kinds"), NOT_THERE.values(), ids=NOT_THERE.keys())
def test_empty_answer_names_each_reading_and_what_was_searched(
    found_by: tuple[LedgerCli, Record], text: str, kinds: list[str]
) -> None:
    """The status is 0, as of `history`, and stdout is valid JSON."""
    cli, _ = found_by

    done = cli.run("find", text, "--json")

    assert (0, "[]\n") == (done.exit_code, done.stdout)
    assert [*kinds] == re.findall(r"^Searched for (.+) \S+: no records\.$", done.stderr, re.MULTILINE)
    assert f"Searched the table {cli.table}, from 2026-01-01 00:00 to " in done.stderr
    assert "No records found. Records expire after RecordRetentionDays" in done.stderr


def test_word_with_the_form_of_an_id_is_searched_in_subjects_too(found_by: tuple[LedgerCli, Record]) -> None:
    cli, alert = found_by
    done = cli.run("find", "REMINDER", "--json")
    assert [alert.alert_id] == [it["alert_id"] for it in json.loads(done.stdout)]
    assert "Searched for words of a subject reminder: 1 record." in done.stderr


def test_text_needs_no_quotes(found_by: tuple[LedgerCli, Record]) -> None:
    cli, alert = found_by
    assert alert.id.value in cli.run("find", "overdue", "invoice").stdout


def test_empty_text_is_a_usage_error(found_by: tuple[LedgerCli, Record]) -> None:
    done = found_by[0].run("find", " ")
    assert (2, "", True) == (done.exit_code, done.stdout, done.stderr.startswith("escalator: the text is empty."))


def test_limit_shows_the_newest_and_says_that_there_are_more(make_ledger: MakeLedger) -> None:
    samples = [it for it in sample_history(60) if not it.pending]
    domain, found = max(
        ((name, [it.sk for it in samples if name in it.values["sender_domain"]]) for name in DOMAINS),
        key=lambda it: len(it[1]),
    )
    assert len(found) > 1

    done = make_ledger(samples).run("find", domain, "--limit", "1", "--json")

    assert found[-1:] == [it["sk"] for it in json.loads(done.stdout)]
    assert "There are more records. Raise --limit 1" in done.stderr


def test_address_costs_two_queries_for_each_reading(found_by: tuple[LedgerCli, Record]) -> None:
    """An address can be a sender, a recipient or a Message-ID: one query for its records, one for the limit of its kind."""
    cli, alert = found_by
    searches = [Search(it) for it in readings("billing@harrow.example")]
    with cli.measured() as cost:
        found = list(find_records(cli.reader, searches, whole_retention()))
        for search in searches:
            cli.reader.full(SearchKind(search.reading.name), whole_retention())

    assert [alert.id.postfix_id] == [it.position.pk for it in found]
    assert {"Query": 6, "BatchGetItem": 1} == Counter(cost.calls)


def test_answer_that_a_limit_may_have_shortened_says_so(make_ledger: MakeLedger) -> None:
    """The note names the email, and appears only for the kind that is full."""
    cli = make_ledger([])
    padded = wanted().id
    links = [{"href": f"https://host{number}.example/"} for number in range(MAX_VALUES + 20)]
    alert = claimed(cli.ledger, escalated(id=padded, detection=detection(links=links), decided_at=NOW), NOW)
    publish(cli.ledger, alert, "sns-1", NOW)
    note = (
        "A record is found by at most 100 values of the kind `host of a link`. 1 record of this period may have more, and"
        f" may be missing here. Check with `escalator explain {POSTFIX_ID} --json`."
    )

    for command in (
        ["find", "host119.example"],
        ["history", "--link-host", "host119.example"],
        ["history", "--link-host", "host1.example"],
        ["export", "--link-host", "host119.example"],
    ):
        assert note in cli.run(*command).stderr, command
    assert "may be missing" not in cli.run("history", "--recipient", "host119@larkfield.example").stderr
    assert "may be missing" not in cli.run("history", "--link-host", "a.example", "--until", "7d").stderr


def test_alert_that_is_not_confirmed_is_found_by_its_id(make_ledger: MakeLedger) -> None:
    """It has no pointers before it is marked as sent."""
    cli = make_ledger([])
    alert = claimed(cli.ledger, wanted(), LONG_AGO)

    done = cli.run("find", alert.alert_id, "--json")

    assert ["PENDING"] == [it["state"] for it in json.loads(done.stdout)]


SUBJECTS = {
    "encoded word": ("=?utf-8?B?w5xiZXJmw6RsbGlnZSBSZWNobnVuZw==?=", "\u00fcberf\u00e4llige rechnung"),
    "unknown charset": ("=?none?Q?invoice?=", "invoice"),
    "malformed": ("=?utf-8?B?=?= invoice", "invoice"),
    "charset that is none": ("=?\u00e9?Q?invoice?=", "invoice"),
    "defanged in the question": ("Login at evil.example", "login evil[.]example"),
}


@pytest.mark.parametrize(("subject", "asked"), SUBJECTS.values(), ids=SUBJECTS.keys())
def test_subject_is_searched_as_a_mail_client_shows_it(make_ledger: MakeLedger, subject: str, asked: str) -> None:
    cli = make_ledger([])
    recorded = escalated(details=details(subject=subject), decided_at=NOW)
    publish(cli.ledger, claimed(cli.ledger, recorded, NOW), "sns-1", NOW)
    assert 1 == len(cli.history("--subject", asked))
    assert [] == cli.history("--subject", f"{asked} missing")


def test_search_for_a_recipient_says_when_an_email_had_more_than_are_kept(make_ledger: MakeLedger) -> None:
    """A later delivery brings the email to its limit. A recipient beyond it is not found, and the answer says so."""
    cli = make_ledger([])
    publish(cli.ledger, claimed(cli.ledger, wanted(), LONG_AGO), "sns-1", LONG_AGO)
    people = [f"person{number}@larkfield.example" for number in range(MAX_RECIPIENTS + 5)]
    delivery = f"{FULL_ID}-2"
    later = escalated(
        id=EmailId(delivery),
        details=details(id=delivery, to=people, envelope_to=[], client_recipients=[]),
        queued_at=LONG_AGO,
        fetched_at=LONG_AGO,
        decided_at=LONG_AGO,
    )
    [state] = cli.ledger.states([later])
    cli.ledger.claim([(state, [later])], ClaimOwner(OWNER, LONG_AGO, LEASE, publishes=True))

    found, missed = (cli.run("find", it) for it in (people[0], people[-1]))

    assert (True, "") == (POSTFIX_ID in found.stdout, missed.stdout)
    assert "values of the kind `recipient`. 1 record of this period may have more" in missed.stderr
