"""How the tests talk to the stand-in Cloudflare without a client: plain GETs, and small mailboxes."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ops.local.admission import Credentials
from ops.local.cloudflare import StandIn
from ops.local.mailbox import Fault, Mail, Mailbox
from tests.clock import HANG_SECONDS

EVERYBODY = Mailbox.load()
AT_ONCE = Mailbox(EVERYBODY.account_id, tuple(replace(mail, script=()) for mail in EVERYBODY))
CALM = next(mail for mail in AT_ONCE if mail.result and mail.mail)
ACCOUNT = EVERYBODY.account_id

BOTH = Credentials(api_token="a-token", api_email="soc@larkfield.example", api_key="a-key")
BEARER = {"Authorization": "Bearer a-token"}


class Reply(NamedTuple):
    """An answer as it came: status, headers with names in lower case, body as bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


def call(stand_in: StandIn, path: str, headers: dict[str, str] | None = None, timeout: float = HANG_SECONDS) -> Reply:
    """GET an address below the base URL on a connection of its own."""
    base = urlsplit(stand_in.base_url)
    connection = http.client.HTTPConnection(base.hostname or "", base.port, timeout=timeout)
    with closing(connection):
        connection.request("GET", f"{base.path}{path}", headers=BEARER if headers is None else headers)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, named, answer.read())


def detections(name: str, account: str = ACCOUNT) -> str:
    """The address of a detection, below the base URL."""
    return f"/accounts/{account}/email-security/investigate/{quote(name, safe='')}/detections"


def only(mail: Mail, *script: Fault) -> Mailbox:
    """A mailbox of one mail that first answers by the script."""
    return Mailbox(ACCOUNT, (replace(mail, script=script),))


class ChangingMailbox(Mailbox):
    """A mailbox of one mail about which Cloudflare changes its mind while it is being asked."""

    def change(self, mail: Mail) -> None:
        """From now on this is what its ids name."""
        self._by_id.update(dict.fromkeys(mail.ids, mail))

    def __iter__(self) -> Iterator[Mail]:
        return iter({mail.investigate_id: mail for mail in self._by_id.values()}.values())
