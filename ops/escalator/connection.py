"""AWS, as the operator reaches it: clients, the outputs of a stack, and whatever fails there in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore import exceptions as sdk
from botocore.config import Config
from botocore.parsers import ResponseParserError

from functions.alert.plain_text import plain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=40)
"""A receive waits for up to 20 s by itself."""
_PATIENT = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 8}))
"""A table that throttles gives more a little later."""
_LOG_IN = "log in to AWS again, or name another --profile"
_BUSY = "the table is busy: try again later, or ask for less at once"
_NETWORK = "check the network, the --region and the --endpoint-url"
_ADVICE = {
    "AWS.SimpleQueueService.NonExistentQueue": "check the queue's URL and the --region",
    "InvalidAddress": "check the queue's URL",
    "AccessDenied": "ask for this permission, or name another --profile",
    "AccessDeniedException": "ask for this permission, or name another --profile",
    "ExpiredToken": _LOG_IN,
    "ExpiredTokenException": _LOG_IN,
    "InvalidClientTokenId": _LOG_IN,
    "UnrecognizedClientException": _LOG_IN,
    "SignatureDoesNotMatch": _LOG_IN,
    "ResourceNotFoundException": "name a table made from template.yaml as it is now, and check the --region",
    "ValidationException": "name a table made from template.yaml as it is now, and give a --cursor as it was printed",
    "ProvisionedThroughputExceededException": _BUSY,
    "RequestLimitExceeded": _BUSY,
    "ThrottlingException": _BUSY,
    "InternalServerError": "try again later",
    "ValidationError": "check the --stack and the --region",
}
_SDK_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (sdk.NoCredentialsError, "log in to AWS, or name a --profile"),
    (sdk.NoRegionError, "give a --region, or set AWS_REGION"),
    (sdk.ProfileNotFound, "check the --profile"),
    (sdk.TokenRetrievalError, _LOG_IN),
    (sdk.SSOError, _LOG_IN),
    (sdk.ConnectionError, _NETWORK),
    (sdk.HTTPClientError, _NETWORK),
    (ResponseParserError, "check the --endpoint-url: this is no answer of AWS"),
)


class Failed(Exception):
    """Something could not be done. The text says in one line what, and what to do."""


class Interrupted(Failed):
    """The operator has interrupted it."""


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turns what AWS or its SDK raises into Failed: `cannot <doing>: ...`."""
    try:
        yield
    except sdk.ClientError as exc:
        error = exc.response.get("Error", {})
        code = error.get("Code", "unknown error")
        advice = _ADVICE.get(code, "try again")
        raise Failed(f"cannot {doing}: {code}: {_sentence(error.get('Message', ''))}; {advice}") from exc
    except (sdk.BotoCoreError, ResponseParserError) as exc:
        advice = next((advice for kind, advice in _SDK_ADVICE if isinstance(exc, kind)), "check the settings for AWS")
        raise Failed(f"cannot {doing}: {_sentence(str(exc))}; {advice}") from exc


@dataclass(frozen=True)
class Connection:
    """Where AWS is and who asks; what is None comes from the environment, as for any AWS tool."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    @cached_property
    def session(self) -> boto3.Session:
        """The session that all clients share."""
        with explained("use AWS"):
            return boto3.Session(profile_name=self.profile, region_name=self.region)

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client for SQS."""
        with _reached("SQS"):
            return self.session.client("sqs", endpoint_url=self.endpoint_url, config=_CONFIG)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """A client for DynamoDB."""
        with _reached("DynamoDB"):
            return self.session.client("dynamodb", endpoint_url=self.endpoint_url, config=_PATIENT)

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a CloudFormation stack."""
        with _reached("CloudFormation"):
            cloudformation = self.session.client("cloudformation", endpoint_url=self.endpoint_url, config=_CONFIG)
        with explained(f"look up the stack {stack}"):
            [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {it["OutputKey"]: it["OutputValue"] for it in described.get("Outputs", ())}


@contextmanager
def _reached(service: str) -> Iterator[None]:
    with explained(f"reach {service}"):
        try:
            yield
        except ValueError as exc:  # that is how the SDK refuses a malformed endpoint
            raise Failed(f"cannot reach {service}: {_sentence(str(exc))}; check the --endpoint-url") from exc


def _sentence(text: str) -> str:
    return plain(text, 300).rstrip(".")
