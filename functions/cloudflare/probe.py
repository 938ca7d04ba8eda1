"""What an operator can learn of the credentials without seeing them: ask Cloudflare, and answer with facts.

The token stays in the function. Nothing of the secret is in the answer, and no email: the search asks for one row of the
last minute and drops it.

A probe sends at most three requests, beside the limiter of the function: a search, and up to two checks of the token.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from functions.cloudflare.credentials import Credential, Secret, SecretUnavailable, read_credential
from functions.cloudflare.errors import CloudflareError
from functions.cloudflare.rate_limiter import policies
from functions.cloudflare.response import error_codes, http_date, parse_body
from functions.cloudflare.transport import Answer, Transport
from functions.domain.record import moment
from functions.domain.times import read_time
from functions.release import RELEASE

CALL_SECONDS = 10.0
"""The total timeout of one request. Three of them fit into the timeout of the function (60 s)."""
_PERIOD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Probe:
    """base_url: for example https://api.cloudflare.com/client/v4. read_secret: may raise SecretUnavailable."""

    base_url: str
    account_id: str
    read_secret: Callable[[], Secret]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def answer(self) -> dict[str, object]:
        """Probe, and return JSON values. It never raises for what it finds."""
        answer: dict[str, object] = {
            "release": RELEASE,
            "now": moment(self.now()),
            "account_id": self.account_id,
        }
        try:
            secret = self.read_secret()
            credential = read_credential(secret)
        except SecretUnavailable as exc:
            return answer | {"secret": {"problem": str(exc)}}
        is_token = "authorization" in credential.headers
        put_at = moment(secret.created_at) if secret.created_at else None
        answer["secret"] = {"problem": "", "is_token": is_token, "put_at": put_at}
        try:
            return answer | self._of_cloudflare(credential, is_token=is_token)
        except CloudflareError as exc:
            return answer | {"unreachable": str(exc)}

    def _of_cloudflare(self, credential: Credential, *, is_token: bool) -> dict[str, object]:
        origin = urlsplit(self.base_url)
        transport, base = Transport(origin, 1, None), origin.path.rstrip("/")
        headers = {"accept": "application/json", "user-agent": "cloudflare-email-alerts"} | credential.headers
        account, since = f"{base}/accounts/{quote(self.account_id, safe='')}", self.now() - _PERIOD
        query = urlencode({"start": _second(since), "end": _second(self.now()), "per_page": 1})
        search = transport.get(f"{account}/email-security/investigate?{query}", headers, CALL_SECONDS)
        known: dict[str, object] = {
            "search": {"status": search.status, "codes": sorted(error_codes(search.body))},
            "ratelimit": policies(search.headers.get("ratelimit")),
            "cloudflare_now": moment(at) if (at := http_date(search.headers.get("date"))) else None,
        }
        if not is_token:
            return known
        # Cloudflare has a path for tokens of users, and one for tokens of accounts.
        for path in (f"{base}/user/tokens/verify", f"{account}/tokens/verify"):
            if found := _token(transport.get(path, headers, CALL_SECONDS)):
                return known | {"token": found}
        return known


def _token(answer: Answer) -> dict[str, object] | None:
    """What Cloudflare says of the token; None if this path does not know it."""
    body = parse_body(answer.body)
    result: Mapping[str, Any] = (
        body["result"] if isinstance(body, dict) and isinstance(body.get("result"), dict) else {}
    )
    status, expires = result.get("status"), result.get("expires_on")
    if answer.status != 200 or not isinstance(status, str):
        return None
    at = read_time(expires) if isinstance(expires, str) else None
    return {"status": status[:20], "expires_on": moment(at) if at else None}


def _second(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
