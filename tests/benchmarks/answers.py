"""The responses of the benchmark's servers: the minimum for botocore, the Cloudflare SDK and raw sockets."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.batches import Mails

TOKEN = "bench-token"


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. call: service and operation, for the counts."""

    call: str
    body: bytes
    content_type: str = "application/json"


class Unexpected(Exception):
    """A call for which the benchmark has no response. Add one to this file."""


def cloudflare(mails: Mails, path: str, _headers: Mapping[str, str], _body: bytes) -> Reply:
    """Respond to a GET request of Cloudflare's API."""
    match = re.fullmatch(r"/client/v4/accounts/[0-9a-f]{32}/email-security/investigate/4([MC][SL])[^/?]+(/\w+)?", path)
    if match and match[2] == "/detections":
        return Reply("cloudflare detections", mails.detections[match[1]])
    if match and not match[2]:
        return Reply("cloudflare details", mails.details)
    raise Unexpected(f"Cloudflare: {path}")


def aws(_path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Respond for SecretsManager, DynamoDB, SNS or SQS, as if each call succeeded for all its entries."""
    target = headers.get("x-amz-target", "")
    prefix, _, operation = target.partition(".")
    if operation in _JSON:
        service = prefix.partition("_")[0].removeprefix("Amazon").lower()
        return Reply(
            f"{service} {operation}", json.dumps(_JSON[operation](body)).encode(), "application/x-amz-json-1.0"
        )
    action = re.search(rb"(?:^|&)Action=(\w+)", body)
    if not target and action and (name := action[1].decode()) in _XML:
        result = f"<{name}Result>{_XML[name](body)}</{name}Result>"
        metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        namespace = "http://sns.amazonaws.com/doc/2010-03-31/"
        text = f'<{name}Response xmlns="{namespace}">{result}{metadata}</{name}Response>'
        return Reply(f"sns {name}", text.encode(), "text/xml")
    raise Unexpected(f"AWS: {target or body[:80]!r}")


def _secret(_: bytes) -> Any:
    secret = json.dumps({"api_token": TOKEN})
    return {"Name": "bench", "VersionId": "1" * 32, "SecretString": secret, "VersionStages": ["AWSCURRENT"]}


def _all_successful(body: bytes) -> Any:
    entries = json.loads(body)["Entries"]
    return {"Successful": [{"Id": it["Id"], "MessageId": str(uuid.uuid4())} for it in entries], "Failed": []}


def _nothing_found(body: bytes) -> Any:
    return {"Responses": {table: [] for table in json.loads(body)["RequestItems"]}, "UnprocessedKeys": {}}


_JSON: dict[str, Callable[[bytes], Any]] = {
    "GetSecretValue": _secret,
    # The table finds no item and accepts all writes. Bodies are parsed only if the response needs them, because the time
    # would add to the subject's.
    "GetItem": lambda _: {},
    "PutItem": lambda _: {},
    "UpdateItem": lambda _: {},
    "DeleteItem": lambda _: {},
    "Query": lambda _: {"Items": [], "Count": 0, "ScannedCount": 0},
    "TransactWriteItems": lambda _: {},
    "TransactGetItems": lambda body: {"Responses": [{} for _ in json.loads(body)["TransactItems"]]},
    "BatchGetItem": _nothing_found,
    "BatchWriteItem": lambda _: {"UnprocessedItems": {}},
    "SendMessage": lambda _: {"MessageId": str(uuid.uuid4())},
    "SendMessageBatch": _all_successful,
    "ChangeMessageVisibilityBatch": _all_successful,
    "DeleteMessageBatch": _all_successful,
}


def _published(body: bytes) -> str:
    ids = re.findall(rb"PublishBatchRequestEntries\.member\.\d+\.Id=([\w-]+)", body)
    members = (f"<member><Id>{it.decode()}</Id><MessageId>{uuid.uuid4()}</MessageId></member>" for it in ids)
    return f"<Successful>{''.join(members)}</Successful><Failed/>"


_XML: dict[str, Callable[[bytes], str]] = {
    "Publish": lambda _: f"<MessageId>{uuid.uuid4()}</MessageId>",
    "PublishBatch": _published,
}
