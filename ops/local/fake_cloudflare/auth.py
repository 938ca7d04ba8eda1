"""Credentials of the fake Cloudflare: the accepted ones, and those of a request."""

import re
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from typing import Self

_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]+)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, an email address with its key, or both. Named as in the secret's JSON."""

    api_token: str | None = field(default=None, repr=False)
    api_email: str | None = None
    api_key: str | None = field(default=None, repr=False)

    def accept(self, credentials: Self) -> bool:
        """Whether these credentials accept those of a request."""
        if credentials.api_token is not None:
            return credentials.api_token == self.api_token
        return credentials.api_key is not None and (credentials.api_email, credentials.api_key) == (
            self.api_email,
            self.api_key,
        )


class CredentialKind(StrEnum):
    """The kind of credentials in a request. MALFORMED: a header cannot be parsed."""

    BEARER = "bearer"
    KEY = "key"
    NONE = "none"
    MALFORMED = "malformed"


def read_credentials(headers: Message) -> tuple[CredentialKind, Credentials]:
    """Read a request's credentials. The Authorization header takes precedence; half a pair counts as none."""
    authorization, email, key = (headers.get(name) for name in ("Authorization", "X-Auth-Email", "X-Auth-Key"))
    if authorization is not None:
        bearer = _BEARER.fullmatch(authorization)
        return (CredentialKind.BEARER, Credentials(bearer[1])) if bearer else (CredentialKind.MALFORMED, Credentials())
    if not email or not key:
        return CredentialKind.NONE, Credentials()
    pair = Credentials(api_email=email, api_key=key)
    return (CredentialKind.KEY if _EMAIL.fullmatch(email) else CredentialKind.MALFORMED), pair
