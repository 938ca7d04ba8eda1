"""For generated emails, a search finds every host, address, IP address and hash, in every spelling."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from functions.alert.sanitize import defanged
from functions.domain.email_id import EmailId
from functions.domain.record import Record
from functions.ledger.ledger import Ledger
from functions.ledger.table import Table
from ops.escalator.records.query import InvalidValue, RecordQuery, asked_value
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.time_range import TimeRange
from tests.history.cli_harness import LedgerCli
from tests.history.generated_mails import HAS_NODE, Browser, Mail, Planted, browser, mails
from tests.history.in_memory_table import InMemoryTable, Wire, claimed, publish
from tests.history.sample_history import NOW, RETENTION
from tests.unit.examples import details, detection, escalated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.skipif(not HAS_NODE, reason="the oracle is Node's URL, and node is not installed")

TABLE = "ledger"
RANGE = TimeRange(NOW - timedelta(days=1), NOW + timedelta(minutes=1))
_numbers = count(1)


class SearchableTable(InMemoryTable):
    """A table in memory that also answers a search for pointers."""

    def query(self, **request: Any) -> Wire:
        """The entries of one partition between two sort keys, oldest last."""
        values = request["ExpressionAttributeValues"]
        pk, first, last = (values[name]["S"] for name in (":value", ":first", ":last"))
        found = [item for (key, sk), item in self.items.items() if key == pk and first <= sk <= last]
        return {"Items": found}

    def batch_get_item(self, RequestItems: dict[str, Wire]) -> Wire:  # noqa: N803  # the SDK's name
        """The items with these keys, and the keys that are still to be asked for: none."""
        return super().batch_get_item(RequestItems) | {"UnprocessedKeys": {}}


@dataclass(frozen=True)
class Searched:
    """A ledger in memory with the reader of the command line."""

    memory: SearchableTable = field(default_factory=SearchableTable)

    @property
    def _client(self) -> "DynamoDBClient":
        return cast("DynamoDBClient", self.memory)

    def write(self, mail: Mail) -> str:
        """Record an email as the function does; its postfix id."""
        return written(Ledger(Table(self._client, TABLE, RETENTION)), mail)

    def find(self, option: str, value: str) -> list[str]:
        """The postfix ids of the records that `history` finds."""
        query = RecordQuery(RANGE, {option: value})
        pages = RecordReader(self._client, TABLE).pages(query)
        return [it.position.pk for page in pages for it in page.records]


def written(ledger: Ledger, mail: Mail) -> str:
    """Record an email as the function does; its postfix id."""
    record = answered(mail)
    publish(ledger, claimed(ledger, record, record.decided_at), "sns", record.decided_at)
    return record.id.postfix_id


def answered(mail: Mail) -> Record:
    """The record of an email with a new id."""
    new_id = f"4Njp3P0S{next(_numbers):05}z2c02Q"
    return escalated(
        id=EmailId(new_id),
        detection=detection(**mail.detection),
        details=details(**mail.details, id=f"{new_id}-2024-01-05T10:00:00-1"),
        queued_at=NOW,
        fetched_at=NOW,
        decided_at=NOW,
    )


@pytest.fixture(scope="module")
def node() -> Iterator[Browser]:
    """Node for the module."""
    with browser() as it:
        yield it


def spellings(planted: Planted, node: Browser) -> list[str]:
    """How an analyst may ask for it: as the oracle says, as an alert shows it, as the email has it, and others."""
    found = node.host(planted.opened) if planted.opened else planted.canonical
    if not found:
        return []  # no browser opens it
    asked = [found, found.upper(), defanged(found, 500)]
    if planted.option == "link_host":
        asked += [f"https://{found}/other", f"hxxps[://]{found}[:]8443/", found.replace(".", "[.]")]
        with contextlib.suppress(UnicodeError):
            asked.append(found.encode("ascii").decode("idna"))
    if planted.option in {"sender", "recipient"}:
        asked += [f"<{found}>", f'"Lee, Ann" <{found}>', f"mailto:{found}", found.replace("@", "[at]")]
    if planted.option == "attachment_hash":
        asked += [f"SHA256: {found}", ":".join(re.findall("..", found))]
    if planted.option == "message_id":
        asked += [f"<{found}>", f"Message-ID: <{found}>"]
    if planted.asked_as_written:
        asked += [planted.written, defanged(planted.written, 500)]
    return asked


def missed(search: Searched, mail: Mail, node: Browser) -> list[tuple[str, str, str]]:
    """The spellings in which a search does not find what the email has.

    Spellings that the command line takes for the same value are one query.
    """
    wanted, lost = search.write(mail), []
    found: dict[tuple[str, str], bool] = {}
    for it in mail.planted:
        for asked in spellings(it, node):
            try:
                key = it.option, asked_value(it.option, asked)
            except InvalidValue:
                lost.append((it.option, it.written, asked))
                continue
            if key not in found:
                found[key] = wanted in search.find(*key)
            if not found[key]:
                lost.append((it.option, it.written, asked))
    return lost


@given(mails())
@settings(max_examples=120, suppress_health_check=[*HealthCheck], phases=set(Phase) - {Phase.explain})
def test_every_indicator_is_found_in_every_spelling(node: Browser, mail: Mail) -> None:
    assert [] == missed(Searched(), mail, node)


@given(mails(decoys_before=(2,)))
@settings(max_examples=1, suppress_health_check=[*HealthCheck], phases=[Phase.generate])
def test_command_line_finds_what_the_email_has(empty: LedgerCli, node: Browser, mail: Mail) -> None:
    """In a table of the emulated AWS. Three spellings: canonical, as an alert shows it, and as the email has it."""
    wanted = written(empty.ledger, mail)
    for it in {it.option: it for it in mail.planted}.values():
        asked = [it.written] if it.asked_as_written else []
        host = node.host(it.opened) if it.opened else it.canonical
        for text in (host, defanged(host), *asked) if host else ():
            found = empty.history(f"--{it.option.replace('_', '-')}={text}")
            assert wanted in [record["pk"] for record in found], (it, text)


def test_user_name_in_a_link_is_no_link_host() -> None:
    search = Searched()
    search.write(Mail({"links": [{"href": "https://bank.example:443@evil.example/"}]}, {}, []))
    assert ([], 1) == (search.find("link_host", "bank.example"), len(search.find("link_host", "evil.example")))
