"""Message -> request: the id of an email. schemas/request.schema.json defines the valid bodies."""

import json
import re
from collections.abc import Callable
from typing import Any

from functions.domain.email_id import EmailId, IdKind
from functions.domain.outcome import Outcome, Reason
from functions.escalate.sqs_message import Message
from functions.escalate.stages import Request
from functions.schema import Definition, load_schema, where

_REQUEST = Definition(load_schema("request"), "request")
_ID_NAMES = ("postfix_id", "alert_id", "investigate_id", "PostfixID", "AlertID")
"""The names of ids: those of the API, then those of Logpush."""
_MAX_WRAPPERS = 3
"""Wrappers removed from one body. An EventBridge event that arrives through SNS has two."""
_S3 = (
    "the body is an S3 notification about an object, not an email id. Connect a program that reads the object and sends "
    "the AlertID of each line as one message"
)


class InvalidRequest(Exception):
    """A body that asks for no email. The text says which rule the body breaks, and never quotes the body.

    outcome: IGNORED for what producers send by themselves, else REJECTED. id: the email, if the body names one.
    """

    def __init__(
        self, reason: Reason, detail: str, id: EmailId | None = None, outcome: Outcome = Outcome.REJECTED
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.id = id
        self.outcome = outcome


def read_request(
    message: Message, account_id: str, escalates: Callable[[str], bool | None] = lambda _: None
) -> Request:
    """Read the request in a message.

    account_id: the configured account. A body may omit its account, but not name another one.
    escalates:  whether a disposition raises an alert; None for an unknown one. Used for lines of Logpush.
    Raises InvalidRequest.
    """
    body = _unwrap(_parse(message.body))
    if isinstance(body, str):
        email_id = _read_id(body)
        if email_id is None:
            raise InvalidRequest(Reason.INVALID_ID, _NOT_AN_ID.format(path="$"))
        return Request(message, email_id)
    if not isinstance(body, dict):
        seen = f"a list of {len(body)}" if isinstance(body, list) else "neither an id nor an object"
        raise InvalidRequest(Reason.MALFORMED_BODY, f"the body is {seen}; send one message for each email")
    _raise_for_notice(body)
    email_id = _named_id(body, account_id)
    disposition = body.get("FinalDisposition")
    if isinstance(disposition, str) and escalates(disposition) is False:
        detail = "$.FinalDisposition of the log line is not escalated"
        raise InvalidRequest(Reason.DISPOSITION_NOT_ESCALATED, detail, email_id, Outcome.IGNORED)
    return Request(message, email_id)


_NOT_AN_ID = "{path} is not an id; expected 8 to 64 letters and digits, optionally followed by a time and a number"


def _named_id(body: dict[str, Any], account_id: str) -> EmailId:
    """The id of an object: the longest of several that agree. Null and empty members count as absent."""
    given = {name: value for name in _ID_NAMES if (value := body.get(name)) not in (None, "")}
    if not given:
        detail = f"expected one of {', '.join(_ID_NAMES)}; got 0{_seen(body)}"
        lone = _read_id(body["id"]) if isinstance(body.get("id"), str) else None
        # Any word can look like a postfix id, but not like the longer forms.
        is_sure = lone is not None and lone.kind is not IdKind.POSTFIX
        raise InvalidRequest(Reason.MALFORMED_BODY, detail, lone if is_sure else None)
    ids = {name: _read_id(value) if isinstance(value, str) else None for name, value in given.items()}
    known = sorted(filter(None, ids.values()), key=lambda it: len(it.value))
    longest = known[-1] if known else None
    for name, read in ids.items():
        if read is None:
            detail = f"{name} is there, but {_NOT_AN_ID.format(path=f'$.{name}')}"
            raise InvalidRequest(Reason.INVALID_ID, detail, longest)
    if longest is None or not all(_agree(it, longest) for it in known):
        detail = f"{' and '.join(given)} are there, but name different emails"
        raise InvalidRequest(Reason.MALFORMED_BODY, detail, longest)
    account = body.get("account_id")
    known_members = {name: it.value for name, it in ids.items() if it} | (
        {} if account is None else {"account_id": account}
    )
    error = _REQUEST.best_error(known_members)
    if error is not None:
        detail = f"account_id is there, but the body does not match the request schema at {where(error)}"
        raise InvalidRequest(Reason.MALFORMED_BODY, detail, longest)
    if account is not None and account.lower() != account_id:
        detail = "$.account_id is not the account that this function is configured for"
        raise InvalidRequest(Reason.ACCOUNT_NOT_CONFIGURED, detail, longest)
    row_id = _read_id(body["id"]) if isinstance(body.get("id"), str) else None
    # A row of Cloudflare's search has its investigate id as `id`. Any other `id` is not Cloudflare's.
    return row_id if row_id and len(row_id.value) > len(longest.value) and _agree(longest, row_id) else longest


def _agree(shorter: EmailId, longer: EmailId) -> bool:
    return f"{longer.value}-".startswith(f"{shorter.value}-")


def _seen(body: dict[str, Any]) -> str:
    """What is there instead of an id, in words that are not of the body."""
    empty = [name for name in _ID_NAMES if name in body]
    if empty:
        return f". {' and '.join(empty)} is there, but is null or empty"
    spelled = {_letters(name): name for name in reversed(_ID_NAMES)}
    alike = sorted({spelled[_letters(name)] for name in body if _letters(name) in spelled})
    if alike:
        return f". A member like {' and '.join(alike)} is there, but in another spelling"
    if "id" in body:
        return ". id is there, but counts only beside postfix_id"
    return f" among its {len(body)} members"


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name[:40].lower())


def _read_id(text: str) -> EmailId | None:
    """Read an id. Logpush formats and scripts add `Z` to its time."""
    return EmailId.read(text.removesuffix("Z") if re.search(r"T[0-9:]{8}Z\Z", text) else text)


def _parse(text: str) -> object:
    """Parse a body: a bare id, or JSON."""
    text = text.strip().removeprefix("\ufeff").strip()
    if _read_id(text):
        return text
    if not text:
        raise InvalidRequest(Reason.MALFORMED_BODY, "the body is empty")
    try:
        body, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        raise InvalidRequest(Reason.MALFORMED_BODY, "the body is neither an id nor JSON") from None
    if text[end:].strip():
        seen = "several JSON values" if isinstance(body, dict) else "neither an id nor JSON"
        raise InvalidRequest(Reason.MALFORMED_BODY, f"the body is {seen}; send one message for each email")
    return body


def _unwrap(body: object) -> object:
    """Remove the wrappers of SNS, EventBridge and EventBridge Pipes from a body."""
    for _ in range(_MAX_WRAPPERS):
        body = _only_element(body)
        match body:
            case {"Type": "Notification", "Message": str(text)}:
                body = _parse(text)
            case {"detail-type": "Scheduled Event"} | {"detail-type": str(), "source": "aws.s3"}:
                return body
            case {"detail-type": str(), "detail": str(text)}:
                body = _parse(text)
            case {"detail-type": str(), "detail": detail}:
                body = detail
            case _:
                break
    return _only_element(body)


def _only_element(body: object) -> object:
    """The element of a list of one object, as EventBridge Pipes sends it."""
    return body[0] if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict) else body


def _raise_for_notice(body: dict[str, Any]) -> None:
    """Raise InvalidRequest for what AWS sends by itself, and for notifications of S3."""
    notice = ""
    match body:
        case {"Event": "s3:TestEvent"}:
            notice = "S3's test event"
        case {"Type": "SubscriptionConfirmation" | "UnsubscribeConfirmation"}:
            notice = "SNS's confirmation of a subscription; if ids are missing, confirm the subscription in SNS"
        case {"detail-type": "Scheduled Event"}:
            notice = "a scheduled event of EventBridge"
        case {"detail-type": str(), "source": "aws.s3"} | {"Records": [{"eventSource": "aws:s3"}, *_]}:
            raise InvalidRequest(Reason.NOT_A_REQUEST, _S3)
        case {"Records": [{"s3": dict()}, *_]}:
            raise InvalidRequest(Reason.NOT_A_REQUEST, _S3)
    if notice:
        raise InvalidRequest(Reason.NOTICE, f"the body is {notice}", outcome=Outcome.IGNORED)
