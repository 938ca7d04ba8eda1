"""The subjects: this function without and with message details, two baselines, and the floor."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.benchmarks.batches import ACCOUNT_ID
from tests.benchmarks.certificates import HOST, Certificates


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One implementation to measure.

    handler:    module and name of the Lambda handler.
    requires:   its requirements for pip. None for this function, which the Makefile builds.
    variables:  its own settings.
    """

    name: str
    handler: str
    requires: tuple[str, ...] | None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The name of its package. The function has the same one with and without message details."""
        return self.handler.partition(".")[0]


FUNCTION = Subject("function", "functions.escalate.handler.handler", None, {"FETCH_DETAILS": "false"})
WITH_DETAILS = Subject("with details", FUNCTION.handler, None, {"FETCH_DETAILS": "true"})
NAIVE = Subject("naive", "naive.handler", ("boto3", "cloudflare", "jsonschema"))
POWERTOOLS = Subject(
    "powertools",
    "powertools.handler",
    ("aws-lambda-powertools", "aws-xray-sdk", "boto3", "jsonschema", "requests"),
)
FLOOR = Subject("floor", "floor.handler", ())
SUBJECTS = (FUNCTION, WITH_DETAILS, NAIVE, POWERTOOLS, FLOOR)

_TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
_QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012"
_SETTINGS = {
    # The names of this function.
    "CLOUDFLARE_ACCOUNT_ID": ACCOUNT_ID,
    "CLOUDFLARE_SECRET_ID": "cloudflare",
    "REQUEST_QUEUE_URL": f"{_QUEUE}/requests",
    "DEAD_LETTER_QUEUE_URL": f"{_QUEUE}/dead-letters",
    "FINDINGS_TOPIC_ARN": _TOPIC,
    "PEOPLE_TOPIC_ARN": f"{_TOPIC}-people",
    "LEDGER_TABLE": "ledger",
    "STACK_NAME": "cloudflare-email-alerts",
    # The benchmark sends more requests than Cloudflare allows. It measures the work, not waits for the rate limit.
    "CLOUDFLARE_LIMIT": "1000000",
    # The names of the baselines.
    "ACCOUNT_ID": ACCOUNT_ID,
    "SECRET_ID": "cloudflare",
    "TOPIC_ARN": _TOPIC,
    "TABLE_NAME": "ledger",
    "IDEMPOTENCY_TABLE": "idempotency",
}
_LAMBDA = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "escalate",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "LANG": "en_US.UTF-8",
    "PATH": "/usr/bin:/bin",
    # Each batch is traced: X-Ray samples the first request of each second, and Cloudflare's limit allows no second one.
    "_X_AMZN_TRACE_ID": "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
}


def variables(subject: Subject, ports: Mapping[str, int], certificates: Certificates, package: str) -> dict[str, str]:
    """Return a subject's environment: Lambda's variables, the servers' addresses, and its settings."""
    bundle = str(certificates.bundle)
    return {
        **_LAMBDA,
        **_SETTINGS,
        **subject.variables,
        "LAMBDA_TASK_ROOT": package,
        "AWS_XRAY_DAEMON_ADDRESS": f"{HOST}:{ports['xray']}",
        "AWS_ENDPOINT_URL": f"https://{HOST}:{ports['aws']}",
        "CLOUDFLARE_BASE_URL": f"https://{HOST}:{ports['cloudflare']}/client/v4",
        # The same bundle for all subjects, under the variable that each HTTP client reads.
        "AWS_CA_BUNDLE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
    }
