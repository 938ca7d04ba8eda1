"""Who may call the stand-in Cloudflare: what is accepted, and what a caller shows."""

import re
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from typing import Self

_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]+)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is accepted: a token, an e-mail with its key, or both. Named as in the secret's JSON."""

    api_token: str | None = field(default=None, repr=False)
    api_email: str | None = None
    api_key: str | None = field(default=None, repr=False)

    def admit(self, shown: Self) -> bool:
        """Whether a caller that shows these is let in."""
        if shown.api_token is not None:
            return shown.api_token == self.api_token
        return shown.api_key is not None and (shown.api_email, shown.api_key) == (
            self.api_email,
            self.api_key,
        )


class CredentialKind(StrEnum):
    """How a caller authenticated itself; MALFORMED: with a header that cannot be read."""

    BEARER = "bearer"
    KEY = "key"
    NONE = "none"
    MALFORMED = "malformed"


def shown(headers: Message) -> tuple[CredentialKind, Credentials]:
    """What the caller shows. The Authorization header goes first; half a pair counts as nothing."""
    authorization, email, key = (headers.get(name) for name in ("Authorization", "X-Auth-Email", "X-Auth-Key"))
    if authorization is not None:
        bearer = _BEARER.fullmatch(authorization)
        return (CredentialKind.BEARER, Credentials(bearer[1])) if bearer else (CredentialKind.MALFORMED, Credentials())
    if not email or not key:
        return CredentialKind.NONE, Credentials()
    pair = Credentials(api_email=email, api_key=key)
    return (CredentialKind.KEY if _EMAIL.fullmatch(email) else CredentialKind.MALFORMED), pair
