"""The body of a message -> which mail is meant. schemas/request.schema.json says what a body may be."""

import json

from functions.cloudflare.message_id import MessageId
from functions.escalate.cases import Request
from functions.escalate.message import Message
from functions.escalate.outcome import Reason
from functions.schema import Definition, load_schema, where

_REQUEST = Definition(load_schema("request"), "request")
_ID_NAMES = ("postfix_id", "alert_id", "investigate_id")
_WRAPPERS = 3
"""How many wrappings are taken off: an EventBridge event that comes by way of SNS has two."""


class InvalidRequest(Exception):
    """A body that names no mail we may ask about. The text says what is wrong with it, and never quotes it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read_request(message: Message, account_id: str) -> Request:
    """The request in a message.

    account_id: the configured account, which is meant where the body names none.
    Raises InvalidRequest, also for a request that names another account.
    """
    body = _unwrap(_parse(message.body))
    if isinstance(body, str):
        mail = MessageId.read(body)
        if mail is None:
            raise InvalidRequest(Reason.INVALID_ID, _NOT_AN_ID.format(path="$"))
        return Request(message, mail)
    if not isinstance(body, dict):
        raise InvalidRequest(
            Reason.MALFORMED_BODY, "the body is neither an id nor an object; one message names one mail"
        )
    names = [name for name in _ID_NAMES if name in body]
    error = _REQUEST.best_error(body)
    if error is None:
        if body.get("account_id", account_id) != account_id:
            raise InvalidRequest(
                Reason.ACCOUNT_NOT_CONFIGURED, "$.account_id is not the account that this function is configured for"
            )
        return Request(message, MessageId(body[names[0]]))
    if len(names) != 1:
        raise InvalidRequest(Reason.MALFORMED_BODY, f"expected exactly one of {', '.join(_ID_NAMES)}; got {len(names)}")
    if error.absolute_path and error.absolute_path[0] == names[0]:
        raise InvalidRequest(Reason.INVALID_ID, _NOT_AN_ID.format(path=f"$.{names[0]}"))
    raise InvalidRequest(Reason.MALFORMED_BODY, f"the body does not match the request schema at {where(error)}")


_NOT_AN_ID = "{path} is not an id: expected 8 to 64 letters and digits, then at most a time and a number"


def _parse(text: str) -> object:
    """A body as JSON, or as the bare id that it may be instead."""
    text = text.strip()
    if MessageId.read(text):
        return text
    if not text:
        raise InvalidRequest(Reason.MALFORMED_BODY, "the body is empty")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest(Reason.MALFORMED_BODY, "the body is neither an id nor JSON") from None


def _unwrap(body: object) -> object:
    """What is left of a body without the wrappings of SNS and EventBridge."""
    for _ in range(_WRAPPERS):
        match body:
            case {"Type": "Notification", "Message": str(text)}:
                body = _parse(text)
            case {"detail-type": str(), "detail": detail}:
                body = detail
            case _:
                break
    return body
