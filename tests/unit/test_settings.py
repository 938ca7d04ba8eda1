"""settings.py: environment variables are validated once, and one error names all problems."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.cloudflare.contract import DISPOSITIONS
from functions.domain.severity import Severity
from functions.escalate.decision import ESCALATE_BY_DEFAULT
from functions.escalate.settings import CLOUDFLARE_API, InvalidSettings, Settings, read_settings
from ops.local.template import read_template
from tests.unit.examples import ACCOUNT

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
DEAD_LETTERS = "https://sqs.eu-central-1.amazonaws.com/123456789012/dead-letters"
REQUESTS = "https://sqs.eu-central-1.amazonaws.com/123456789012/requests"
REQUIRED = {
    "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
    "CLOUDFLARE_SECRET_ID": "cloudflare",
    "LEDGER_TABLE": "ledger",
    "DEAD_LETTER_QUEUE_URL": DEAD_LETTERS,
    "REQUEST_QUEUE_URL": REQUESTS,
    "STACK_NAME": "email-alerts",
}
DEFAULTS = Settings(
    account_id=ACCOUNT,
    secret_id="cloudflare",
    base_url=CLOUDFLARE_API,
    findings_topic_arn=None,
    people_topic_arn=None,
    ledger_table="ledger",
    dead_letter_queue_url=DEAD_LETTERS,
    request_queue_url=REQUESTS,
    escalate_on=ESCALATE_BY_DEFAULT,
    record_all=False,
    fetch_details=True,
    mask_recipients=False,
    chat_notifications=False,
    notify_severity=Severity.LOW,
    deployment="",
    stack="email-alerts",
    campaign_gap=timedelta(hours=1),
    retention=timedelta(days=400),
    requests_per_window=960.0,
    environments=2,
    role_id=None,
    feed_role_id=None,
    max_receive_count=12,
    aws_endpoint_url=None,
)
OPTIONAL = (
    "CLOUDFLARE_BASE_URL",
    "FINDINGS_TOPIC_ARN",
    "PEOPLE_TOPIC_ARN",
    "ESCALATE_ON",
    "RECORD_ALL",
    "FETCH_DETAILS",
    "MASK_RECIPIENTS",
    "CHAT_NOTIFICATIONS",
    "NOTIFY_SEVERITY",
    "DEPLOYMENT_NAME",
    "CAMPAIGN_MINUTES",
    "RETENTION_DAYS",
    "CLOUDFLARE_LIMIT",
    "CLOUDFLARE_SHARE",
    "MAXIMUM_CONCURRENCY",
    "FUNCTION_ROLE_ID",
    "FEED_ROLE_ID",
    "FEED_SHARE",
    "AWS_ENDPOINT_URL",
)


def problems(environment: dict[str, str]) -> list[str]:
    """The problems of an environment, one a line."""
    with pytest.raises(InvalidSettings) as raised:
        read_settings(environment)
    first, *rest = str(raised.value).split("\n")
    assert first == "the settings are not valid:"
    return [line.strip() for line in rest]


def problem_names(environment: dict[str, str]) -> list[str]:
    """The names of the variables with problems."""
    return [line.split(":")[0] for line in problems(environment)]


def test_required_settings_are_enough() -> None:
    """Every other setting has a default."""
    assert read_settings(REQUIRED) == DEFAULTS
    assert not DEFAULTS.is_emulated


@pytest.mark.parametrize("blank", ["", " ", "\n\t"], ids=["empty", "space", "newline"])
def test_empty_variable_counts_as_missing(blank: str) -> None:
    """A template cannot omit a variable, so an empty value has the same meaning."""
    assert read_settings(REQUIRED | dict.fromkeys(OPTIONAL, blank)) == DEFAULTS
    assert {*REQUIRED, "FINDINGS_TOPIC_ARN, LEDGER_TABLE"} - {"LEDGER_TABLE"} == set(
        problem_names(dict.fromkeys(REQUIRED, blank))
    )


def test_all_settings_are_read_without_surrounding_whitespace() -> None:
    """Each variable sets its field."""
    environment = {
        "CLOUDFLARE_ACCOUNT_ID": f" {ACCOUNT}\n",
        "CLOUDFLARE_SECRET_ID": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cloudflare-AbCdEf",
        "CLOUDFLARE_BASE_URL": "https://api.example:8443/client/v4/",
        "FINDINGS_TOPIC_ARN": "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alerts",
        "PEOPLE_TOPIC_ARN": "arn:aws-us-gov:sns:us-gov-west-1:123456789012:people",
        "LEDGER_TABLE": "stack-LedgerTable-1.a_b",
        "DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:5000/123456789012/dead-letters",
        "REQUEST_QUEUE_URL": "http://host.docker.internal:5000/123456789012/requests",
        "ESCALATE_ON": "malicious, Spam ,,UNSET",
        "RECORD_ALL": "true",
        "FETCH_DETAILS": " false",
        "MASK_RECIPIENTS": "true",
        "CHAT_NOTIFICATIONS": "true\n",
        "NOTIFY_SEVERITY": " high",
        "CAMPAIGN_MINUTES": "0",
        "DEPLOYMENT_NAME": "ACME production",
        "STACK_NAME": "acme-prod",
        "RETENTION_DAYS": "30",
        "CLOUDFLARE_LIMIT": "600",
        "CLOUDFLARE_SHARE": "50",
        "MAXIMUM_CONCURRENCY": "5",
        "FUNCTION_ROLE_ID": " AROA3XFRBF535EXAMPLE1",
        "FEED_ROLE_ID": "AROA3XFRBF535EXAMPLE2",
        "FEED_SHARE": "10",
        "MAX_RECEIVE_COUNT": "9",
        "AWS_ENDPOINT_URL": " http://172.17.0.1:5000/",
    }
    expected = Settings(
        account_id=ACCOUNT,
        secret_id=environment["CLOUDFLARE_SECRET_ID"],
        base_url="https://api.example:8443/client/v4",
        findings_topic_arn=environment["FINDINGS_TOPIC_ARN"],
        people_topic_arn=environment["PEOPLE_TOPIC_ARN"],
        ledger_table="stack-LedgerTable-1.a_b",
        dead_letter_queue_url=environment["DEAD_LETTER_QUEUE_URL"],
        request_queue_url=environment["REQUEST_QUEUE_URL"],
        escalate_on=frozenset({"MALICIOUS", "SPAM", "UNSET"}),
        record_all=True,
        fetch_details=False,
        mask_recipients=True,
        chat_notifications=True,
        notify_severity=Severity.HIGH,
        deployment="ACME production",
        stack="acme-prod",
        campaign_gap=None,
        retention=timedelta(days=30),
        requests_per_window=240.0,
        environments=5,
        role_id="AROA3XFRBF535EXAMPLE1",
        feed_role_id="AROA3XFRBF535EXAMPLE2",
        max_receive_count=9,
        aws_endpoint_url="http://172.17.0.1:5000",
    )
    assert expected == read_settings(environment)


SWITCHES = ("record_all", "fetch_details", "mask_recipients", "chat_notifications")


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_switch_sets_only_its_own_field(name: str, on: bool) -> None:
    """Each switch has its own variable, for on and off."""
    settings = read_settings(REQUIRED | {name.upper(): "true" if on else "false"})
    assert replace(DEFAULTS, **{name: on}) == settings  # type: ignore[arg-type]  # mypy expects every type for each field


SINKS: dict[str, tuple[dict[str, str], tuple[str | None, str | None]]] = {
    "table only": ({"LEDGER_TABLE": "ledger"}, (None, "ledger")),
    "topic only": ({"LEDGER_TABLE": "", "FINDINGS_TOPIC_ARN": TOPIC}, (TOPIC, None)),
    "both": ({"FINDINGS_TOPIC_ARN": TOPIC}, (TOPIC, "ledger")),
}


@pytest.mark.parametrize(("changes", "sinks"), SINKS.values(), ids=SINKS)
def test_either_sink_may_be_missing(changes: dict[str, str], sinks: tuple[str | None, str | None]) -> None:
    """Table and topic are both optional."""
    settings = read_settings(REQUIRED | changes)
    assert sinks == (settings.findings_topic_arn, settings.ledger_table)


def test_missing_sinks_are_one_problem_that_names_both() -> None:
    """At least one sink is required."""
    assert problems(REQUIRED | {"LEDGER_TABLE": ""}) == [
        "FINDINGS_TOPIC_ARN, LEDGER_TABLE: both missing; set at least one"
    ]


@pytest.mark.parametrize("name", sorted(REQUIRED.keys() - {"LEDGER_TABLE"}))
def test_missing_setting_is_the_only_problem(name: str) -> None:
    """The error names the variable and calls it missing."""
    environment = dict(REQUIRED)
    del environment[name]
    [problem] = problems(environment)
    assert problem.startswith(f"{name}: missing; expected ")


MALFORMED = {
    "account, too short": ("CLOUDFLARE_ACCOUNT_ID", ACCOUNT[:31]),
    "account, too long": ("CLOUDFLARE_ACCOUNT_ID", f"{ACCOUNT}0"),
    "account, not hexadecimal": ("CLOUDFLARE_ACCOUNT_ID", "g" * 32),
    "account, digits of another script": ("CLOUDFLARE_ACCOUNT_ID", "٠" * 32),  # noqa: RUF001
    "secret with a space": ("CLOUDFLARE_SECRET_ID", "my secret"),
    "secret, too long": ("CLOUDFLARE_SECRET_ID", "s" * 2049),
    "base url without a scheme": ("CLOUDFLARE_BASE_URL", "api.cloudflare.com"),
    "base url with another scheme": ("CLOUDFLARE_BASE_URL", "ftp://api.cloudflare.com"),
    "base url without a host": ("CLOUDFLARE_BASE_URL", "https:///client/v4"),
    "base url with a port and without a host": ("CLOUDFLARE_BASE_URL", "https://:443/client/v4"),
    "base url with a query": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/?x=1"),
    "base url with a fragment": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/#x"),
    "base url with a space": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/client v4"),
    "base url with a user": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com@evil.example/client/v4"),
    "base url with a user and a password": ("CLOUDFLARE_BASE_URL", "https://user:word@api.cloudflare.com"),
    "base url with an incomplete IPv6 address": ("CLOUDFLARE_BASE_URL", "https://[::1"),
    "base url with an incomplete IPv6 address over http": ("CLOUDFLARE_BASE_URL", "http://[::1"),
    "base url with a port that is not a number": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com:https"),
    "base url with a port out of range": ("CLOUDFLARE_BASE_URL", "https://api.cloudflare.com:99999"),
    "base url with plain http": ("CLOUDFLARE_BASE_URL", "http://api.cloudflare.com/client/v4"),
    "base url with plain http to a private host": ("CLOUDFLARE_BASE_URL", "http://10.0.0.1/client/v4"),
    "base url with plain http to a host that begins like loopback": (
        "CLOUDFLARE_BASE_URL",
        "http://127.0.0.1.evil.example",
    ),
    "base url with plain http and a user that looks like loopback": (
        "CLOUDFLARE_BASE_URL",
        "http://127.0.0.1@evil.example",
    ),
    "topic is not an arn": ("FINDINGS_TOPIC_ARN", "alerts"),
    "topic is the arn of a queue": ("FINDINGS_TOPIC_ARN", "arn:aws:sqs:eu-central-1:123456789012:alerts"),
    "table with a space": ("LEDGER_TABLE", "my ledger"),
    "table, too short": ("LEDGER_TABLE", "le"),
    "dead-letter queue is an arn": ("DEAD_LETTER_QUEUE_URL", "arn:aws:sqs:eu-central-1:123456789012:dead-letters"),
    "requests queue is an arn": ("REQUEST_QUEUE_URL", "arn:aws:sqs:eu-central-1:123456789012:requests"),
    "unknown disposition": ("ESCALATE_ON", "MALICIOUS,DANGEROUS"),
    "dispositions with another separator": ("ESCALATE_ON", "MALICIOUS;SPAM"),
    "dispositions are only commas": ("ESCALATE_ON", " , ,"),
    "record all is yes": ("RECORD_ALL", "yes"),
    "record all is 1": ("RECORD_ALL", "1"),
    "fetch details is no": ("FETCH_DETAILS", "no"),
    "fetch details in upper case": ("FETCH_DETAILS", "FALSE"),
    "mask recipients is on": ("MASK_RECIPIENTS", "on"),
    "chat notifications with both values": ("CHAT_NOTIFICATIONS", "true|false"),
    "retention is 0": ("RETENTION_DAYS", "0"),
    "retention is negative": ("RETENTION_DAYS", "-1"),
    "retention is not a number": ("RETENTION_DAYS", "unlimited"),
    "retention above ten years": ("RETENTION_DAYS", "3651"),
    "retention with 5,000 digits": ("RETENTION_DAYS", "9" * 5_000),
    "limit is 0": ("CLOUDFLARE_LIMIT", "0"),
    "limit is not a number": ("CLOUDFLARE_LIMIT", "many"),
    "share is 0": ("CLOUDFLARE_SHARE", "0"),
    "share above 100": ("CLOUDFLARE_SHARE", "101"),
    "share is a fraction": ("CLOUDFLARE_SHARE", "0.8"),
    "share of the feed is above 50": ("FEED_SHARE", "51"),
    "share of the feed is negative": ("FEED_SHARE", "-1"),
    "role of the feed is an arn": ("FEED_ROLE_ID", "arn:aws:iam::123456789012:role/feed"),
    "role is an arn": ("FUNCTION_ROLE_ID", "arn:aws:iam::123456789012:role/escalate"),
    "role with a session": ("FUNCTION_ROLE_ID", "AROA3XFRBF535EXAMPLE1:escalate"),
    "concurrency is 0": ("MAXIMUM_CONCURRENCY", "0"),
    "concurrency in digits of another script": ("MAXIMUM_CONCURRENCY", "٢"),
}


@pytest.mark.parametrize(("name", "value"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_setting_is_the_only_problem(name: str, value: str) -> None:
    """The error names the variable."""
    both = REQUIRED | {"FINDINGS_TOPIC_ARN": TOPIC}
    assert problem_names(both | {name: value}) == [name]


def test_share_of_the_feed_must_be_less_than_the_share_it_is_part_of() -> None:
    """Nothing would be left for alerts."""
    assert ["FEED_SHARE"] == problem_names(REQUIRED | {"CLOUDFLARE_SHARE": "3", "FEED_SHARE": "3"})
    assert read_settings(REQUIRED | {"FEED_SHARE": "3"}).requests_per_window == 924.0


def test_unknown_dispositions_are_named_with_the_valid_ones() -> None:
    """The error lists what ESCALATE_ON accepts."""
    [problem] = problems(REQUIRED | {"ESCALATE_ON": "malicious,dangerous,awful"})
    assert problem == f"ESCALATE_ON: unknown disposition AWFUL, DANGEROUS; valid are {', '.join(sorted(DISPOSITIONS))}"


def test_all_malformed_settings_are_named_at_once() -> None:
    """One error has a line for each variable."""
    wrong = dict.fromkeys((*REQUIRED, *OPTIONAL), "? ?")
    assert {*REQUIRED, *OPTIONAL} <= set(problem_names(wrong))


def test_empty_environment_names_all_required_settings() -> None:
    """One error has a line for each required variable."""
    assert sorted(problem_names({})) == sorted(
        [*(REQUIRED.keys() - {"LEDGER_TABLE"}), "FINDINGS_TOPIC_ARN, LEDGER_TABLE"]
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "172.17.0.1", "localhost", "LOCALHOST", "[::1]", "host.docker.internal"])
@pytest.mark.parametrize("name", ["CLOUDFLARE_BASE_URL", "AWS_ENDPOINT_URL"])
def test_plain_http_is_valid_for_hosts_of_the_local_stack(name: str, host: str) -> None:
    """No network is between the function and these hosts."""
    url = f"http://{host}:8787/client/v4"
    settings = read_settings(REQUIRED | {name: url})
    assert url in (settings.base_url, settings.aws_endpoint_url)


LOCAL_ENDPOINTS = ["http://127.0.0.1", "http://127.0.0.1:5000/", "http://localhost:5000", "http://172.17.0.1:5000"]
ENDPOINTS = ["https://localhost:4566", "https://vpce-1-abc.dynamodb.eu-central-1.vpce.amazonaws.com"]
DOCKER_ENDPOINTS = ["http://host.docker.internal:5000", "http://host.docker.internal:5000/path"]
NOT_ENDPOINTS = [
    "http://sqs.eu-central-1.amazonaws.com",
    "http://10.0.0.1:5000",
    "http://169.254.169.254",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1@evil.example",
    "http://localhost.evil.example:5000",
    "http://host.docker.internal.evil.example",
    "https://127.0.0.1@evil.example",
    "https://",
    "https://evil.example?x=1",
    "https://evil.example#x",
    "ftp://127.0.0.1",
    "127.0.0.1:5000",
    "file:///tmp/aws",
]


@pytest.mark.parametrize("url", [*LOCAL_ENDPOINTS, *DOCKER_ENDPOINTS, *ENDPOINTS])
def test_endpoint_of_this_machine_or_over_https_is_valid_in_settings_and_template(url: str) -> None:
    settings = read_settings(REQUIRED | {"AWS_ENDPOINT_URL": url})
    assert (url.rstrip("/"), url not in ENDPOINTS) == (settings.aws_endpoint_url, settings.is_emulated)
    assert endpoint_pattern().search(url)


@pytest.mark.parametrize("url", NOT_ENDPOINTS)
def test_other_endpoint_is_a_problem_in_settings_and_template(url: str) -> None:
    """Credentials and records would leave this machine in plain text."""
    [problem] = problems(REQUIRED | {"AWS_ENDPOINT_URL": url})
    assert problem.startswith("AWS_ENDPOINT_URL: ")
    assert "an https:// URL" in problem
    assert not endpoint_pattern().search(url)


def endpoint_pattern() -> re.Pattern[str]:
    """What the template accepts as AwsEndpointUrl."""
    return re.compile(read_template().cloudformation["Parameters"]["AwsEndpointUrl"]["AllowedPattern"])


def test_plain_http_endpoint_is_refused_with_what_to_do() -> None:
    assert problems(REQUIRED | {"AWS_ENDPOINT_URL": "http://aws.example"}) == [
        "AWS_ENDPOINT_URL: expected an https:// URL; only the local stack may use http://"
    ]


def test_people_topic_needs_the_findings_topic() -> None:
    """A record is SENT when its finding is published."""
    topic = "arn:aws:sns:eu-central-1:123456789012:people"
    assert ["FINDINGS_TOPIC_ARN"] == problem_names(REQUIRED | {"PEOPLE_TOPIC_ARN": topic})


def test_unknown_severity_for_people_is_refused() -> None:
    assert ["NOTIFY_SEVERITY"] == problem_names(REQUIRED | {"NOTIFY_SEVERITY": "urgent"})
