"""Status, headers and body of an answer -> its result, or the error that says what to do.

Error bodies break Cloudflare's own schema (codes below their documented minimum, bodies without `messages` and
`result`), so they are read leniently: all that is taken from one is its codes.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from functions.cloudflare.errors import (
    CloudflareError,
    CredentialsRefused,
    NoDetection,
    Refused,
    StillSearching,
    Throttled,
    Unavailable,
)

BLOCK_SECONDS = 300.0
"""How long Cloudflare blocks a token that has passed its limit; assumed where a 429 does not say."""

LEAST_BLOCK_SECONDS = 1.0
LONGEST_BLOCK_SECONDS = 900.0
"""Whatever a 429 says: a blocked token is not hammered, and after the longest time we ask again, and are told again."""

_NO_CREDENTIALS = frozenset({9106, 6003})
"""Codes with status 400: no credentials header at all, and one that cannot be read."""
_NO_SUCH_ACCOUNT = 7003
"""Code with status 404: the account in the path is not one."""
_CODES_TOLD = 5
_WORTH_ANOTHER_TRY = frozenset({408, 409, 425})


def read_result(status: int, headers: Mapping[str, str], body: bytes) -> object:
    """The `result` of a successful answer, as parsed JSON; never None and never an empty object or list.

    headers: looked up by lower-case name.
    Raises one of the leaves of CloudflareError for everything else.
    """
    if status == 200:
        return _result(_parse(body))
    if status == 202 and "location" in headers:
        raise StillSearching("Cloudflare is still searching", headers["location"])
    raise _error(status, headers, _parse(body))


def _result(envelope: object) -> object:
    if not isinstance(envelope, dict) or envelope.get("success") is not True:
        raise Unavailable("the answer is not a successful Cloudflare envelope, though its status is 200")
    if envelope.get("result") in (None, {}, []):
        raise NoDetection("Cloudflare answered without a result", known=True)
    return envelope["result"]


def _error(status: int, headers: Mapping[str, str], envelope: object) -> CloudflareError:
    codes = _codes(envelope)
    said = f"Cloudflare answered {status}" + (
        f" with code {', '.join(map(str, sorted(codes)[:_CODES_TOLD]))}" if codes else ""
    )
    if status == 429:
        return Throttled(f"{said}: the token has no requests left", _seconds(headers.get("retry-after")))
    if status in (401, 403) or (status == 400 and codes & _NO_CREDENTIALS):
        return CredentialsRefused(f"{said}: check the secret, the token's permission and the plan")
    if not 400 <= status < 500 or status in _WORTH_ANOTHER_TRY:
        return Unavailable(said)
    if not isinstance(envelope, dict) or not (envelope.get("success") is False or codes):
        return Unavailable(f"{said}, but not in Cloudflare's envelope")
    if status == 404 and _NO_SUCH_ACCOUNT not in codes:
        return NoDetection(said, known=False)
    return Refused(f"{said}: no retry mends this")


def _parse(body: bytes) -> object:
    """JSON, or None for whatever is not: HTML, half a body, numbers and nesting beyond reason."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _codes(envelope: object) -> frozenset[int]:
    errors = envelope.get("errors") if isinstance(envelope, dict) else None
    if not isinstance(errors, list):
        return frozenset()
    codes = (error.get("code") for error in errors if isinstance(error, dict))
    return frozenset(code for code in codes if isinstance(code, int) and 0 <= code < 1_000_000)


def _seconds(retry_after: str | None) -> float:
    """`retry-after` comes as seconds or as a date."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text):
        return min(max(LEAST_BLOCK_SECONDS, float(text)), LONGEST_BLOCK_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return BLOCK_SECONDS
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(LEAST_BLOCK_SECONDS, moment.timestamp() - datetime.now(UTC).timestamp()), LONGEST_BLOCK_SECONDS)
