"""Metrics of both functions: their namespace, and the dimensions that each metric and its alarm have."""

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "CloudflareEmailAlerts"
RATE_LIMIT_REMAINING = "RateLimitRemaining"
"""Of both functions: the requests that Cloudflare has left to the token, by the headers of its answers."""
CREDENTIALS_REFUSED = "CredentialsRefused"
"""Of both functions."""


def build_metrics(service: str, stack: str) -> Metrics:
    """Metrics of a function of a stack."""
    metrics = Metrics(namespace=NAMESPACE, service=service)
    metrics.set_default_dimensions(**_dimensions(service, stack))
    return metrics


def emit_zero(name: str, service: str, stack: str) -> None:
    """Emit one 0 for a metric of another function of the stack, so that its alarm clears."""
    dimensions = _dimensions(service, stack)
    with single_metric(name, MetricUnit.Count, 0, namespace=NAMESPACE, default_dimensions=dimensions):
        pass


def _dimensions(service: str, stack: str) -> dict[str, str]:
    """An alarm matches exactly these. The stack's name keeps apart two stacks of one account and region."""
    return {"service": service, "stack": stack}
