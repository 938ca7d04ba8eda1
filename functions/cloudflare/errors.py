"""What can go wrong at Cloudflare. The leaf decides what becomes of the message; nothing branches on a text.

    CloudflareError
    ├── Unavailable         timeout, connection, 5xx, not Cloudflare's envelope      try again
    │   └── StillSearching  a search that is answered later, at another address      look there
    ├── NoDetection         404, or success without a result                         look again, then believe it
    ├── Throttled           429, or our own pace, with the seconds to wait           send back later
    ├── CredentialsRefused  401, 403, 400 without credentials, or no usable secret   send back later
    ├── Refused             any other 4xx, but for 408, 409 and 425                  reject
    └── InvalidAnswer       a result without what the decision needs                 reject

A message says what failed and what next. It holds no mail content, no address and no credential.
"""

REFUSED_PAUSE = 300.0
"""Seconds. A human has to mend the credentials: looking more often than every five minutes only costs."""


class CloudflareError(Exception):
    """Base of everything that this package raises."""


class Unavailable(CloudflareError):
    """Cloudflare could not be asked, or what answered was not Cloudflare."""


class StillSearching(Unavailable):
    """A search takes its time. `location`: where to ask for its answer."""

    def __init__(self, message: str, location: str) -> None:
        super().__init__(message)
        self.location = location


class NoDetection(CloudflareError):
    """Cloudflare has no detection under this id (yet). `known`: it answered 200, so that it does know the id."""

    def __init__(self, message: str, *, known: bool) -> None:
        super().__init__(message)
        self.known = known


class Throttled(CloudflareError):
    """The token has used up its requests. `retry_after`: seconds until asking makes sense again."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CredentialsRefused(CloudflareError):
    """Cloudflare does not accept the credentials, or the secret holds none, or cannot be read for the moment.

    pause: seconds until another try makes sense.
    """

    def __init__(self, message: str, pause: float = REFUSED_PAUSE) -> None:
        super().__init__(message)
        self.pause = pause


class Refused(CloudflareError):
    """Cloudflare understood the request and will not answer it, now or later."""


class InvalidAnswer(CloudflareError):
    """The result lacks what the decision needs; `str()` names it by JSON path and rule."""
