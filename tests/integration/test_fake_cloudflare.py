"""The fake Cloudflare follows Cloudflare's contract: the official SDK parses its responses."""

import functools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import cloudflare as sdk
import pytest

from ops.local.fake_cloudflare.auth import CredentialKind, Credentials
from ops.local.fake_cloudflare.mailbox import Fault, Mail
from ops.local.fake_cloudflare.server import FakeCloudflare
from tests.integration.fake_cloudflare_client import ACCOUNT, BOTH, CALM, WITHOUT_FAULTS, call, detections, only

START = datetime(2024, 1, 1, tzinfo=UTC)
"""Before all emails of the mailbox. Without a start, the search covers the last 30 days."""


def sdk_client(fake: FakeCloudflare, **credentials: str) -> sdk.Cloudflare:
    """Make a client of the official SDK, with these credentials only, and without retries."""
    return sdk.Cloudflare(
        base_url=fake.base_url,
        max_retries=0,
        http_client=sdk.DefaultHttpxClient(trust_env=False),
        **(credentials or {"api_token": "a-token"}),  # type: ignore[arg-type]
    )


@pytest.fixture(autouse=True)
def _no_credentials_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_TOKEN", "API_KEY", "EMAIL", "API_USER_SERVICE_KEY", "BASE_URL"):
        monkeypatch.delenv(f"CLOUDFLARE_{name}", raising=False)


@pytest.fixture(scope="module")
def shared() -> Iterator[FakeCloudflare]:
    """Start a fake Cloudflare without faults, for tests that do not change it."""
    with FakeCloudflare(WITHOUT_FAULTS, credentials=BOTH) as fake:
        yield fake


@pytest.mark.parametrize("mail", [m for m in WITHOUT_FAULTS if m.detected], ids=lambda mail: mail.postfix_id)
def test_sdk_reads_detection(shared: FakeCloudflare, mail: Mail) -> None:
    """The disposition and the headers are those of the mailbox, for all API contracts."""
    assert mail.result is not None
    with sdk_client(shared) as client:
        read = client.email_security.investigate.detections.get(mail.investigate_id, account_id=ACCOUNT)
    assert mail.result.get("final_disposition") == read.final_disposition
    assert mail.result["headers"] == [header.to_dict() for header in read.headers]


@pytest.mark.parametrize("mail", [m for m in WITHOUT_FAULTS if m.mail], ids=lambda mail: mail.postfix_id)
def test_sdk_reads_message_details(shared: FakeCloudflare, mail: Mail) -> None:
    """Subject, sender and recipients are those of the mailbox."""
    assert mail.mail is not None
    with sdk_client(shared) as client:
        read = client.email_security.investigate.get(mail.postfix_id, account_id=ACCOUNT)
    actual = (read.id, read.subject, read.from_, read.to)
    assert (mail.investigate_id, mail.mail["subject"], mail.mail["from"], mail.mail["to"]) == actual


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.BAD_REQUEST, sdk.BadRequestError),
        (Fault.UNAUTHENTICATED, sdk.AuthenticationError),
        (Fault.NO_PERMISSION, sdk.PermissionDeniedError),
        (Fault.NOT_IN_PLAN, sdk.PermissionDeniedError),
        (Fault.UNKNOWN_ACCOUNT, sdk.NotFoundError),
        (Fault.THROTTLED, sdk.RateLimitError),
        (Fault.SERVER_ERROR, sdk.InternalServerError),
        (Fault.BAD_GATEWAY, sdk.InternalServerError),
        (Fault.UNAVAILABLE, sdk.InternalServerError),
        (Fault.RESET, sdk.APIConnectionError),
        (Fault.HALF, sdk.APIConnectionError),
    ],
)
def test_fault_raises_an_sdk_error_and_the_next_call_succeeds(fault: Fault, error: type[Exception]) -> None:
    """The error is the one that the SDK raises for the real service."""
    with FakeCloudflare(only(CALM, fault), credentials=BOTH) as fake, sdk_client(fake) as client:
        get = client.email_security.investigate.detections.get
        with pytest.raises(error):
            get(CALM.postfix_id, account_id=ACCOUNT)
        assert CALM.result is not None
        assert CALM.result["final_disposition"] == get(CALM.postfix_id, account_id=ACCOUNT).final_disposition


@pytest.mark.parametrize(
    ("credentials", "kind"),
    [
        ({"api_token": "a-token"}, CredentialKind.BEARER),
        ({"api_email": "soc@larkfield.example", "api_key": "a-key"}, CredentialKind.KEY),
    ],
)
def test_rotation_makes_old_credentials_fail(credentials: dict[str, str], kind: CredentialKind) -> None:
    """After the rotation, the response is 401 with code 10000, for both kinds of credentials."""
    with FakeCloudflare(WITHOUT_FAULTS, credentials=BOTH) as fake, sdk_client(fake, **credentials) as client:
        get = client.email_security.investigate.detections.get
        get(CALM.postfix_id, account_id=ACCOUNT)
        fake.accept(Credentials(api_token="b-token", api_email="soc@larkfield.example", api_key="b-key"))
        with pytest.raises(sdk.AuthenticationError) as raised:
            get(CALM.postfix_id, account_id=ACCOUNT)
        assert [error.code for error in raised.value.errors] == [10000]
        assert [(200, kind), (401, kind)] == [(made.status, made.credential_kind) for made in fake.calls]


@pytest.mark.parametrize(
    ("headers", "codes"),
    [
        ({}, [9106]),
        ({"X-Auth-Email": "soc@larkfield.example"}, [9106]),
        ({"Authorization": "Basic YTpi"}, [6003, 6111]),
        ({"Authorization": "Bearer two words"}, [6003, 6111]),
        ({"X-Auth-Email": "soc", "X-Auth-Key": "a-key"}, [6003, 6111]),
    ],
    ids=["no credentials", "half a pair", "wrong scheme", "malformed token", "malformed address"],
)
def test_invalid_credentials_are_rejected(shared: FakeCloudflare, headers: dict[str, str], codes: list[int]) -> None:
    """Without credentials the code is 9106, without `messages` and `result`; for a malformed header it is 6003."""
    response = call(shared, detections(CALM.postfix_id), headers)
    document = json.loads(response.body)
    [error] = document["errors"]
    assert (400, codes) == (
        response.status,
        [error["code"], *(e["code"] for e in error.get("error_chain", []))],
    )
    assert (codes == [9106]) == ({"success", "errors"} == document.keys())


@pytest.mark.parametrize(
    ("account", "name", "error", "code"),
    [
        ("7d1f0c2a", CALM.postfix_id, sdk.NotFoundError, 7003),
        ("0" * 32, CALM.postfix_id, sdk.PermissionDeniedError, 10000),
        (ACCOUNT, "4Njp3P0STMz2c02Q", sdk.NotFoundError, 10404),
        (ACCOUNT, "../../x?y#z", sdk.NotFoundError, 10404),
        (ACCOUNT, next(m for m in WITHOUT_FAULTS if not m.detected).postfix_id, sdk.NotFoundError, 10404),
    ],
    ids=[
        "malformed account",
        "another account",
        "unknown id",
        "id with a path",
        "email without a detection",
    ],
)
def test_unknown_account_or_id_gives_its_error_code(
    shared: FakeCloudflare, account: str, name: str, error: type[sdk.APIStatusError], code: int
) -> None:
    """The code says whether the account or the message is unknown."""
    with sdk_client(shared) as client, pytest.raises(error) as raised:
        client.email_security.investigate.detections.get(name, account_id=account)
    assert [code] == [e.code for e in raised.value.errors]


def test_all_forms_of_an_id_give_the_same_detection(shared: FakeCloudflare) -> None:
    """The forms are postfix, alert and investigate id, the latter two with colons plain and escaped."""
    forms = {detections(name) for name in CALM.ids} | {detections(name).replace("%3A", ":") for name in CALM.ids}
    assert len(forms) == 5
    assert {call(shared, detections(CALM.investigate_id)).body} == {call(shared, form).body for form in forms}


def test_without_bare_ids_only_the_search_finds_them() -> None:
    """The search returns the investigate id."""
    with FakeCloudflare(WITHOUT_FAULTS, credentials=BOTH, bare_ids=False) as fake, sdk_client(fake) as client:
        statuses = [call(fake, detections(name)).status for name in CALM.ids]
        found = client.email_security.investigate.list(account_id=ACCOUNT, query=CALM.postfix_id, start=START)
    assert ([404, 404, 200], [CALM.investigate_id]) == (statuses, [mail.id for mail in found.result])


def test_search_matches_alert_id_subject_and_postfix_id(shared: FakeCloudflare) -> None:
    """Emails without a detection are listed with `detections_only=false` only."""
    hidden = next(mail for mail in WITHOUT_FAULTS if not mail.detected)
    with sdk_client(shared) as client:
        search = functools.partial(client.email_security.investigate.list, start=START)
        assert [CALM.investigate_id] == [m.id for m in search(account_id=ACCOUNT, alert_id=CALM.alert_id).result]
        assert "Lunch on Thursday?" in {m.subject for m in search(account_id=ACCOUNT, query="lunch").result}
        assert search(account_id=ACCOUNT, query=hidden.postfix_id).result == []
        with_hidden = search(account_id=ACCOUNT, query=hidden.postfix_id, detections_only=False).result
        assert [hidden.investigate_id] == [m.id for m in with_hidden]


def test_search_pages_list_every_email_once(shared: FakeCloudflare) -> None:
    """The order is newest first."""
    base = f"/accounts/{ACCOUNT}/email-security/investigate?detections_only=false&per_page=7&start={quote(START.isoformat())}"
    listed: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = json.loads(call(shared, f"{base}&cursor={cursor}" if cursor else base).body)
        listed += [mail["alert_id"] for mail in page["result"]]
        cursor = page["result_info"]["next"]
    newest_first = sorted((m.alert_id for m in WITHOUT_FAULTS), key=lambda name: name.partition("-")[2], reverse=True)
    assert newest_first == listed
    wrong = ("cursor=x", "per_page=1001", "start=2999-01-01T00:00:00Z", "end=x")
    assert [call(shared, f"{base}&{it}").status for it in wrong] == [400] * 4
