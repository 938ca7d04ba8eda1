"""Error responses of AWS and Cloudflare, as faults for the proxy."""

import json

from tests.faults.proxy import Fault

_JSON = "application/x-amz-json-1.0"


def aws_error(action: str, status: int, code: str) -> Fault:
    """Return an error in the format of the action's service."""
    if action.startswith("PublishBatch"):
        kind = "Sender" if status < 500 else "Receiver"
        text = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        )
        return Fault(answer=(status, "text/xml", text.encode()))
    return Fault(answer=(status, _JSON, json.dumps({"__type": code, "message": "no"}).encode()))


def throttled(action: str) -> Fault:
    """Return a throttling error."""
    return aws_error(action, 400, "Throttling" if action.startswith("PublishBatch") else "ThrottlingException")


def broken(action: str) -> Fault:
    """Return an internal error."""
    return aws_error(action, 500, "InternalFailure" if action.startswith("PublishBatch") else "InternalServerError")


def blocked(seconds: int) -> Fault:
    """Return Cloudflare's response while a token is blocked."""
    body = {"success": False, "errors": [{"code": 10429, "message": "rate limited"}], "messages": [], "result": None}
    headers = (("retry-after", str(seconds)), ("ratelimit", f'"default";r=0;t={seconds}'))
    return Fault(answer=(429, "application/json", json.dumps(body).encode()), headers=headers)


CLOUDFLARE_FAILS = (
    Fault(answer=(500, "application/json", b'{"success": false, "errors": [], "messages": [], "result": null}')),
    Fault(answer=(502, "text/html", b"<html>Bad gateway</html>")),
    Fault(lose_request=True),
    Fault(half=True),
    Fault(answer=(200, "text/html", b"<!doctype html><title>Just a moment...</title>")),
    Fault(answer=(200, "application/json", b'{"success": false, "errors": [], "messages": [], "result": null}')),
)
"""500, 502 with HTML, a reset, half a body, HTML with status 200, `success: false` with status 200."""
