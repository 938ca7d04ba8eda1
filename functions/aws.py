"""AWS errors and batch limits, shared by all AWS clients."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError
from botocore.parsers import ResponseParserError

T = TypeVar("T")

AWS_FAILURES = (ClientError, BotoCoreError, ResponseParserError)
"""The service refuses, cannot be reached, or sends a response that botocore cannot parse.

ResponseParserError is not a subclass of BotoCoreError.
"""
ENTRIES = 10
"""The maximum number of entries in one SQS or SNS batch call."""

_THROTTLES = frozenset({"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "Throttled"})


def cause(failure: Exception) -> str:
    """The service's error code, or the exception's class name without one. Neither contains content."""
    return _error_code(failure) or type(failure).__name__


def is_safe_to_retry(failure: Exception) -> bool:
    """Whether the service certainly did not act, so a retry cannot repeat the action."""
    return _error_code(failure) in _THROTTLES or isinstance(failure, (ConnectTimeoutError, EndpointConnectionError))


def _error_code(failure: Exception) -> str:
    return str(failure.response.get("Error", {}).get("Code", "")) if isinstance(failure, ClientError) else ""


def chunks(items: Sequence[T], size: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """Split items, in order, into chunks that each fit into one batch call.

    size: returns the bytes of an item. limit: the bytes that one call accepts. An item larger than the limit gets a
    chunk of its own, so the service refuses that item alone.
    """
    chunk: list[T] = []
    free = limit
    for item in items:
        if chunk and (len(chunk) == ENTRIES or size(item) > free):
            yield chunk
            chunk, free = [], limit
        chunk.append(item)
        free -= size(item)
    if chunk:
        yield chunk
