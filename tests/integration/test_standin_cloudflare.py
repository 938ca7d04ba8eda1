"""The stand-in Cloudflare speaks Cloudflare's contract: the official SDK reads it without error."""

import json
from collections.abc import Iterator

import cloudflare as sdk
import pytest

from ops.local.admission import CredentialKind, Credentials
from ops.local.cloudflare import StandIn
from ops.local.mailbox import Fault, Mail
from tests.integration.standin import ACCOUNT, AT_ONCE, BOTH, CALM, call, detections, only


def official(stand_in: StandIn, **credentials: str) -> sdk.Cloudflare:
    """The official SDK, with no credentials but these, and without its own second tries."""
    return sdk.Cloudflare(
        base_url=stand_in.base_url,
        max_retries=0,
        http_client=sdk.DefaultHttpxClient(trust_env=False),
        **(credentials or {"api_token": "a-token"}),  # type: ignore[arg-type]
    )


@pytest.fixture(autouse=True)
def _no_credentials_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_TOKEN", "API_KEY", "EMAIL", "API_USER_SERVICE_KEY", "BASE_URL"):
        monkeypatch.delenv(f"CLOUDFLARE_{name}", raising=False)


@pytest.fixture(scope="module")
def calm() -> Iterator[StandIn]:
    """The whole mailbox without faults; only for tests that leave it as it is."""
    with StandIn(AT_ONCE, credentials=BOTH) as stand_in:
        yield stand_in


@pytest.mark.parametrize("mail", [m for m in AT_ONCE if m.detected], ids=lambda mail: mail.postfix_id)
def test_detection_read_by_the_official_sdk(calm: StandIn, mail: Mail) -> None:
    """Every detection of every generation is read without error, with the disposition that the mailbox says."""
    assert mail.result is not None
    with official(calm) as client:
        read = client.email_security.investigate.detections.get(mail.investigate_id, account_id=ACCOUNT)
    assert mail.result.get("final_disposition") == read.final_disposition
    assert mail.result["headers"] == [header.to_dict() for header in read.headers]


@pytest.mark.parametrize("mail", [m for m in AT_ONCE if m.mail], ids=lambda mail: mail.postfix_id)
def test_mail_read_by_the_official_sdk(calm: StandIn, mail: Mail) -> None:
    """The mail behind a detection has its subject, its sender and its recipients."""
    assert mail.mail is not None
    with official(calm) as client:
        read = client.email_security.investigate.get(mail.postfix_id, account_id=ACCOUNT)
    seen = (read.id, read.subject, read.from_, read.to)
    assert (mail.investigate_id, mail.mail["subject"], mail.mail["from"], mail.mail["to"]) == seen


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
def test_fault_then_the_normal_answer(fault: Fault, error: type[Exception]) -> None:
    """The SDK raises what it raises for the real service, and the next call is answered."""
    with StandIn(only(CALM, fault), credentials=BOTH) as stand_in, official(stand_in) as client:
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
def test_credentials_rotated_while_it_runs(credentials: dict[str, str], kind: CredentialKind) -> None:
    """Both kinds are let in while they are accepted, and refused with 401 and code 10000 afterwards."""
    with StandIn(AT_ONCE, credentials=BOTH) as stand_in, official(stand_in, **credentials) as client:
        get = client.email_security.investigate.detections.get
        get(CALM.postfix_id, account_id=ACCOUNT)
        stand_in.accept(Credentials(api_token="b-token", api_email="soc@larkfield.example", api_key="b-key"))
        with pytest.raises(sdk.AuthenticationError) as raised:
            get(CALM.postfix_id, account_id=ACCOUNT)
        assert [error.code for error in raised.value.errors] == [10000]
        assert [(200, kind), (401, kind)] == [(made.status, made.credential_kind) for made in stand_in.calls]


@pytest.mark.parametrize(
    ("headers", "codes"),
    [
        ({}, [9106]),
        ({"X-Auth-Email": "soc@larkfield.example"}, [9106]),
        ({"Authorization": "Basic YTpi"}, [6003, 6111]),
        ({"Authorization": "Bearer two words"}, [6003, 6111]),
        ({"X-Auth-Email": "soc", "X-Auth-Key": "a-key"}, [6003, 6111]),
    ],
    ids=["none", "half a pair", "wrong scheme", "not a token", "not an address"],
)
def test_credentials_that_cannot_be_read(calm: StandIn, headers: dict[str, str], codes: list[int]) -> None:
    """Nothing shown is code 9106 in a body without messages and result; an unreadable header is code 6003."""
    answer = call(calm, detections(CALM.postfix_id), headers)
    document = json.loads(answer.body)
    [error] = document["errors"]
    assert (400, codes) == (
        answer.status,
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
        (ACCOUNT, next(m for m in AT_ONCE if not m.detected).postfix_id, sdk.NotFoundError, 10404),
    ],
    ids=[
        "account malformed",
        "account of somebody else",
        "id unknown",
        "id with a path in it",
        "not detected",
    ],
)
def test_nothing_there(calm: StandIn, account: str, name: str, error: type[sdk.APIStatusError], code: int) -> None:
    """An account or a message that is not there is refused with the code that tells which it was."""
    with official(calm) as client, pytest.raises(error) as raised:
        client.email_security.investigate.detections.get(name, account_id=account)
    assert [code] == [e.code for e in raised.value.errors]


def test_every_form_of_id(calm: StandIn) -> None:
    """Postfix, alert and investigate id give the same detection, with colons as they are or escaped."""
    forms = {detections(name) for name in CALM.ids} | {detections(name).replace("%3A", ":") for name in CALM.ids}
    assert len(forms) == 5
    assert {call(calm, detections(CALM.investigate_id)).body} == {call(calm, form).body for form in forms}


def test_only_full_ids_taken() -> None:
    """Where the server takes no bare ids, the search still tells the full one."""
    with StandIn(AT_ONCE, credentials=BOTH, bare_ids=False) as stand_in, official(stand_in) as client:
        statuses = [call(stand_in, detections(name)).status for name in CALM.ids]
        found = client.email_security.investigate.list(account_id=ACCOUNT, query=CALM.postfix_id)
    assert ([404, 404, 200], [CALM.investigate_id]) == (statuses, [mail.id for mail in found.result])


def test_search(calm: StandIn) -> None:
    """It finds by alert id and by words of the subject, and lists what was not detected only when asked."""
    hidden = next(mail for mail in AT_ONCE if not mail.detected)
    with official(calm) as client:
        search = client.email_security.investigate.list
        assert [CALM.investigate_id] == [m.id for m in search(account_id=ACCOUNT, alert_id=CALM.alert_id).result]
        assert "Lunch on Thursday?" in {m.subject for m in search(account_id=ACCOUNT, query="lunch").result}
        assert search(account_id=ACCOUNT, query=hidden.postfix_id).result == []
        everything = search(account_id=ACCOUNT, query=hidden.postfix_id, detections_only=False).result
        assert [hidden.investigate_id] == [m.id for m in everything]


def test_search_in_pages(calm: StandIn) -> None:
    """Following the cursors gives every mail once, newest first."""
    base = f"/accounts/{ACCOUNT}/email-security/investigate?detections_only=false&per_page=7"
    listed: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = json.loads(call(calm, f"{base}&cursor={cursor}" if cursor else base).body)
        listed += [mail["alert_id"] for mail in page["result"]]
        cursor = page["result_info"]["next"]
    newest_first = sorted((m.alert_id for m in AT_ONCE), key=lambda name: name.partition("-")[2], reverse=True)
    assert newest_first == listed
    assert [call(calm, f"{base}&{wrong}").status for wrong in ("cursor=x", "per_page=1001")] == [400, 400]
