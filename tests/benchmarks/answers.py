"""What the servers answer: pure. Just enough of each service for botocore, the SDK and raw sockets alike."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tests.benchmarks.batches import Mails

TOKEN = "bench-token"


@dataclass(frozen=True, slots=True)
class Reply:
    """call: service and operation, by which it is counted."""

    call: str
    body: bytes
    content_type: str = "application/json"


class Unexpected(Exception):
    """A call that the benchmark has no answer for: whoever measures has to look."""


def cloudflare(mails: Mails, path: str, _headers: Mapping[str, str], _body: bytes) -> Reply:
    """The answer to a GET of Cloudflare's API."""
    match = re.fullmatch(r"/client/v4/accounts/[0-9a-f]{32}/email-security/investigate/4([MC][SL])[^/?]+(/\w+)?", path)
    if match and match[2] == "/detections":
        return Reply("cloudflare detections", mails.detections[match[1]])
    if match and not match[2]:
        return Reply("cloudflare context", mails.context)
    raise Unexpected(f"Cloudflare: {path}")


def aws(_path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """The answer of SecretsManager, DynamoDB, SNS or SQS, as if each call had worked on all that it named."""
    target = headers.get("x-amz-target", "")
    prefix, _, operation = target.partition(".")
    service = prefix.partition("_")[0].removeprefix("Amazon").lower()
    answer = _JSON.get(operation)
    if answer is not None:
        return Reply(
            f"{service} {operation}", json.dumps(answer(json.loads(body))).encode(), "application/x-amz-json-1.0"
        )
    if not target:
        form = parse_qs(body.decode())
        [action] = form["Action"]
        if action in _XML:
            inner = _XML[action](form)
            text = f'<{action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><{action}Result>{inner}</{action}Result>'
            text += f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"
            return Reply(f"sns {action}", text.encode(), "text/xml")
    raise Unexpected(f"AWS: {target or body[:80]!r}")


def _secret(_: Any) -> Any:
    secret = json.dumps({"api_token": TOKEN})
    return {"Name": "bench", "VersionId": "1" * 32, "SecretString": secret, "VersionStages": ["AWSCURRENT"]}


def _done(request: Any) -> Any:
    return {"Successful": [{"Id": it["Id"], "MessageId": str(uuid.uuid4())} for it in request["Entries"]], "Failed": []}


_JSON: dict[str, Callable[[Any], Any]] = {
    "GetSecretValue": _secret,
    # A table in which nothing is found, and which takes everything.
    "GetItem": lambda _: {},
    "PutItem": lambda _: {},
    "UpdateItem": lambda _: {},
    "DeleteItem": lambda _: {},
    "Query": lambda _: {"Items": [], "Count": 0, "ScannedCount": 0},
    "TransactWriteItems": lambda _: {},
    "TransactGetItems": lambda request: {"Responses": [{} for _ in request["TransactItems"]]},
    "BatchGetItem": lambda request: {"Responses": {it: [] for it in request["RequestItems"]}, "UnprocessedKeys": {}},
    "BatchWriteItem": lambda _: {"UnprocessedItems": {}},
    "SendMessage": lambda _: {"MessageId": str(uuid.uuid4())},
    "SendMessageBatch": _done,
    "ChangeMessageVisibilityBatch": _done,
    "DeleteMessageBatch": _done,
}


def _published(form: Mapping[str, list[str]]) -> str:
    ids = [
        value for name, [value] in form.items() if re.fullmatch(r"PublishBatchRequestEntries\.member\.\d+\.Id", name)
    ]
    members = "".join(f"<member><Id>{it}</Id><MessageId>{uuid.uuid4()}</MessageId></member>" for it in ids)
    return f"<Successful>{members}</Successful><Failed/>"


_XML: dict[str, Callable[[Mapping[str, list[str]]], str]] = {
    "Publish": lambda _: f"<MessageId>{uuid.uuid4()}</MessageId>",
    "PublishBatch": _published,
}
