"""The settings of the feed: environment variables, validated once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from functions.cloudflare.contract import DISPOSITIONS
from functions.escalate.decision import ESCALATE_BY_DEFAULT
from functions.escalate.settings import CLOUDFLARE_API, STACK, InvalidSettings, Reader


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one deployment.

    requests:   what the feed may send to Cloudflare in 300 seconds.
    since:      how long before its first run the feed begins.
    retro_scan: whether emails that a retro scan finds are queued.
    """

    account_id: str
    secret_id: str
    base_url: str
    ledger_table: str
    request_queue_url: str
    stack: str
    escalate_on: frozenset[str]
    requests: int
    since: timedelta
    retro_scan: bool
    aws_endpoint_url: str | None

    @property
    def is_emulated(self) -> bool:
        """Whether AWS is the emulator of the local stack. Only that is reached over plain http."""
        return (self.aws_endpoint_url or "").startswith("http://")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings of an environment. An empty variable counts as missing. Raises InvalidSettings."""
    reader = Reader(environment)
    limit, share = reader.number("CLOUDFLARE_LIMIT", 10, 1_000_000, 1_200), reader.number("FEED_SHARE", 1, 50, 3)
    settings = Settings(
        account_id=reader.text("CLOUDFLARE_ACCOUNT_ID", r"[0-9a-f]{32}", "32 characters of 0-9 and a-f"),
        secret_id=reader.text("CLOUDFLARE_SECRET_ID", r"\S{1,2048}", "the name or ARN of a secret"),
        base_url=reader.url("CLOUDFLARE_BASE_URL", CLOUDFLARE_API),
        ledger_table=reader.text("LEDGER_TABLE", r"[A-Za-z0-9_.-]{3,255}", "the name of a DynamoDB table"),
        request_queue_url=reader.url("REQUEST_QUEUE_URL"),
        stack=reader.text("STACK_NAME", STACK, "the name of a stack"),
        escalate_on=frozenset(reader.words("ESCALATE_ON", ",".join(sorted(ESCALATE_BY_DEFAULT)))),
        requests=max(1, limit * share // 100),
        since=timedelta(hours=reader.number("FEED_SINCE_HOURS", 0, 24 * 30, 1)),
        retro_scan=reader.switch("FEED_RETRO_SCAN", default=False),
        aws_endpoint_url=reader.optional_url("AWS_ENDPOINT_URL"),
    )
    if unknown := sorted(settings.escalate_on - DISPOSITIONS):
        reader.problems.append(f"ESCALATE_ON: unknown disposition {', '.join(unknown)}")
    if reader.problems:
        raise InvalidSettings("\n  ".join(["the settings are not valid:", *reader.problems]))
    return settings
