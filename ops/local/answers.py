"""Cloudflare's answers, as bytes: pure, without a socket and without a clock.

Success is an envelope of `success`, `errors`, `messages` and `result`. Errors are as the real service writes
them, which is not as its own schema says: one has neither `messages` nor `result`, one a code that is too low.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from ops.local.mailbox import Fault

JSON = "application/json"
HTML = "text/html; charset=UTF-8"
POLICY = '"default";q=1200;w=300'
"""What Cloudflare allows each token: 1,200 requests in 300 seconds."""


class Delivery(Enum):
    """How an answer reaches the caller.

    HALF: its whole length is announced, and half of it sent. RESET: not a byte is sent.
    """

    WHOLE = auto()
    HALF = auto()
    RESET = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: `wait` is the pause before it in seconds."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.WHOLE
    wait: float = 0.0


def found(result: object, result_info: Mapping[str, Any] | None = None) -> Answer:
    """Status 200 with a result, and with `result_info` for a list."""
    envelope = {"success": True, "errors": [], "messages": [], "result": result}
    return _answer(200, envelope if result_info is None else {**envelope, "result_info": result_info})


def refused(status: int, code: int, message: str) -> Answer:
    """An error in the full envelope, with one error in it."""
    return _answer(status, {"success": False, "errors": [_error(code, message)], "messages": [], "result": None})


def bad_header(name: str) -> Answer:
    """A header that cannot be read: 400, code 6003, the cause in `error_chain`."""
    cause = _error(6111, f"Invalid format for {name} header")
    error = {**_error(6003, "Invalid request headers"), "error_chain": [cause]}
    return _answer(400, {"success": False, "errors": [error], "messages": [], "result": None})


def no_route(path: str) -> Answer:
    """An account id that is none, or an address that does not exist: 404, code 7003."""
    return refused(404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?")


def throttled(retry_after: int, code: int = 10429) -> Answer:
    """429, with the seconds after which to come again."""
    answer = refused(429, code, "Rate limited. Please wait and consider throttling your request speed")
    return replace(answer, headers=(("retry-after", str(retry_after)),))


def faulty(fault: Fault, normal: Answer, path: str, slow_seconds: float) -> Answer:
    """The answer that a script asks for, in the place of the normal one."""
    match fault:
        case Fault.THROTTLED:
            limit = (("Ratelimit", '"default";r=0;t=1'), ("Ratelimit-Policy", POLICY))
            answer = throttled(1)
            return replace(answer, headers=(*answer.headers, *limit))
        case Fault.BAD_REQUEST:
            return bad_header("Authorization")
        case Fault.UNKNOWN_ACCOUNT:
            return no_route(path)
        case Fault.SLOW:
            return replace(normal, wait=slow_seconds)
        case Fault.HALF:
            return replace(normal, delivery=Delivery.HALF)
        case _:
            return _FIXED[fault]


def _error(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


def _answer(status: int, document: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(document, ensure_ascii=False).encode())


def _page(status: int, title: str) -> Answer:
    text = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Answer(status, text.encode(), HTML)


NO_CREDENTIALS = _answer(
    400,
    {
        "success": False,
        "errors": [_error(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")],
    },
)
"""The body has neither `messages` nor `result`."""

NOT_FOUND = refused(404, 10404, "Message not found")
BAD_CREDENTIALS = refused(401, 10000, "Authentication error")
NO_PERMISSION = refused(403, 10000, "Authentication error")
NOT_IN_PLAN = refused(403, 10403, "Email Security is not available in the current subscription")

_FIXED: Mapping[Fault, Answer] = {
    Fault.SERVER_ERROR: refused(500, 10001, "Internal server error"),
    Fault.BAD_GATEWAY: _page(502, "502 Bad Gateway"),
    Fault.UNAVAILABLE: refused(503, 10013, "Service unavailable"),
    Fault.UNAUTHENTICATED: BAD_CREDENTIALS,
    Fault.NO_PERMISSION: NO_PERMISSION,
    Fault.NOT_IN_PLAN: NOT_IN_PLAN,
    Fault.HTML: _page(200, "Just a moment..."),
    Fault.RESET: Answer(0, b"", delivery=Delivery.RESET),
    Fault.UNSUCCESSFUL: refused(200, 10002, "The request could not be completed"),
    Fault.EMPTY: found(None),
    Fault.EMPTY_OBJECT: found({}),
    Fault.REDIRECT: Answer(302, b"", headers=(("Location", "https://login.example.net/client/v4/"),)),
}
