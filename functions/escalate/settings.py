"""The settings: environment variables, validated once, before the first message."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from functions.cloudflare.contract import DISPOSITIONS
from functions.domain.severity import Severity
from functions.escalate.decision import ESCALATE_BY_DEFAULT

MAX_RECEIVE_COUNT = 12
CLOUDFLARE_API = "https://api.cloudflare.com/client/v4"

_PLAIN_HTTP_HOSTS = frozenset({"127.0.0.1", "172.17.0.1", "::1", "localhost", "host.docker.internal"})
"""Hosts of the local stack. For any other host, credentials and records are sent over TLS only."""
STACK = r"[A-Za-z][A-Za-z0-9-]{0,127}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,127}"
_QUEUE_URLS = frozenset({"REQUEST_QUEUE_URL", "DEAD_LETTER_QUEUE_URL"})
"""Parameters of requests. The SDK connects to its endpoint, not to the host in these URLs."""
_ARN = r"arn:aws[a-z-]*:{service}:[a-z0-9-]+:[0-9]{{12}}:[A-Za-z0-9_-]+"


class InvalidSettings(Exception):
    """Settings are missing or malformed. The text names all of them, one a line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one deployment. Of `findings_topic_arn` and `ledger_table`, one may be None.

    deployment:          its name in alerts.
    stack:               its name, in the commands of alerts and as a dimension of all metrics.
    people_topic_arn:    None: alerts go to the findings topic only.
    campaign_gap:        a campaign ends so long after its last copy. None: each alert notifies people.
    requests_per_window: the share of Cloudflare's rate limit that this function may use, without that of the feed.
    environments:        how many execution environments of the function divide that share.
    role_id:             of the function's role, to recognize its own messages. None: `first_seen` of any sender counts.
    feed_role_id:        of the feed's role, to recognize its messages. None without a feed.
    max_receive_count:   the receive at which the function requeues a message, before SQS dead-letters it.
    aws_endpoint_url:    of an emulated AWS, which the AWS SDK reads itself. None: AWS.
    """

    account_id: str
    secret_id: str
    base_url: str
    findings_topic_arn: str | None
    people_topic_arn: str | None
    ledger_table: str | None
    dead_letter_queue_url: str
    request_queue_url: str
    escalate_on: frozenset[str]
    record_all: bool
    fetch_details: bool
    mask_recipients: bool
    chat_notifications: bool
    notify_severity: Severity
    deployment: str
    stack: str
    campaign_gap: timedelta | None
    retention: timedelta
    requests_per_window: float
    environments: int
    role_id: str | None
    feed_role_id: str | None
    max_receive_count: int
    aws_endpoint_url: str | None

    @property
    def is_emulated(self) -> bool:
        """Whether AWS is the emulator of the local stack. Only that is reached over plain http."""
        return (self.aws_endpoint_url or "").startswith("http://")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings of an environment. An empty variable counts as missing. Raises InvalidSettings."""
    reader = Reader(environment)
    dispositions = reader.words("ESCALATE_ON", ",".join(sorted(ESCALATE_BY_DEFAULT)))
    limit, share = (
        reader.number("CLOUDFLARE_LIMIT", 10, 1_000_000, 1_200),
        reader.number("CLOUDFLARE_SHARE", 1, 100, 80),
    )
    feed_share = reader.number("FEED_SHARE", 0, 50, 0)
    if share <= feed_share:
        reader.problems.append("FEED_SHARE: malformed; expected less than CLOUDFLARE_SHARE, of which it is a part")
    settings = Settings(
        account_id=reader.text("CLOUDFLARE_ACCOUNT_ID", r"[0-9a-f]{32}", "32 characters of 0-9 and a-f"),
        secret_id=reader.text("CLOUDFLARE_SECRET_ID", r"\S{1,2048}", "the name or ARN of a secret"),
        base_url=reader.url("CLOUDFLARE_BASE_URL", CLOUDFLARE_API),
        findings_topic_arn=reader.optional("FINDINGS_TOPIC_ARN", _ARN.format(service="sns"), "the ARN of an SNS topic"),
        people_topic_arn=reader.optional("PEOPLE_TOPIC_ARN", _ARN.format(service="sns"), "the ARN of an SNS topic"),
        ledger_table=reader.optional("LEDGER_TABLE", r"[A-Za-z0-9_.-]{3,255}", "the name of a DynamoDB table"),
        dead_letter_queue_url=reader.url("DEAD_LETTER_QUEUE_URL"),
        request_queue_url=reader.url("REQUEST_QUEUE_URL"),
        escalate_on=frozenset(dispositions),
        record_all=reader.switch("RECORD_ALL", default=False),
        fetch_details=reader.switch("FETCH_DETAILS", default=True),
        mask_recipients=reader.switch("MASK_RECIPIENTS", default=False),
        chat_notifications=reader.switch("CHAT_NOTIFICATIONS", default=False),
        notify_severity=reader.severity("NOTIFY_SEVERITY", Severity.LOW),
        deployment=reader.optional("DEPLOYMENT_NAME", _NAME, "at most 128 letters, digits, spaces, dots, _ and -")
        or "",
        stack=reader.text("STACK_NAME", STACK, "the name of a stack"),
        campaign_gap=timedelta(minutes=reader.number("CAMPAIGN_MINUTES", 0, 1440, 60)) or None,
        retention=timedelta(days=reader.number("RETENTION_DAYS", 30, 3650, 400)),
        requests_per_window=limit * (share - feed_share) / 100,
        environments=reader.number("MAXIMUM_CONCURRENCY", 1, 10, 2),
        role_id=reader.optional("FUNCTION_ROLE_ID", r"[A-Z0-9]{16,128}", "the unique id of an IAM role"),
        feed_role_id=reader.optional("FEED_ROLE_ID", r"[A-Z0-9]{16,128}", "the unique id of an IAM role"),
        max_receive_count=reader.number("MAX_RECEIVE_COUNT", 1, 1000, MAX_RECEIVE_COUNT),
        aws_endpoint_url=reader.optional_url("AWS_ENDPOINT_URL"),
    )
    if unknown := sorted(settings.escalate_on - DISPOSITIONS):
        valid = ", ".join(sorted(DISPOSITIONS))
        reader.problems.append(f"ESCALATE_ON: unknown disposition {', '.join(unknown)}; valid are {valid}")
    if not settings.findings_topic_arn and not settings.ledger_table:
        reader.problems.append("FINDINGS_TOPIC_ARN, LEDGER_TABLE: both missing; set at least one")
    if settings.people_topic_arn and not settings.findings_topic_arn:
        reader.problems.append("FINDINGS_TOPIC_ARN: missing; PEOPLE_TOPIC_ARN needs it")
    if reader.problems:
        raise InvalidSettings("\n  ".join(["the settings are not valid:", *reader.problems]))
    return settings


class Reader:
    """Reads variables, and collects all problems instead of stopping at the first."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str, pattern: str, expected: str, default: str = "") -> str:
        """A variable that matches a pattern."""
        value = self._environment.get(name, "").strip() or default
        if value and re.fullmatch(pattern, value):
            return value
        self.problems.append(f"{name}: {'malformed' if value else 'missing'}; expected {expected}")
        return ""

    def switch(self, name: str, *, default: bool) -> bool:
        """A variable that is true or false."""
        return self.text(name, "true|false", "true or false", "true" if default else "false") == "true"

    def optional(self, name: str, pattern: str, expected: str) -> str | None:
        """A variable that may be missing."""
        return self.text(name, pattern, expected) if self._environment.get(name, "").strip() else None

    def number(self, name: str, min_: int, max_: int, default: int) -> int:
        """A whole number within bounds."""
        value = self._environment.get(name, "").strip() or str(default)
        if re.fullmatch(r"[0-9]{1,9}", value) and min_ <= int(value) <= max_:
            return int(value)
        self.problems.append(f"{name}: malformed; expected a whole number from {min_} to {max_}")
        return default

    def severity(self, name: str, default: Severity) -> Severity:
        """A severity, in any case."""
        words = {it.value.lower(): it for it in Severity}
        value = self._environment.get(name, "").strip().lower() or default.value.lower()
        if value not in words:
            self.problems.append(f"{name}: malformed; expected one of {', '.join(Severity)}")
        return words.get(value, default)

    def words(self, name: str, default: str) -> list[str]:
        """Words in upper case, separated by commas."""
        value = self._environment.get(name, "").strip() or default
        words = [word.strip().upper() for word in value.split(",") if word.strip()]
        if not words:
            self.problems.append(f"{name}: malformed; expected words separated by commas")
        return words

    def optional_url(self, name: str) -> str | None:
        """A URL that may be missing."""
        return self.url(name) if self._environment.get(name, "").strip() else None

    def url(self, name: str, default: str = "") -> str:
        """A URL without credentials, query or fragment. Only the local stack may use http."""
        value = self.text(name, r"https?://[^\s/?#@]+(/[^\s?#@]*)?", "an https:// URL", default)
        try:
            is_valid = not value or (urlsplit(value).hostname and urlsplit(value).port != 0)
        except ValueError:
            is_valid = False
        if not is_valid:
            self.problems.append(f"{name}: malformed; expected an https:// URL")
            return ""
        if value.startswith("http://") and not self._allows_plain_http(name, value):
            self.problems.append(f"{name}: expected an https:// URL; only the local stack may use http://")
        return value.rstrip("/")

    def _allows_plain_http(self, name: str, value: str) -> bool:
        return name in _QUEUE_URLS or urlsplit(value).hostname in _PLAIN_HTTP_HOSTS
