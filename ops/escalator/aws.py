"""AWS clients for the operator, the outputs of a stack, and AWS errors translated into one line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions as sdk
from botocore.config import Config
from botocore.parsers import ResponseParserError

from functions.alert.sanitize import plain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=40)
"""A long poll of SQS takes up to 20 s, so a read timeout of 40 s leaves a margin of 20 s."""
_THROTTLED_CONFIG = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 8}))
"""More attempts, because a table that throttles usually recovers within seconds."""
_INVOKE_CONFIG = _CONFIG.merge(Config(read_timeout=70))
"""The feed's function has a timeout of 60 s."""
_PUBLISH_CONFIG = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
"""A retry after a timeout could publish a message twice."""
_LOG_IN = "log in to AWS again, or pass another --profile"
_BUSY = "the table throttles requests: try again later, or use a shorter time range"
_NETWORK = "check the network, the --region and the --endpoint-url"
_ADVICE = {
    "AWS.SimpleQueueService.NonExistentQueue": "check the queue's URL and the --region",
    "InvalidAddress": "check the queue's URL",
    "AccessDenied": "request this permission, or pass another --profile",
    "AccessDeniedException": "request this permission, or pass another --profile",
    "ExpiredToken": _LOG_IN,
    "ExpiredTokenException": _LOG_IN,
    "InvalidClientTokenId": _LOG_IN,
    "UnrecognizedClientException": _LOG_IN,
    "SignatureDoesNotMatch": _LOG_IN,
    "ResourceNotFoundException": "use a table created from the current template.yaml, and check the --region",
    "ValidationException": "use a table created from the current template.yaml, and pass a --cursor exactly as printed",
    "ProvisionedThroughputExceededException": _BUSY,
    "RequestLimitExceeded": _BUSY,
    "ThrottlingException": _BUSY,
    "InternalServerError": "try again later",
    "ValidationError": "check the --stack and the --region",
    "AuthorizationError": "request this permission, or pass another --profile",
    "NotFound": "check the --stack and the --region",
}
_SDK_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (sdk.NoCredentialsError, "log in to AWS, or pass a --profile"),
    (sdk.NoRegionError, "pass a --region, or set AWS_REGION"),
    (sdk.ProfileNotFound, "check the --profile"),
    (sdk.TokenRetrievalError, _LOG_IN),
    (sdk.SSOError, _LOG_IN),
    (sdk.ConnectionError, _NETWORK),
    (sdk.HTTPClientError, _NETWORK),
    (ResponseParserError, "check the --endpoint-url: the response is not from AWS"),
)


class CommandFailed(Exception):
    """A command failed. The message says in one line what failed and what to do."""


class Interrupted(CommandFailed):
    """The operator has interrupted it."""


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Translate errors of AWS and its SDK into CommandFailed: `cannot <action>: ...`."""
    try:
        yield
    except sdk.ClientError as exc:
        error = exc.response.get("Error", {})
        code = error.get("Code", "unknown error")
        advice = _ADVICE.get(code, "try again")
        raise CommandFailed(f"cannot {action}: {code}: {_sentence(error.get('Message', ''))}; {advice}") from exc
    except (sdk.BotoCoreError, ResponseParserError) as exc:
        advice = next((advice for kind, advice in _SDK_ADVICE if isinstance(exc, kind)), "check the AWS settings")
        raise CommandFailed(f"cannot {action}: {_sentence(str(exc))}; {advice}") from exc


@dataclass(frozen=True, slots=True)
class Stack:
    """A CloudFormation stack. is_protected: against its deletion."""

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    is_protected: bool


@dataclass(frozen=True)
class Connection:
    """Region, profile and endpoint of AWS. None means the value of the environment, as for any AWS tool."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    @cached_property
    def session(self) -> boto3.Session:
        """The session of all clients."""
        with explained("use AWS"):
            return boto3.Session(profile_name=self.profile, region_name=self.region)

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client for SQS."""
        with _connecting("SQS"):
            return self.session.client("sqs", endpoint_url=self.endpoint_url, config=_CONFIG)

    @cached_property
    def sns(self) -> "SNSClient":
        """A client for SNS."""
        with _connecting("SNS"):
            return self.session.client("sns", endpoint_url=self.endpoint_url, config=_PUBLISH_CONFIG)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """A client for DynamoDB."""
        with _connecting("DynamoDB"):
            return self.session.client("dynamodb", endpoint_url=self.endpoint_url, config=_THROTTLED_CONFIG)

    @cached_property
    def lambda_(self) -> Any:
        """A client for Lambda."""
        with _connecting("Lambda"):
            return self.session.client("lambda", endpoint_url=self.endpoint_url, config=_INVOKE_CONFIG)

    def client(self, service: str) -> Any:
        """A client for a service, by the name that the SDK uses. It is built once."""
        if service not in self._clients:
            with _connecting(service):
                client = self.session.client(service, endpoint_url=self.endpoint_url, config=_CONFIG)  # type: ignore[call-overload]
            self._clients[service] = client
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def outputs(self, stack: str) -> Mapping[str, str]:
        """The outputs of a CloudFormation stack."""
        return self.stack(stack).outputs

    def stack(self, name: str) -> "Stack":
        """Describe a CloudFormation stack."""
        cloudformation = self.client("cloudformation")
        with explained(f"look up the stack {name}"):
            [described] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return Stack(
            name=name,
            status=described["StackStatus"],
            outputs={it["OutputKey"]: it["OutputValue"] for it in described.get("Outputs", ())},
            parameters={it["ParameterKey"]: it.get("ParameterValue", "") for it in described.get("Parameters", ())},
            tags={it["Key"]: it["Value"] for it in described.get("Tags", ())},
            is_protected=bool(described.get("EnableTerminationProtection")),
        )


@contextmanager
def _connecting(service: str) -> Iterator[None]:
    with explained(f"reach {service}"):
        try:
            yield
        except ValueError as exc:  # the SDK raises this for a malformed endpoint
            raise CommandFailed(f"cannot reach {service}: {_sentence(str(exc))}; check the --endpoint-url") from exc


def _sentence(text: str) -> str:
    return plain(text, 300).rstrip(".")
