"""Plain GET requests to the fake Cloudflare, and small mailboxes."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.mailbox import Fault, Mail, Mailbox
from ops.local.fake_cloudflare.server import FakeCloudflare
from tests.clock import HANG_SECONDS

MAILBOX = Mailbox.load()
WITHOUT_FAULTS = Mailbox(MAILBOX.account_id, tuple(replace(mail, script=()) for mail in MAILBOX))
CALM = next(mail for mail in WITHOUT_FAULTS if mail.result and mail.mail)
ACCOUNT = MAILBOX.account_id

BOTH = Credentials(api_token="a-token", api_email="soc@larkfield.example", api_key="a-key")
BEARER = {"Authorization": "Bearer a-token"}


class Reply(NamedTuple):
    """A response: status, headers with names in lower case, body as bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


def call(
    cloudflare: FakeCloudflare, path: str, headers: dict[str, str] | None = None, timeout: float = HANG_SECONDS
) -> Reply:
    """Send a GET request for a path below the base URL, on a new connection."""
    base = urlsplit(cloudflare.base_url)
    connection = http.client.HTTPConnection(base.hostname or "", base.port, timeout=timeout)
    with closing(connection):
        connection.request("GET", f"{base.path}{path}", headers=BEARER if headers is None else headers)
        response = connection.getresponse()
        response_headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, response_headers, response.read())


def detections(name: str, account: str = ACCOUNT) -> str:
    """Return the path of a detection below the base URL."""
    return f"/accounts/{account}/email-security/investigate/{quote(name, safe='')}/detections"


def only(mail: Mail, *script: Fault) -> Mailbox:
    """Make a mailbox of one email with a script of faults."""
    return Mailbox(ACCOUNT, (replace(mail, script=script),))


class ChangingMailbox(Mailbox):
    """A mailbox whose emails can change between requests."""

    def change(self, mail: Mail) -> None:
        """Replace the email with the same ids."""
        self._by_id.update(dict.fromkeys(mail.ids, mail))

    def __iter__(self) -> Iterator[Mail]:
        return iter({mail.investigate_id: mail for mail in self._by_id.values()}.values())
