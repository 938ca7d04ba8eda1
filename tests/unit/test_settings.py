"""settings.py: the environment, checked once, with everything that is wrong told at the same time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.cloudflare.contract import DISPOSITIONS
from functions.escalate.settings import CLOUDFLARE_API, InvalidSettings, Settings, read_settings
from functions.escalate.verdict import ESCALATE_BY_DEFAULT
from tests.unit.examples import ACCOUNT

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
DEAD_LETTERS = "https://sqs.eu-central-1.amazonaws.com/123456789012/dead-letters"
REQUESTS = "https://sqs.eu-central-1.amazonaws.com/123456789012/requests"
LEAST = {
    "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
    "CLOUDFLARE_SECRET_ID": "cloudflare",
    "LEDGER_TABLE": "ledger",
    "DEAD_LETTER_QUEUE_URL": DEAD_LETTERS,
    "REQUEST_QUEUE_URL": REQUESTS,
}
DEFAULTS = Settings(
    account_id=ACCOUNT,
    secret_id="cloudflare",
    base_url=CLOUDFLARE_API,
    alert_topic_arn=None,
    ledger_table="ledger",
    dead_letter_queue_url=DEAD_LETTERS,
    request_queue_url=REQUESTS,
    escalate_on=ESCALATE_BY_DEFAULT,
    record_all=False,
    fetch_context=True,
    mask_recipients=False,
    chat_notifications=False,
    retention=timedelta(days=400),
    requests_per_window=960.0,
    environments=2,
    max_receives=12,
)
OPTIONAL = (
    "CLOUDFLARE_BASE_URL",
    "ALERT_TOPIC_ARN",
    "ESCALATE_ON",
    "RECORD_ALL",
    "FETCH_CONTEXT",
    "MASK_RECIPIENTS",
    "CHAT_NOTIFICATIONS",
    "RETENTION_DAYS",
    "CLOUDFLARE_LIMIT",
    "CLOUDFLARE_SHARE",
    "MAXIMUM_CONCURRENCY",
)


def problems(environment: dict[str, str]) -> list[str]:
    """What is wrong with an environment, a line each."""
    with pytest.raises(InvalidSettings) as raised:
        read_settings(environment)
    first, *rest = str(raised.value).split("\n")
    assert first == "the environment is not usable:"
    return [line.strip() for line in rest]


def named(environment: dict[str, str]) -> list[str]:
    """The names of what is wrong."""
    return [line.split(":")[0] for line in problems(environment)]


def test_the_least() -> None:
    """Everything else has a default."""
    assert read_settings(LEAST) == DEFAULTS


@pytest.mark.parametrize("blank", ["", " ", "\n\t"], ids=["empty", "space", "newline"])
def test_an_empty_variable(blank: str) -> None:
    """It is as good as none: a template cannot leave a variable out."""
    assert read_settings(LEAST | dict.fromkeys(OPTIONAL, blank)) == DEFAULTS
    assert {*LEAST, "ALERT_TOPIC_ARN, LEDGER_TABLE"} - {"LEDGER_TABLE"} == set(named(dict.fromkeys(LEAST, blank)))


def test_everything_set() -> None:
    """Each setting is read, and whitespace around it is not."""
    environment = {
        "CLOUDFLARE_ACCOUNT_ID": f" {ACCOUNT}\n",
        "CLOUDFLARE_SECRET_ID": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cloudflare-AbCdEf",
        "CLOUDFLARE_BASE_URL": "https://api.example:8443/client/v4/",
        "ALERT_TOPIC_ARN": "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alerts",
        "LEDGER_TABLE": "stack-LedgerTable-1.a_b",
        "DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:5000/123456789012/dead-letters",
        "REQUEST_QUEUE_URL": "http://host.docker.internal:5000/123456789012/requests",
        "ESCALATE_ON": "malicious, Spam ,,UNSET",
        "RECORD_ALL": "true",
        "FETCH_CONTEXT": " false",
        "MASK_RECIPIENTS": "true",
        "CHAT_NOTIFICATIONS": "true\n",
        "RETENTION_DAYS": "30",
        "CLOUDFLARE_LIMIT": "600",
        "CLOUDFLARE_SHARE": "50",
        "MAXIMUM_CONCURRENCY": "5",
        "MAX_RECEIVES": "9",
    }
    expected = Settings(
        account_id=ACCOUNT,
        secret_id=environment["CLOUDFLARE_SECRET_ID"],
        base_url="https://api.example:8443/client/v4",
        alert_topic_arn=environment["ALERT_TOPIC_ARN"],
        ledger_table="stack-LedgerTable-1.a_b",
        dead_letter_queue_url=environment["DEAD_LETTER_QUEUE_URL"],
        request_queue_url=environment["REQUEST_QUEUE_URL"],
        escalate_on=frozenset({"MALICIOUS", "SPAM", "UNSET"}),
        record_all=True,
        fetch_context=False,
        mask_recipients=True,
        chat_notifications=True,
        retention=timedelta(days=30),
        requests_per_window=300.0,
        environments=5,
        max_receives=9,
    )
    assert expected == read_settings(environment)


SWITCHES = ("record_all", "fetch_context", "mask_recipients", "chat_notifications")


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_a_switch(name: str, on: bool) -> None:
    """Each is turned on and off by its own name, and turns no other."""
    settings = read_settings(LEAST | {name.upper(): "true" if on else "false"})
    assert replace(DEFAULTS, **{name: on}) == settings  # type: ignore[arg-type]  # mypy takes each field for every type


SINKS: dict[str, tuple[dict[str, str], tuple[str | None, str | None]]] = {
    "table only": ({"LEDGER_TABLE": "ledger"}, (None, "ledger")),
    "topic only": ({"LEDGER_TABLE": "", "ALERT_TOPIC_ARN": TOPIC}, (TOPIC, None)),
    "both": ({"ALERT_TOPIC_ARN": TOPIC}, (TOPIC, "ledger")),
}


@pytest.mark.parametrize(("changes", "sinks"), SINKS.values(), ids=SINKS)
def test_a_sink(changes: dict[str, str], sinks: tuple[str | None, str | None]) -> None:
    """Each of the two is optional."""
    settings = read_settings(LEAST | changes)
    assert sinks == (settings.alert_topic_arn, settings.ledger_table)


def test_no_sink() -> None:
    """One is needed, and both are named."""
    assert problems(LEAST | {"LEDGER_TABLE": ""}) == ["ALERT_TOPIC_ARN, LEDGER_TABLE: at least one of them is needed"]


@pytest.mark.parametrize("name", sorted(LEAST.keys() - {"LEDGER_TABLE"}))
def test_a_setting_that_is_missing(name: str) -> None:
    """It is named, as missing, and nothing else is."""
    environment = dict(LEAST)
    del environment[name]
    [problem] = problems(environment)
    assert problem.startswith(f"{name}: missing; expected ")


MALFORMED = {
    "account, too short": ("CLOUDFLARE_ACCOUNT_ID", ACCOUNT[:31]),
    "account, too long": ("CLOUDFLARE_ACCOUNT_ID", f"{ACCOUNT}0"),
    "account, no hexadecimal": ("CLOUDFLARE_ACCOUNT_ID", "g" * 32),
    "account, digits of another script": ("CLOUDFLARE_ACCOUNT_ID", "٠" * 32),  # noqa: RUF001
    "secret, with a space": ("CLOUDFLARE_SECRET_ID", "my secret"),
    "secret, too long": ("CLOUDFLARE_SECRET_ID", "s" * 2049),
    "base url, no url": ("CLOUDFLARE_BASE_URL", "api.cloudflare.com"),
    "base url, another scheme": ("CLOUDFLARE_BASE_URL", "ftp://api.cloudflare.com"),
    "base url, no host": ("CLOUDFLARE_BASE_URL", "https:///client/v4"),
    "base url, a port and no host": ("CLOUDFLARE_BASE_URL", "https://:443/client/v4"),
    "base url, with a query": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/?x=1"),
    "base url, with a fragment": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/#x"),
    "base url, with a space": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/client v4"),
    "base url, with a user": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com@evil.example/client/v4"),
    "base url, with a user and a password": ("CLOUDFLARE_BASE_URL", "https://user:word@api.cloudflare.com"),
    "base url, half an IPv6 address": ("CLOUDFLARE_BASE_URL", "https://[::1"),
    "base url, half an IPv6 address over http": ("CLOUDFLARE_BASE_URL", "http://[::1"),
    "base url, a port that is none": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com:https"),
    "base url, a port that cannot be": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com:99999"),
    "base url, plain http": ("CLOUDFLARE_BASE_URL", "http://api.cloudflare.com/client/v4"),
    "base url, plain http to a private host": ("CLOUDFLARE_BASE_URL", "http://10.0.0.1/client/v4"),
    "base url, plain http to what begins like loopback": ("CLOUDFLARE_BASE_URL", "http://127.0.0.1.evil.example"),
    "base url, plain http behind a user": ("CLOUDFLARE_BASE_URL", "http://127.0.0.1@evil.example"),
    "topic, no arn": ("ALERT_TOPIC_ARN", "alerts"),
    "topic, a queue": ("ALERT_TOPIC_ARN", "arn:aws:sqs:eu-central-1:123456789012:alerts"),
    "table, with a space": ("LEDGER_TABLE", "my ledger"),
    "table, too short": ("LEDGER_TABLE", "le"),
    "dead letters, an arn": ("DEAD_LETTER_QUEUE_URL", "arn:aws:sqs:eu-central-1:123456789012:dead-letters"),
    "requests, an arn": ("REQUEST_QUEUE_URL", "arn:aws:sqs:eu-central-1:123456789012:requests"),
    "dispositions, unknown": ("ESCALATE_ON", "MALICIOUS,DANGEROUS"),
    "dispositions, another separator": ("ESCALATE_ON", "MALICIOUS;SPAM"),
    "dispositions, only commas": ("ESCALATE_ON", " , ,"),
    "record all, yes": ("RECORD_ALL", "yes"),
    "record all, one": ("RECORD_ALL", "1"),
    "fetch context, no": ("FETCH_CONTEXT", "no"),
    "fetch context, in upper case": ("FETCH_CONTEXT", "FALSE"),
    "mask recipients, on": ("MASK_RECIPIENTS", "on"),
    "chat notifications, both": ("CHAT_NOTIFICATIONS", "true|false"),
    "retention, none": ("RETENTION_DAYS", "0"),
    "retention, negative": ("RETENTION_DAYS", "-1"),
    "retention, no number": ("RETENTION_DAYS", "for ever"),
    "retention, beyond ten years": ("RETENTION_DAYS", "3651"),
    "retention, 5,000 digits": ("RETENTION_DAYS", "9" * 5_000),
    "limit, none": ("CLOUDFLARE_LIMIT", "0"),
    "limit, no number": ("CLOUDFLARE_LIMIT", "many"),
    "share, none": ("CLOUDFLARE_SHARE", "0"),
    "share, more than all": ("CLOUDFLARE_SHARE", "101"),
    "share, a fraction": ("CLOUDFLARE_SHARE", "0.8"),
    "concurrency, none": ("MAXIMUM_CONCURRENCY", "0"),
    "concurrency, digits of another script": ("MAXIMUM_CONCURRENCY", "٢"),
}


@pytest.mark.parametrize(("name", "value"), MALFORMED.values(), ids=MALFORMED)
def test_a_setting_that_is_malformed(name: str, value: str) -> None:
    """It is named."""
    both = LEAST | {"ALERT_TOPIC_ARN": TOPIC}
    assert named(both | {name: value}) == [name]


def test_dispositions_that_are_unknown() -> None:
    """They are named, and so are those that are known."""
    [problem] = problems(LEAST | {"ESCALATE_ON": "malicious,dangerous,awful"})
    assert problem == f"ESCALATE_ON: AWFUL, DANGEROUS is no disposition; known are {', '.join(sorted(DISPOSITIONS))}"


def test_everything_wrong() -> None:
    """All of it is told at once."""
    wrong = dict.fromkeys((*LEAST, *OPTIONAL), "? ?")
    assert {*LEAST, *OPTIONAL} <= set(named(wrong))


def test_nothing_set() -> None:
    """Everything that is needed is told at once."""
    assert sorted(named({})) == sorted([*(LEAST.keys() - {"LEDGER_TABLE"}), "ALERT_TOPIC_ARN, LEDGER_TABLE"])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "host.docker.internal"])
def test_plain_http_to_the_local_stack(host: str) -> None:
    """It is allowed where no network lies between."""
    url = f"http://{host}:8787/client/v4"
    assert url == read_settings(LEAST | {"CLOUDFLARE_BASE_URL": url}).base_url
