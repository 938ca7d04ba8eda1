"""Convert status, headers and body of a response to its result, or to an error.

Error bodies do not match Cloudflare's own schema: codes are below their documented minimum, and `messages` and `result`
are missing. So parsing is lenient, and uses only the error codes. A result can contain text that a sender wrote, so that
no byte of it may make the response unreadable.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from functions.cloudflare.errors import (
    CloudflareError,
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    StillSearching,
    Throttled,
    Unavailable,
)

BLOCK_SECONDS = 300.0
"""The time that Cloudflare blocks a token over its limit; the default for a 429 without `retry-after`."""

MIN_BLOCK_SECONDS = 1.0
MAX_BLOCK_SECONDS = 900.0
"""Limits for the `retry-after` of a 429. If the token is still blocked after 15 min, the next response says so."""

_NO_CREDENTIALS = frozenset({9106, 6003})
"""Codes with status 400: 9106 for a missing credentials header, 6003 for a malformed one."""
_NO_SUCH_ACCOUNT = 7003
"""Code with status 404: the account id in the path is invalid."""
_MAX_CODES = 5
_MAX_DIGITS = 400
"""The largest float has 309 digits. Python refuses to convert an integer of more than 4,300."""
_RETRYABLE_STATUSES = frozenset({408, 409, 425})


def read_result(status: int, headers: Mapping[str, str], body: bytes) -> object:
    """Return the `result` of a successful response as parsed JSON; never None or an empty object or list.

    headers: with lower-case names.
    Raises a leaf of CloudflareError for any other response.
    """
    envelope = read_envelope(status, headers, body)
    if envelope.get("result") in (None, {}, []):
        raise NoDetection("Cloudflare's response has no result", id_exists=True)
    return envelope["result"]


def read_envelope(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, object]:
    """Return the parsed body of a successful response, with its `result` and, of a list, its `result_info`.

    headers: with lower-case names.
    Raises a leaf of CloudflareError for any other response.
    """
    if status == 202 and "location" in headers:
        raise StillSearching("Cloudflare's search takes long", headers["location"])
    if status != 200:
        raise _error(status, headers, parse_body(body))
    envelope = _parse_success(body)
    if not isinstance(envelope, dict) or envelope.get("success") is not True:
        raise Unavailable("the response has status 200, but no successful Cloudflare envelope")
    return envelope


def _error(status: int, headers: Mapping[str, str], envelope: object) -> CloudflareError:
    codes = _codes(envelope)
    summary = f"Cloudflare returned {status}" + (
        f" with code {', '.join(map(str, sorted(codes)[:_MAX_CODES]))}" if codes else ""
    )
    if status == 429:
        return Throttled(f"{summary}: the token's rate limit is used up", _seconds(headers.get("retry-after")))
    if status in (401, 403) or (status == 400 and codes & _NO_CREDENTIALS):
        return CredentialsRefused(f"{summary}: check the secret, the token's permission and the plan")
    if not 400 <= status < 500 or status in _RETRYABLE_STATUSES:
        return Unavailable(summary)
    if not isinstance(envelope, dict) or not (envelope.get("success") is False or codes):
        return Unavailable(f"{summary}, but without a Cloudflare envelope")
    if status == 404 and _NO_SUCH_ACCOUNT not in codes:
        return NoDetection(summary, id_exists=False)
    return Refused(f"{summary}: a retry cannot succeed", http_date(headers.get("date")))


def _parse_success(body: bytes) -> object:
    try:
        return _loads(body)
    except RecursionError:
        # A retry gets the same response.
        raise InvalidAnswer("the response is nested too deeply: $: nesting") from None


def parse_body(body: bytes) -> object:
    """Parse JSON leniently; None for anything else."""
    try:
        return _loads(body)
    except RecursionError:
        return None


def _loads(body: bytes) -> object:
    """Parse JSON leniently; None for anything else, such as HTML or half a body. Raises RecursionError.

    Invalid UTF-8 is replaced and control characters are allowed. NaN and infinities stay floats: the readers of values
    drop them, and the contract check reports them.
    """
    try:
        return json.loads(body.decode("utf-8-sig", "replace"), strict=False, parse_int=_integer)
    except ValueError:
        return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float("-inf" if digits.startswith("-") else "inf")


def _codes(envelope: object) -> frozenset[int]:
    errors = envelope.get("errors") if isinstance(envelope, dict) else None
    if not isinstance(errors, list):
        return frozenset()
    codes = (error.get("code") for error in errors if isinstance(error, dict))
    return frozenset(code for code in codes if isinstance(code, int) and 0 <= code < 1_000_000)


def error_codes(body: bytes) -> frozenset[int]:
    """The error codes of a body; empty if it has none."""
    return _codes(parse_body(body))


def _seconds(retry_after: str | None) -> float:
    """The seconds of a `retry-after` header, which holds seconds or a date."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text):
        return min(max(MIN_BLOCK_SECONDS, float(text)), MAX_BLOCK_SECONDS)
    retry_at = http_date(text)
    if retry_at is None:
        return BLOCK_SECONDS
    return min(max(MIN_BLOCK_SECONDS, retry_at.timestamp() - datetime.now(UTC).timestamp()), MAX_BLOCK_SECONDS)


def http_date(header: str | None) -> datetime | None:
    """A date of HTTP; None for anything else."""
    try:
        date = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
