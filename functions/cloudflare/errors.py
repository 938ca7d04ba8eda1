"""Errors of the Cloudflare client. The leaf decides what happens to the message; no code branches on the text.

    CloudflareError
    ├── Unavailable         timeout, connection error, 5xx, no Cloudflare envelope    retry
    │   ├── StillSearching    the search takes long, with the address to poll         poll, else retry
    │   └── SearchIncomplete  the pages of the search repeat or do not end            retry
    ├── NoDetection         404, or success without a result                          retry, then NOT_FOUND
    ├── Throttled           429, or no free request in our share, with a pause        requeue with a delay
    ├── CredentialsRefused  401, 403, 400 without credentials, or no usable secret    requeue with a delay
    ├── Refused             any other 4xx, except 408, 409 and 425                    dead-letter
    └── InvalidAnswer       a result without the fields that the decision needs       ask for details, else dead-letter
        └── TooLarge        a body of more bytes than the client reads                halve the page of a search, else the same

A message says what failed and what to do. It contains no email content, no address and no credential.
"""

from datetime import datetime

from functions.domain.detection import Detection
from functions.domain.email_id import EmailId

REFUSED_PAUSE = 300.0
"""Seconds. An operator has to fix the credentials: retries more often than every 5 minutes only add cost."""


class CloudflareError(Exception):
    """Base class of the errors that this package raises."""


class Unavailable(CloudflareError):
    """Cloudflare could not be reached, or the response did not come from Cloudflare's API."""


class StillSearching(Unavailable):
    """The search takes long. `location`: the address that will have its result. `form`: how Cloudflare wrote it."""

    def __init__(self, message: str, location: str, form: str = "") -> None:
        super().__init__(message)
        self.location = location
        self.form = form


class SearchIncomplete(Unavailable):
    """The pages of the search repeat or do not end, so that rows may be missing."""


class NoDetection(CloudflareError):
    """Cloudflare has no detection for this id, or not yet. `id_exists`: the status is 200, so the id is valid."""

    def __init__(self, message: str, *, id_exists: bool) -> None:
        super().__init__(message)
        self.id_exists = id_exists


class Throttled(CloudflareError):
    """The rate limit is used up. `retry_after`: seconds until the next request is possible."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CredentialsRefused(CloudflareError):
    """Cloudflare refuses the credentials, or the secret is empty, malformed or not readable.

    pause: seconds until a retry makes sense.
    """

    def __init__(self, message: str, pause: float = REFUSED_PAUSE) -> None:
        super().__init__(message)
        self.pause = pause


class Refused(CloudflareError):
    """Cloudflare refuses the request permanently. `server_time`: Cloudflare's clock at the refusal, if it is known."""

    def __init__(self, message: str, server_time: datetime | None = None) -> None:
        super().__init__(message)
        self.server_time = server_time


class InvalidAnswer(CloudflareError):
    """The result lacks a field that the decision needs, or is too large; `str()` gives its JSON path and rule.

    id: the email that was asked for, if it is known. detection: what else is known of it.
    """

    def __init__(self, message: str, id: EmailId | None = None, detection: Detection | None = None) -> None:
        super().__init__(message)
        self.id = id
        self.detection = detection


class TooLarge(InvalidAnswer):
    """The body has more bytes than the client reads."""
