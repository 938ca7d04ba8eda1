"""What is compared: this function, without and with the context of an alert, its two peers, and the floor."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.benchmarks.authority import HOST, Certificates
from tests.benchmarks.batches import ACCOUNT_ID


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """handler: its Lambda entry. requires: what its author would tell pip to install. variables: its own settings.

    `requires` is None for this function: it is built as the Makefile builds it.
    """

    name: str
    handler: str
    requires: tuple[str, ...] | None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The name of its package; the function has one, with and without context."""
        return self.handler.partition(".")[0]


FUNCTION = Subject("function", "functions.escalate.main.handler", None, {"FETCH_CONTEXT": "false"})
WITH_CONTEXT = Subject("with context", FUNCTION.handler, None, {"FETCH_CONTEXT": "true"})
NAIVE = Subject("naive", "naive.handler", ("boto3", "cloudflare", "jsonschema"))
POWERTOOLS = Subject(
    "powertools",
    "powertools.handler",
    ("aws-lambda-powertools", "aws-xray-sdk", "boto3", "jsonschema", "requests"),
)
FLOOR = Subject("floor", "floor.handler", ())
SUBJECTS = (FUNCTION, WITH_CONTEXT, NAIVE, POWERTOOLS, FLOOR)

_TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
_QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012"
_SETTINGS = {
    # The function's own names.
    "CLOUDFLARE_ACCOUNT_ID": ACCOUNT_ID,
    "CLOUDFLARE_SECRET_ID": "cloudflare",
    "REQUEST_QUEUE_URL": f"{_QUEUE}/requests",
    "DEAD_LETTER_QUEUE_URL": f"{_QUEUE}/dead-letters",
    "ALERT_TOPIC_ARN": _TOPIC,
    "LEDGER_TABLE": "ledger",
    # Ten batches in a second are more than Cloudflare allows; what is measured is the work, not the pace.
    "CLOUDFLARE_LIMIT": "1000000",
    # The peers'.
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
    # Traced, as each batch is: X-Ray samples the first request of every second, and the pace leaves no room for a second.
    "_X_AMZN_TRACE_ID": "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
}


def variables(subject: Subject, ports: Mapping[str, int], certificates: Certificates, package: str) -> dict[str, str]:
    """All that a subject finds in its environment: what Lambda sets, where the servers are, and its settings."""
    bundle = str(certificates.bundle)
    return {
        **_LAMBDA,
        **_SETTINGS,
        **subject.variables,
        "LAMBDA_TASK_ROOT": package,
        "AWS_XRAY_DAEMON_ADDRESS": f"{HOST}:{ports['xray']}",
        "AWS_ENDPOINT_URL": f"https://{HOST}:{ports['aws']}",
        "CLOUDFLARE_BASE_URL": f"https://{HOST}:{ports['cloudflare']}/client/v4",
        # One bundle for everybody, by the name under which each of them looks for it.
        "AWS_CA_BUNDLE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
    }
