"""The credentials for Cloudflare: kept for a while, and looked up again when Cloudflare refuses them.

The secret is JSON, in one of two forms: `{"api_token": "..."}` (recommended: one permission, one account), or
`{"api_email": "...", "api_key": "..."}`.

Powertools' Parameters would keep a secret too, but not tell its version; without it a refused credential could not be
told from a replaced one.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from functions.cloudflare.errors import CredentialsRefused

KEEP_SECONDS = 300.0
"""A rotated secret is picked up within this time, also when the old one still works."""
COOLDOWN_SECONDS = 30.0
"""With credentials that stay refused, Secrets Manager is asked at most this often by one environment."""

_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret's text and the id of its version."""

    text: str = field(repr=False)
    version: str


class SecretUnavailable(Exception):
    """The secret could not be read, or holds no credentials; `str()` says why, without its content."""


@dataclass(frozen=True, slots=True)
class Credential:
    """The headers that authenticate a request, and the version of the secret that they came from."""

    headers: dict[str, str] = field(repr=False)
    version: str


class Credentials:
    """Gives the current credential to any thread; one thread at a time asks for the secret."""

    def __init__(self, read_secret: Callable[[], Secret], clock: Callable[[], float] = time.time) -> None:
        """`read_secret` gives the current version of the secret, or raises SecretUnavailable. clock: see Pace."""
        self._read_secret = read_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: Credential | None = None
        self._asked_at = self._refused_at = float("-inf")

    def current(self) -> Credential:
        """The credential to use. Raises CredentialsRefused where there is none to be had."""
        with self._lock:
            age = self._clock() - self._asked_at
            if age >= KEEP_SECONDS or (self._kept is None and age >= COOLDOWN_SECONDS):
                self._look_up()
            if self._kept is None:
                raise CredentialsRefused(
                    "the secret was not usable a moment ago; it is looked up again", COOLDOWN_SECONDS
                )
            return self._kept

    def replacement(self, refused: Credential) -> Credential | None:
        """The credential that has taken the place of a refused one, or None where none has."""
        with self._lock:
            unchanged = self._kept is None or self._kept.version == refused.version
            if unchanged and self._clock() - self._refused_at >= COOLDOWN_SECONDS:
                self._refused_at = self._clock()
                self._look_up()
            return self._kept if self._kept and self._kept.version != refused.version else None

    def _look_up(self) -> None:
        """Refresh what is kept. Where there is nothing better to be had, what is kept stays in use."""
        self._asked_at = self._clock()
        try:
            self._kept = _credential(self._read_secret())
        except SecretUnavailable as exc:
            if self._kept is None:
                raise CredentialsRefused(f"the secret is not usable: {exc}", COOLDOWN_SECONDS) from exc


def _credential(secret: Secret) -> Credential:
    match _parse(secret.text):
        case {"api_token": str(token)} if _HEADER_VALUE.fullmatch(token):
            return Credential({"authorization": f"Bearer {token}"}, secret.version)
        case {"api_email": str(email), "api_key": str(key)} if all(map(_HEADER_VALUE.fullmatch, (email, key))):
            return Credential({"x-auth-email": email, "x-auth-key": key}, secret.version)
    raise SecretUnavailable("it is not JSON with an api_token, or with an api_email and its api_key")


def _parse(text: str) -> object:
    """JSON, or None. What went wrong is not passed on: a JSON error carries its document, which is the secret."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
