"""`escalator status` in drills on the local stack: the first lines say what is wrong, since when, and is anything lost."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from ops.local.fake_cloudflare import responses
from ops.local.fake_cloudflare.auth import Credentials
from tests.status.site import MALICIOUS, Site, site_of

ALERTED, WAITING = MALICIOUS[:3], MALICIOUS[3:10]
BEFORE = timedelta(minutes=23)
WIDTH = 80


@pytest.fixture
def site(endpoint: str) -> Iterator[Site]:
    """Make the deployment of a drill."""
    with site_of(endpoint) as made:
        yield made


@pytest.fixture
def make_site(endpoint: str) -> Iterator[Callable[..., Site]]:
    """Return a function that makes a deployment with parameters."""
    with ExitStack() as sites:
        yield lambda **parameters: sites.enter_context(site_of(endpoint, **parameters))


def drill(site: Site, begin: Callable[[], None]) -> datetime:
    """Three alerts, and then a fault: seven requests wait for 23 minutes, and the feed has listed nothing since.

    Returns since when.
    """
    since = datetime.now(UTC) - BEFORE
    site.feed_has_listed_until(since)
    site.send(*ALERTED)
    site.run()
    begin()
    site.send(*WAITING, since=since)
    site.run()
    site.feed.invoke({})
    return since


def verdict(text: str) -> str:
    """The lines before the first empty one, as one."""
    return " ".join(text.partition("\n\n")[0].split())


def assert_fits(text: str) -> None:
    lines = text.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) <= 24


def test_healthy_deployment_is_ok(site: Site) -> None:
    site.feed_has_listed_until(datetime.now(UTC) - timedelta(minutes=2))
    site.send(*ALERTED)
    site.run()
    site.feed.invoke({})
    done = site.status()
    assert 0 == done.exit_code, done.output
    assert "OK. Nothing is lost." == verdict(done.stdout)
    assert_fits(done.stdout)
    assert re.search(r"^Alerts +3 in the last hour, 3 in the last day \(\d \w+", done.stdout, re.MULTILINE)
    assert re.search(r"^Rate limit +1,19\d of 1,200 requests left", done.stdout, re.MULTILINE)
    assert re.search(r"^Feed +lag .*\n +last run \d\d:\d\d: done$", done.stdout, re.MULTILINE)


def test_outage_says_since_when_and_that_nothing_is_lost(site: Site) -> None:
    since = drill(site, lambda: site.cloudflare.refuse(responses.error(503, 10013, "Service unavailable")))
    site.set_alarm("FeedAlarm")
    done = site.status()
    assert 1 == done.exit_code, done.output
    assert (
        f"Requests wait: Cloudflare fails (since {since:%H:%M} UTC, 23 min)."
        " Nothing is lost: 7 requests wait in the queue (for up to 3 days, then 14 days on the dead-letter queue),"
        f" and the feed continues from {since:%H:%M} UTC. > see Cloudflare's status page" == verdict(done.stdout)
    )
    assert_fits(done.stdout)
    assert f"7 cloudflare-unavailable: since {since:%H:%M}, last tried " in done.stdout
    assert re.search(r"^Alarms +FeedAlarm since \d\d:\d\d$", done.stdout, re.MULTILINE)


def test_block_says_until_when_the_token_is_blocked(site: Site) -> None:
    """The feed keeps the end of the block, which `retry-after` gives."""
    since = drill(site, lambda: site.cloudflare.refuse(responses.throttled(240, code=971)))
    done = site.status()
    assert 1 == done.exit_code, done.output
    [until] = re.findall(r"^Requests wait: Cloudflare blocks the token until (\d\d:\d\d) ", done.stdout)
    assert until in {f"{datetime.now(UTC) + timedelta(seconds=it):%H:%M}" for it in (180, 240)}
    assert f"until {until} (since {since:%H:%M} UTC, 23 min). Nothing is lost: 7 requests wait" in verdict(done.stdout)
    assert f"7 throttled: since {since:%H:%M}, last tried " in done.stdout
    assert f"Rate limit    Cloudflare blocks the token until {until}\n" in done.stdout
    assert_fits(done.stdout)


def test_refused_credentials_are_named_and_the_operator_is_asked_for_a_token(site: Site) -> None:
    since = drill(site, lambda: site.cloudflare.accept(Credentials(api_token="another")))
    for name in ("CredentialsAlarm", "FeedCredentialsAlarm"):
        site.set_alarm(name)
    done = site.status()
    assert 1 == done.exit_code, done.output
    found = verdict(done.stdout)
    assert found.startswith(f"Requests wait: Cloudflare refuses the credentials (since {since:%H:%M} UTC, 23 min).")
    assert " Nothing is lost: 7 requests wait in the queue " in found
    assert found.endswith("> put a valid token into the secret")
    assert f"7 credentials-refused: since {since:%H:%M}, last tried " in done.stdout
    assert_fits(done.stdout)


def test_json_has_the_same_facts(site: Site) -> None:
    since = drill(site, lambda: site.cloudflare.accept(Credentials(api_token="another")))
    facts = site.facts()
    assert (False, site.stack.name, 7) == (facts["is_fine"], facts["stack"], facts["waiting"]["count"])
    [reason] = facts["waiting_reasons"]
    assert ("credentials-refused", 7) == (reason["reason"], reason["count"])
    assert abs(datetime.fromisoformat(reason["since"]) - since) < timedelta(seconds=1)
    assert (0, [], {"count": 0}) == (
        facts["dead_letters"]["count"],
        facts["alarms"],
        {"count": facts["undelivered"]["count"]},
    )
    assert "credentials-refused" == facts["feed"]["runs"][0]["result"]
    assert (3, 3, 0) == (facts["alerts"]["hour"], facts["alerts"]["day"], facts["alerts"]["unconfirmed"])
    assert (1200, True) == (facts["rate_limit"]["limit"], facts["rate_limit"]["remaining"] > 1100)


def test_feed_alone_that_is_refused_is_a_problem(site: Site) -> None:
    """No request waits, because the feed finds none."""
    since = datetime.now(UTC) - BEFORE
    site.feed_has_listed_until(since)
    site.cloudflare.accept(Credentials(api_token="another"))
    site.feed.invoke({})
    done = site.status()
    assert 1 == done.exit_code
    assert (
        f"The feed waits: Cloudflare refuses the credentials (since {since:%H:%M} UTC, 23 min)."
        f" Nothing is lost: the feed continues from {since:%H:%M} UTC. > put a valid token into the secret"
        == verdict(done.stdout)
    )


def test_cloudflare_that_answers_again_is_a_recovery(site: Site) -> None:
    """The requests wait for their next try."""
    since = drill(site, lambda: site.cloudflare.refuse(responses.error(503, 10013, "Service unavailable")))
    site.cloudflare.refuse(None)
    site.send(MALICIOUS[11])
    site.run()
    site.feed.invoke({})
    done = site.status()
    assert 1 == done.exit_code
    assert verdict(done.stdout).startswith(
        f"Cloudflare answers again. Requests wait for their next try (since {since:%H:%M} UTC, 23 min)."
        " Nothing is lost: 7 requests wait"
    )


def test_dead_letters_are_listed_by_reason_and_stay_on_the_queue(site: Site) -> None:
    site.feed.invoke({})
    for body in ("no id", "no id either", '{"postfix_id": "4jTHXX1BkfzpM0K", "account_id": "' + "0" * 31 + '1"}'):
        site.stack.sqs.send_message(QueueUrl=site.stack.requests_url, MessageBody=body)
    site.run()
    site.set_alarm("DeadLetterAlarm")
    for _ in range(2):
        done = site.status()
        assert 1 == done.exit_code
        found = verdict(done.stdout)
        assert re.match(r"3 requests are on the dead-letter queue \(since \d\d:\d\d UTC, [\d.]+ s\)\.", found), found
        expires = datetime.now(UTC) + timedelta(days=14)
        assert (
            f"Not lost yet: 3 requests have no decision and no alert. SQS deletes the first one on {expires:%Y-%m-%d}."
            in found
        )
        assert "2 malformed-body" in done.stdout.replace("invalid-id", "malformed-body")
        assert "1 account-not-configured" in done.stdout
    count = site.stack.sqs.get_queue_attributes(
        QueueUrl=site.stack.dead_letter_url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    assert "3" == count


def test_message_that_sns_could_not_deliver_is_a_problem(site: Site) -> None:
    site.feed.invoke({})
    [queue] = site.stack.sqs.list_queues(QueueNamePrefix=f"{site.stack.name}-UndeliveredQueue")["QueueUrls"]
    site.stack.sqs.send_message(QueueUrl=queue, MessageBody="{}")
    found = verdict(site.status().stdout)
    assert found.startswith("SNS could not deliver 1 message to a subscriber. 1 message has not reached a subscriber;")


def test_alarm_about_subscribers_comes_first(site: Site) -> None:
    drill(site, lambda: site.cloudflare.accept(Credentials(api_token="another")))
    site.set_alarm("PeopleDeliveryAlarm")
    found = verdict(site.status().stdout)
    assert found.startswith("Subscribers do not get alerts: PeopleDeliveryAlarm (since ")
    assert "1 more problem below. Subscribers may have missed alerts; the records have them all." in found


def test_requests_that_no_function_takes_are_a_problem(site: Site) -> None:
    """The log has no outcome for an hour."""
    site.feed.invoke({})
    site.send(*ALERTED)
    found = verdict(site.status().stdout)
    assert found.startswith("Requests wait: the function has logged no outcome for an hour (since ")
    assert "Nothing is lost: 3 requests wait in the queue" in found


def test_part_that_cannot_be_read_is_not_known_and_not_healthy(site: Site) -> None:
    """The table and a log group are gone. What can be read is shown all the same."""
    site.feed.invoke({})
    site.stack.dynamodb.update_table(TableName=site.stack.table, DeletionProtectionEnabled=False)
    site.stack.dynamodb.delete_table(TableName=site.stack.table)
    logs = site.client("logs")
    group = site.client("cloudformation").describe_stack_resource(
        StackName=site.stack.name, LogicalResourceId="EscalateLogGroup"
    )
    logs.delete_log_group(logGroupName=group["StackResourceDetail"]["PhysicalResourceId"])
    done = site.status()
    assert 1 == done.exit_code
    assert "It is not known whether anything is lost: cannot read alerts, feed." in verdict(done.stdout)
    assert re.search(r"^Alerts +not known: cannot read the table", done.stdout, re.MULTILINE)
    assert re.search(r"^Waiting +none\n +reasons not known: cannot query the log", done.stdout, re.MULTILINE)
    assert re.search(r"^Dead letters +none$", done.stdout, re.MULTILINE)
    assert max(map(len, done.stdout.splitlines())) <= WIDTH
    assert "not_known" in site.facts()["alerts"]


def test_feed_that_has_not_run_is_not_known(site: Site) -> None:
    done = site.status()
    assert 1 == done.exit_code
    assert "It is not known whether all is well: cannot read feed." in verdict(done.stdout)
    assert re.search(r" Feed not known: the table \S+ has no state of a feed", " ".join(done.stdout.split()))


def test_deployment_without_feed_and_without_table_is_ok(make_site: Callable[..., Site]) -> None:
    """It says what it does not have."""
    site = make_site(Sinks="topic", Feed="off")
    done = site.status()
    assert 0 == done.exit_code, done.output
    assert "Feed          off\n" in done.stdout
    assert "Alerts        not known: there is no table\n" in done.stdout
