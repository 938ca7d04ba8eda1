"""Cloudflare's API credentials: cached, and read again from Secrets Manager after a refusal.

The secret is JSON, in one of two forms: `{"api_token": "..."}` (recommended: one permission, one account), or
`{"api_email": "...", "api_key": "..."}`.

Powertools' Parameters also caches secrets, but does not return their version. Without the version, a rotated
credential cannot be distinguished from the refused one.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from functions.cloudflare.errors import CredentialsRefused

CACHE_SECONDS = 300.0
"""The time in which a rotated secret comes into use, even if the old one still works."""
COOLDOWN_SECONDS = 30.0
"""The minimum time between two reads of the secret by one environment while the credentials are refused."""

_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Secret:
    """The text of a secret, and its version id."""

    text: str = field(repr=False)
    version: str


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
        self._read_at = self._refused_at = float("-inf")

    def current(self) -> Credential:
        """Return the credential to use. Raises CredentialsRefused without one."""
        with self._lock:
            age = self._clock() - self._read_at
            if age >= CACHE_SECONDS or (self._cached is None and age >= COOLDOWN_SECONDS):
                self._refresh()
            if self._cached is None:
                raise CredentialsRefused(
                    "the secret was not usable at the last read and will be read again", COOLDOWN_SECONDS
                )
            return self._cached

    def replacement(self, refused: Credential) -> Credential | None:
        """Return the credential that replaces a refused one, or None if the secret has not changed."""
        with self._lock:
            unchanged = self._cached is None or self._cached.version == refused.version
            if unchanged and self._clock() - self._refused_at >= COOLDOWN_SECONDS:
                self._refused_at = self._clock()
                self._refresh()
            return self._cached if self._cached and self._cached.version != refused.version else None

    def _refresh(self) -> None:
        """Read the secret. If it is not usable, the cached credential stays in use."""
        self._read_at = self._clock()
        try:
            self._cached = _credential(self._read_secret())
        except SecretUnavailable as exc:
            if self._cached is None:
                raise CredentialsRefused(f"the secret is not usable: {exc}", COOLDOWN_SECONDS) from exc


def _credential(secret: Secret) -> Credential:
    match _parse(secret.text):
        case {"api_token": str(token)} if _HEADER_VALUE.fullmatch(token):
            return Credential({"authorization": f"Bearer {token}"}, secret.version)
        case {"api_email": str(email), "api_key": str(key)} if all(map(_HEADER_VALUE.fullmatch, (email, key))):
            return Credential({"x-auth-email": email, "x-auth-key": key}, secret.version)
    raise SecretUnavailable("it is not JSON with an api_token, or with an api_email and an api_key")


def _parse(text: str) -> object:
    """Parse JSON; None for invalid JSON. The parser's error is not passed on, because it contains the secret."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
