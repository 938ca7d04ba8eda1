"""Message -> request: the id of an email. schemas/request.schema.json defines the valid bodies."""

import json

from functions.domain.email_id import EmailId
from functions.domain.outcome import Reason
from functions.escalate.sqs_message import Message
from functions.escalate.stages import Request
from functions.schema import Definition, load_schema, where

_REQUEST = Definition(load_schema("request"), "request")
_ID_NAMES = ("postfix_id", "alert_id", "investigate_id")
_MAX_WRAPPERS = 3
"""Wrappers removed from one body. An EventBridge event that arrives through SNS has two."""


class InvalidRequest(Exception):
    """A body without a usable email id. The text says which rule the body breaks, and never quotes the body."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read_request(message: Message, account_id: str) -> Request:
    """Read the request in a message.

    account_id: the configured account. A body may omit its account, but not name another one.
    Raises InvalidRequest.
    """
    body = _unwrap(_parse(message.body))
    if isinstance(body, str):
        email_id = EmailId.read(body)
        if email_id is None:
            raise InvalidRequest(Reason.INVALID_ID, _NOT_AN_ID.format(path="$"))
        return Request(message, email_id)
    if not isinstance(body, dict):
        raise InvalidRequest(
            Reason.MALFORMED_BODY, "the body is neither an id nor an object; send one message for each email"
        )
    names = [name for name in _ID_NAMES if name in body]
    error = _REQUEST.best_error(body)
    if error is None:
        if body.get("account_id", account_id) != account_id:
            raise InvalidRequest(
                Reason.ACCOUNT_NOT_CONFIGURED, "$.account_id is not the account that this function is configured for"
            )
        return Request(message, EmailId(body[names[0]]))
    if len(names) != 1:
        raise InvalidRequest(Reason.MALFORMED_BODY, f"expected exactly one of {', '.join(_ID_NAMES)}; got {len(names)}")
    if error.absolute_path and error.absolute_path[0] == names[0]:
        raise InvalidRequest(Reason.INVALID_ID, _NOT_AN_ID.format(path=f"$.{names[0]}"))
    raise InvalidRequest(Reason.MALFORMED_BODY, f"the body does not match the request schema at {where(error)}")


_NOT_AN_ID = "{path} is not an id; expected 8 to 64 letters and digits, optionally followed by a time and a number"


def _parse(text: str) -> object:
    """Parse a body: a bare id, or JSON."""
    text = text.strip()
    if EmailId.read(text):
        return text
    if not text:
        raise InvalidRequest(Reason.MALFORMED_BODY, "the body is empty")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest(Reason.MALFORMED_BODY, "the body is neither an id nor JSON") from None


def _unwrap(body: object) -> object:
    """Remove the wrappers of SNS and EventBridge from a body."""
    for _ in range(_MAX_WRAPPERS):
        match body:
            case {"Type": "Notification", "Message": str(text)}:
                body = _parse(text)
            case {"detail-type": str(), "detail": detail}:
                body = detail
            case _:
                break
    return body
