"""Cloudflare's responses as bytes, without sockets and clocks.

A successful response has `success`, `errors`, `messages` and `result`. Errors follow the real service, which differs
from its own schema: one has neither `messages` nor `result`, one has a code below the documented minimum.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from ops.local.fake_cloudflare.mailbox import Fault

JSON = "application/json"
HTML = "text/html; charset=UTF-8"
POLICY = '"default";q=1200;w=300'
"""Cloudflare's limit for each token: 1,200 requests in 300 seconds."""


class Delivery(Enum):
    """How a response is sent.

    HALF: the headers have the full length, but only half of the body is sent. RESET: nothing is sent.
    """

    COMPLETE = auto()
    HALF = auto()
    RESET = auto()


@dataclass(frozen=True, slots=True)
class Response:
    """One response. delay: seconds before it is sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.COMPLETE
    delay: float = 0.0


def success(result: object, result_info: Mapping[str, Any] | None = None) -> Response:
    """Status 200 with a result, and with `result_info` for a list."""
    document = {"success": True, "errors": [], "messages": [], "result": result}
    return _json_response(200, document if result_info is None else {**document, "result_info": result_info})


def accepted(location: str) -> Response:
    """Status 202: a search that is not complete, with the address to poll."""
    return replace(success([]), status=202, headers=(("Location", location),))


def error(status: int, code: int, message: str) -> Response:
    """An error response with all members and one error."""
    return _json_response(status, {"success": False, "errors": [_error(code, message)], "messages": [], "result": None})


def bad_header(name: str) -> Response:
    """A header that cannot be parsed: 400, code 6003, with the cause in `error_chain`."""
    cause = _error(6111, f"Invalid format for {name} header")
    entry = {**_error(6003, "Invalid request headers"), "error_chain": [cause]}
    return _json_response(400, {"success": False, "errors": [entry], "messages": [], "result": None})


def no_route(path: str) -> Response:
    """A malformed account id or an unknown path: 404, code 7003."""
    return error(404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?")


def throttled(retry_after: int, code: int = 10429) -> Response:
    """429, with the seconds until the next request is allowed."""
    response = error(429, code, "Rate limited. Please wait and consider throttling your request speed")
    return replace(response, headers=(("retry-after", str(retry_after)),))


def faulty(fault: Fault, normal: Response, path: str, slow_seconds: float) -> Response:
    """Return the response of a script's fault in place of the normal one."""
    match fault:
        case Fault.THROTTLED:
            limit = (("Ratelimit", '"default";r=0;t=1'), ("Ratelimit-Policy", POLICY))
            response = throttled(1)
            return replace(response, headers=(*response.headers, *limit))
        case Fault.BAD_REQUEST:
            return bad_header("Authorization")
        case Fault.UNKNOWN_ACCOUNT:
            return no_route(path)
        case Fault.SLOW:
            return replace(normal, delay=slow_seconds)
        case Fault.HALF:
            return replace(normal, delivery=Delivery.HALF)
        case _:
            return _RESPONSES[fault]


def _error(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


def _json_response(status: int, document: Mapping[str, Any]) -> Response:
    return Response(status, json.dumps(document, ensure_ascii=False).encode())


def _html_page(status: int, title: str) -> Response:
    text = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Response(status, text.encode(), HTML)


NO_CREDENTIALS = _json_response(
    400,
    {
        "success": False,
        "errors": [_error(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")],
    },
)
"""The body has neither `messages` nor `result`."""

NOT_FOUND = error(404, 10404, "Message not found")
BAD_CREDENTIALS = error(401, 10000, "Authentication error")
NO_PERMISSION = error(403, 10000, "Authentication error")
NOT_IN_PLAN = error(403, 10403, "Email Security is not available in the current subscription")

_RESPONSES: Mapping[Fault, Response] = {
    Fault.SERVER_ERROR: error(500, 10001, "Internal server error"),
    Fault.BAD_GATEWAY: _html_page(502, "502 Bad Gateway"),
    Fault.UNAVAILABLE: error(503, 10013, "Service unavailable"),
    Fault.UNAUTHENTICATED: BAD_CREDENTIALS,
    Fault.NO_PERMISSION: NO_PERMISSION,
    Fault.NOT_IN_PLAN: NOT_IN_PLAN,
    Fault.HTML: _html_page(200, "Just a moment..."),
    Fault.RESET: Response(0, b"", delivery=Delivery.RESET),
    Fault.UNSUCCESSFUL: error(200, 10002, "The request could not be completed"),
    Fault.EMPTY: success(None),
    Fault.EMPTY_OBJECT: success({}),
    Fault.REDIRECT: Response(302, b"", headers=(("Location", "https://login.example.net/client/v4/"),)),
}
