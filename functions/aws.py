"""How AWS fails, in one place: what every call to it catches, and how its cause is told."""

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError
from botocore.parsers import ResponseParserError

AWS_FAILURES = (ClientError, BotoCoreError, ResponseParserError)
"""The service refuses, is out of reach, or answers what is not its answer (the last is no BotoCoreError)."""

_THROTTLES = frozenset({"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "Throttled"})


def cause(failure: Exception) -> str:
    """The error code of the service, or else the kind of failure; neither holds content."""
    return code(failure) or type(failure).__name__


def code(failure: Exception) -> str:
    """The error code of the service; empty where it did not answer."""
    return str(failure.response.get("Error", {}).get("Code", "")) if isinstance(failure, ClientError) else ""


def surely_not_done(failure: Exception) -> bool:
    """Whether the service has certainly not acted, so that trying again cannot do it twice."""
    return code(failure) in _THROTTLES or isinstance(failure, (ConnectTimeoutError, EndpointConnectionError))
