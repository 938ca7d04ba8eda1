"""Cloudflare's API credentials: cached, and read again from Secrets Manager after a refusal.

The secret is JSON, in one of two forms: `{"api_token": "..."}` (recommended: one permission, one account), or
`{"api_email": "...", "api_key": "..."}`. The token as plain text also works. White space and a byte-order mark around the
secret and its values, and `Bearer` before a token, are dropped: editors and shells add them.

Powertools' Parameters also caches secrets, but does not return their version. Without the version, a rotated
credential cannot be distinguished from the refused one.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from functions.cloudflare.errors import CredentialsRefused

CACHE_SECONDS = 300.0
"""The time in which a rotated secret comes into use, even if the old one still works."""
COOLDOWN_SECONDS = 30.0
"""The minimum time between two reads of the secret by one environment while the credentials are refused."""

_SCHEME = re.compile(r"^bearer(\s+|$)", re.IGNORECASE)
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Secret:
    """The text of a secret, and its version id. created_at: when this version was put, if it is known."""

    text: str = field(repr=False)
    version: str
    created_at: datetime | None = None


class SecretUnavailable(Exception):
    """The secret is not readable, or contains no credentials; `str()` says why, without the content."""


@dataclass(frozen=True, slots=True)
class Credential:
    """The headers that authenticate a request, and the secret version that they come from."""

    headers: dict[str, str] = field(repr=False)
    version: str


class Credentials:
    """A cache of the current credential. Thread-safe: one thread at a time reads the secret."""

    def __init__(self, read_secret: Callable[[], Secret], clock: Callable[[], float] = time.time) -> None:
        """read_secret: returns the secret's current version, or raises SecretUnavailable. clock: see RateLimiter."""
        self._read_secret = read_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._cached: Credential | None = None
        self._problem = ""
        self._read_at = self._refused_at = float("-inf")

    def current(self) -> Credential:
        """Return the credential to use. Raises CredentialsRefused without one."""
        with self._lock:
            age = self._clock() - self._read_at
            if age >= CACHE_SECONDS or (self._cached is None and age >= COOLDOWN_SECONDS):
                self._refresh()
            if self._cached is None:
                raise self._not_usable()
            return self._cached

    def replacement(self, refused: Credential) -> Credential | None:
        """Return the credential that replaces a refused one, or None if the secret has not changed."""
        with self._lock:
            unchanged = self._cached is None or self._cached.version == refused.version
            if unchanged and self._clock() - self._refused_at >= COOLDOWN_SECONDS:
                self._refused_at = self._clock()
                self._refresh()
            return self._cached if self._cached and self._cached.version != refused.version else None

    @property
    def problem(self) -> str:
        """Why the last read of the secret failed; empty if it did not. The cached credential may still be in use."""
        return self._problem

    def _refresh(self) -> None:
        """Read the secret. If it is not usable, the cached credential stays in use."""
        self._read_at = self._clock()
        try:
            self._cached = read_credential(self._read_secret())
            self._problem = ""
        except SecretUnavailable as exc:
            self._problem = str(exc)
            if self._cached is None:
                raise self._not_usable() from exc

    def _not_usable(self) -> CredentialsRefused:
        return CredentialsRefused(f"the secret is not usable: {self._problem}", COOLDOWN_SECONDS)


def read_credential(secret: Secret) -> Credential:
    """Read a secret. Raises SecretUnavailable with the member at fault and the rule, without the content."""
    text = _trimmed(secret.text)
    content = _parse(text)
    if content is None and text != "null" and text[:1] not in ("", "{", "[", '"'):
        content = {"api_token": text}
    if isinstance(content, str):
        content = {"api_token": content}
    match content:
        case {"api_token": token} if token is not None:
            return Credential({"authorization": f"Bearer {_token(token)}"}, secret.version)
        case {"api_email": email, "api_key": key} if email is not None and key is not None:
            headers = {"x-auth-email": _value("api_email", email), "x-auth-key": _value("api_key", key)}
            return Credential(headers, secret.version)
    raise SecretUnavailable(_missing(text, content))


def _missing(text: str, content: object) -> str:
    """What is wrong with a secret without credentials."""
    expected = "it needs an api_token, or an api_email and an api_key"
    if not text:
        return f"it is empty; {expected}"
    if content is None:
        return f"it is not valid JSON; {expected}"
    if not isinstance(content, dict):
        return f"it is JSON, but not an object; {expected}"
    there = [name for name in ("api_token", "api_email", "api_key") if name in content]
    return f"it is JSON with {' and '.join(there) or 'none of these members'}, but {expected}"


def _token(value: object) -> str:
    return _value("api_token", _SCHEME.sub("", _trimmed(value), count=1) if isinstance(value, str) else value)


def _value(name: str, value: object) -> str:
    """A value that fits into a header."""
    if not isinstance(value, str):
        raise SecretUnavailable(f"its {name} is not a text")
    text = _trimmed(value)
    if not text:
        raise SecretUnavailable(f"its {name} is empty")
    if not _HEADER_VALUE.fullmatch(text):
        raise SecretUnavailable(f"its {name} contains white space or characters that are not ASCII")
    return text


def _trimmed(text: str) -> str:
    return text.strip().strip("\ufeff").strip()


def _parse(text: str) -> object:
    """Parse JSON; None for invalid JSON. The parser's error is not passed on, because it contains the secret."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
