"""The baseline `floor`: a lower bound for the cost of the same effects.

It uses raw sockets and does not sign, validate or parse: ten concurrent requests, one claim, one publish, one mark. It
is not meant for deployment.
"""

import json
import os
import socket
import ssl
from typing import Any
from urllib.parse import urlencode, urlsplit

_CONTEXT = ssl.create_default_context()


class Connection:
    """A connection that is kept alive."""

    def __init__(self, url: str) -> None:
        origin = urlsplit(url)
        self._head = f"HTTP/1.1\r\nhost: {origin.netloc}\r\n"
        plain = socket.create_connection((origin.hostname or "", origin.port or 443))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = _CONTEXT.wrap_socket(plain, server_hostname=origin.hostname)

    def send(self, request: str, headers: str = "", body: bytes = b"") -> None:
        """Send a request, such as `GET /path`. Each header ends with a line break."""
        self._socket.sendall(f"{request} {self._head}{headers}content-length: {len(body)}\r\n\r\n".encode() + body)

    def receive(self) -> bytes:
        """Receive the body of the response."""
        head, _, body = self._socket.recv(65_536).partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        parts, missing = [body], length - len(body)
        while missing > 0:
            parts.append(self._socket.recv(min(missing, 262_144)))
            missing -= len(parts[-1])
        return b"".join(parts)


def _target(operation: str, body: object) -> bytes:
    _aws.send("POST /", f"x-amz-target: {operation}\r\n", json.dumps(body).encode())
    return _aws.receive()


_BASE = urlsplit(os.environ["CLOUDFLARE_BASE_URL"]).path
_PATH = f"{_BASE}/accounts/{os.environ['ACCOUNT_ID']}/email-security/investigate"
_aws = Connection(os.environ["AWS_ENDPOINT_URL"])
_secret = json.loads(_target("secretsmanager.GetSecretValue", {"SecretId": os.environ["SECRET_ID"]}))
_TOKEN = json.loads(_secret["SecretString"])["api_token"]
_cloudflare = [Connection(os.environ["CLOUDFLARE_BASE_URL"]) for _ in range(10)]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send ten requests on ten connections, read the responses in order, then make three calls for all emails."""
    ids = [json.loads(record["body"])["investigate_id"] for record in event["Records"]]
    for email_id, connection in zip(ids, _cloudflare, strict=True):
        connection.send(f"GET {_PATH}/{email_id}/detections", f"authorization: Bearer {_TOKEN}\r\n")
    bodies = [connection.receive() for connection in _cloudflare]
    escalated = [it for it, body in zip(ids, bodies, strict=True) if b'"final_disposition": "MALICIOUS"' in body]
    if escalated:
        _write("claimed", escalated)
        _publish(escalated)
        _write("sent", escalated)
    return {"batchItemFailures": []}


def _write(state: str, ids: list[str]) -> None:
    puts = [
        {"Put": {"TableName": os.environ["TABLE_NAME"], "Item": {"id": {"S": it}, "state": {"S": state}}}} for it in ids
    ]
    _target("DynamoDB_20120810.TransactWriteItems", {"TransactItems": puts})


def _publish(ids: list[str]) -> None:
    entries = {
        f"PublishBatchRequestEntries.member.{i}.{name}": value
        for i, it in enumerate(ids, 1)
        for name, value in (("Id", str(i)), ("Message", it))
    }
    form = urlencode({"Action": "PublishBatch", "Version": "2010-03-31", "TopicArn": os.environ["TOPIC_ARN"]} | entries)
    _aws.send("POST /", "content-type: application/x-www-form-urlencoded\r\n", form.encode())
    _aws.receive()
