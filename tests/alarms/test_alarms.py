"""When each alarm of the template fires and clears, from its own numbers and made series of metrics."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from functions.cloudflare.errors import Throttled
from functions.cloudflare.rate_limiter import RateLimiter
from tests.alarms.evaluator import MORE_POINTS, Points, changes, is_alarm
from tests.alarms.points import points
from tests.alarms.template_alarms import PARSED, STACK, read_alarms
from tests.clock import Clock

ROOT = Path(__file__).parents[2]
ALARMS = read_alarms()
QUIET = "-*600"


@dataclass(frozen=True)
class Case:
    """A situation. series: of the alarm's metrics. fires, clears: the periods in which that happens, from 0."""

    situation: str
    series: dict[str, str]
    fires: list[int] = field(default_factory=list)
    clears: list[int] = field(default_factory=list)


def case(situation: str, fires: list[int], clears: list[int], one: str = "", **series: str) -> Case:
    """A case. one: the series of an alarm with one metric."""
    return Case(situation, {"m": one} if one else series, fires, clears)


def event_cases(what: str) -> list[Case]:
    """The cases of an event metric that always has a value: each event fires, unless one is in the period before."""
    return [
        case(f"{what}, and again later", [1, 5], [2, 6], "0 1 0*3 1 0*2"),
        case(f"{what} in two periods in a row", [1], [3], "0 1 1 0*2"),
        case(f"no {what}", [], [], "0*5"),
    ]


DELIVERY = [
    case("no subscriber", [1], [4], published="4*3 - 4", delivered="-*3 3 4", filtered="-*5"),
    case("subscriptions correct", [], [], published="3 - 4 1", delivered="3 - 8 1", filtered="-*4"),
    case("every alert filtered out for the only subscriber", [], [], published="3*6", delivered="-*6", filtered="3*6"),
    case("delivered in the period after", [], [], published="1 - - 1 1", delivered="- 1 - 1 1", filtered="-*5"),
    case(
        "delivered in the period after, twice in 20 minutes",
        [3],
        [4],
        published="1 - - 1 -",
        delivered="- 1 - - 1",
        filtered="-*5",
    ),
    case("one alert is lost, and no other for an hour", [], [], published="1 -*12", delivered="-*13", filtered="-*13"),
    case("two alerts are lost in ten minutes", [1], [5], published="1 1 -*5", delivered="-*7", filtered="-*7"),
    case("two alerts are lost, 20 minutes apart", [4], [5], published="1 -*3 1 -*5", delivered="-*10", filtered="-*10"),
]
SUBSCRIBER = [
    case("pager down, and nothing else subscribed", [2], [4], failed="4*4 - -", delivered="-*4 1 1"),
    case("pager that recovers after two tries", [], [], failed="2 - - 2", delivered="1 - - 1"),
    case("pager that recovers within ten minutes", [], [], failed="4 4 - -", delivered="- - 1 1"),
    case("pager down, and another subscriber gets the alerts", [], [], failed="4*6", delivered="1*6"),
]
THREE_TOPICS = [
    case("one message", [1], [4], findings="-*5", people="- 1 -*3", operations="-*5"),
    case(
        "the next one while the first is on the queue",
        [1, 6],
        [4, 9],
        findings="- 1 -*8",
        people="-*6 1 -*3",
        operations="-*10",
    ),
    case("one message of each topic at once", [0], [3], findings="1 -*3", people="1 -*3", operations="1 -*3"),
    case("all delivered", [], [], findings="-*5", people="-*5", operations="-*5"),
]
CASES: dict[str, list[Case]] = {
    "DeadLetterAlarm": [
        case("second message while the first is there: one notification", [2], [8], "0*2 1*3 2*3 0*2"),
        case("empty queue", [], [], "0*5"),
        case("message after hours without SQS metrics", [5], [], "-*5 1*3"),
    ],
    "RejectedAlarm": [
        case("second message while the first is there: two notifications", [1, 5], [2, 6], "0 1 0*3 1 0*3"),
        case("second message in the minute after the first", [1], [3], "0 1 1 0"),
        case("second message two minutes after the first", [1, 3], [2, 4], "0 1 0 1 0"),
        case("runs of the feed every 5 minutes", [1], [4], "0 1 -*3 0 -*4"),
        case("without the feed", [0, 6], [3, 9], "1 -*5 1 -*5"),
        case("without the feed, second message after two minutes", [0], [5], "1 - 1 -*5"),
        case("nothing rejected", [], [], "0*5"),
    ],
    "BacklogAlarm": [
        case("15 minutes exceeded for 5 minutes", [6], [8], "100*2 901*6 900 0"),
        case("15 minutes exceeded for 4 minutes", [], [], "100*2 901*4 100*3"),
        case("no metrics of the queue", [], [], "901 -*9"),
    ],
    "EventBacklogAlarm": [
        case("a stopped pipe, until it runs again", [6], [8], "100*2 901*6 900 0"),
        case("a bus that fails for 4 minutes", [], [], "100*2 901*4 100*3"),
        case("no finding for hours", [], [], "901 -*9"),
    ],
    "EventDeadLetterAlarm": [
        case("a refused finding, until it is moved back", [2], [5], "0*2 1*3 0*2"),
        case("empty queue", [], [], "0*5"),
    ],
    "WaitingAlarm": [
        case("a message is deferred for more than 30 minutes", [1], [9], "1500 1801 - 1900 -*8"),
        case("a message is deferred for 20 minutes", [], [], "300 600 900 1200 -*4"),
    ],
    "DeliveryAlarm": DELIVERY,
    "PeopleDeliveryAlarm": DELIVERY,
    "SubscriberAlarm": SUBSCRIBER,
    "PeopleSubscriberAlarm": SUBSCRIBER,
    "UndeliveredAlarm": THREE_TOPICS,
    "UndeliveredLostAlarm": THREE_TOPICS,
    "RateLimitAlarm": [
        case("every batch waits for 15 minutes", [3], [5], "0 6*4 0.4 0"),
        case("a burst of 10 minutes", [], [], "0 6 6 0 0"),
        case("no requests", [], [], "6 6 -*5"),
    ],
    "ErrorAlarm": event_cases("failed invocation"),
    "CredentialsAlarm": [
        case("bad token, corrected after 15 minutes", [1], [8], "- 5*3 -*7"),
        case("bad token, and deferred messages come back with gaps", [0], [9], "3 - 3 - 3 -*6"),
        case("valid token", [], [], QUIET),
    ],
    "FeedCredentialsAlarm": [
        case("bad token, corrected after 15 minutes", [1], [4], "0 5*3 0*2"),
        case("valid token", [], [], "0*5"),
    ],
    "FeedAlarm": [
        case("feed stopped: after 4 periods, which are 20 minutes", [13], [16], "5*10 -*5 60 60 60"),
        case("late in two periods", [6], [8], "5*5 960 1260 60 60"),
        case("late in one period", [], [], "5*5 960 60*3"),
        case("one period without a run", [], [], "5*5 - 5*5"),
        case("quiet Sunday", [], [], "5*288"),
    ],
    "FeedUnresolvedAlarm": event_cases("unresolved detection"),
    "SilenceAlarm": [
        case("72 hours without a request", [122], [123], "3*49 0*6 -*68 2 2"),
        case("quiet weekend", [], [], "5*49 0*6 -*56 5"),
    ],
}


@pytest.mark.parametrize(
    ("alarm", "case"),
    [(name, it) for name, cases in CASES.items() for it in cases],
    ids=lambda it: getattr(it, "situation", it),
)
def test_alarm_fires_and_clears(alarm: str, case: Case) -> None:
    series = {name: points(text) for name, text in case.series.items()}
    found = changes(ALARMS[alarm], series)
    assert (case.fires, case.clears) == ([at for at, on in found if on], [at for at, on in found if not on])


def test_each_alarm_has_a_case_in_which_it_fires_and_clears_and_one_in_which_it_does_not() -> None:
    """A new alarm needs them."""
    assert set(ALARMS) == set(CASES)
    assert [] == [
        name
        for name, cases in CASES.items()
        if not any(it.fires and it.clears for it in cases) or all(it.fires for it in cases)
    ]


@pytest.mark.parametrize("alarm", sorted(ALARMS.keys() - {"FeedAlarm", "SilenceAlarm"}))
def test_quiet_sunday_fires_no_other_alarm(alarm: str) -> None:
    """No email, so no metric but those of the feed, which are 0. FeedAlarm and SilenceAlarm have cases of their own."""
    for text in (QUIET, "0*600"):
        assert [] == changes(ALARMS[alarm], {name: points(text) for name in ALARMS[alarm].metrics})


def test_first_deployment_does_not_fire_the_feed_alarm() -> None:
    """There are no values before it, so the alarm waits until they fill its window."""
    alarm = ALARMS["FeedAlarm"]
    minutes = alarm.properties["WarmUpConfiguration"]["WarmUpPeriodDurationInMinutes"]
    assert minutes >= (alarm.evaluation_periods + MORE_POINTS) * alarm.period / 60
    assert not is_alarm(alarm, [5.0] * (minutes * 60 // alarm.period))


@pytest.mark.parametrize("hours", [1, 24, 72, 168])
def test_silence_fires_after_its_hours_and_clears_with_a_request(hours: int) -> None:
    """The queue has zeros for six hours without a request, then no values."""
    alarm = read_alarms(SilenceHours=hours)["SilenceAlarm"]
    silence = points(f"3*50 0*6 -*{hours}")
    [(at, _)] = changes(alarm, {"m": silence})
    assert hours <= at - 49 <= hours + MORE_POINTS
    assert not is_alarm(alarm, [*silence[: at + 1], 1.0])


def test_silence_counts_at_most_seven_days() -> None:
    """CloudWatch evaluates no more."""
    assert PARSED["Parameters"]["SilenceHours"]["MaxValue"] * ALARMS["SilenceAlarm"].period <= 7 * 86_400


def rate_limit_waits(pause: float) -> Points:
    """The minimum of RateLimitWaitSeconds in each period of half an hour, with a batch of 10 after each pause."""
    alarm, clock = ALARMS["RateLimitAlarm"], Clock()
    limiter, started = RateLimiter(960, 2, clock), clock.now
    waits: dict[int, list[float]] = {}
    while (period := int((clock.now - started) // alarm.period)) < 6:
        slots = []
        for _ in range(10):
            try:
                slots.append(limiter.reserve(12.0))
            except Throttled:
                break
        waited = limiter.take_longest_wait()
        assert waited is not None
        waits.setdefault(period, []).append(waited)
        clock.now += max([pause, *slots]) + 0.1
    return [min(it) for _, it in sorted(waits.items())]


def test_rate_limit_alarm_fires_on_a_backlog() -> None:
    """Each environment takes the next batch as soon as it has finished one. The first batches have the burst."""
    assert [(3, True)] == changes(ALARMS["RateLimitAlarm"], {"m": rate_limit_waits(pause=0.0)})


def test_rate_limit_alarm_does_not_fire_at_nine_tenths_of_the_limit() -> None:
    """460 requests in 300 s are a batch in 6.5 s."""
    assert [] == changes(ALARMS["RateLimitAlarm"], {"m": rate_limit_waits(pause=6.5 / 0.9)})


def test_metrics_of_an_alarm_are_those_of_its_stack() -> None:
    """Two stacks of one account and region share no metric."""
    mine, others = (
        [it for alarm in read_alarms(name).values() for it in alarm.metrics.values()] for name in (STACK, "b")
    )
    assert [] == [it for it in mine if it in others]
    own = [it for it in mine if it.namespace == "CloudflareEmailAlerts"]
    assert [{"service", "stack"}] * len(own) == [set(it.dimensions) for it in own]


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_text_of_an_alarm_ends_with_the_link_to_its_runbook(alarm: str) -> None:
    """The page has a heading for it. GitHub makes its anchor from the heading in lower case."""
    text = ALARMS[alarm].properties["AlarmDescription"]
    text = text if isinstance(text, str) else text["Fn::Sub"]
    link = re.search(r"Runbook: (docs/\S+\.md)#(\S+)$", text)
    assert link
    headings = re.findall(r"^#+ (.+)$", (ROOT / link[1]).read_text("utf-8"), re.MULTILINE)
    assert (alarm, alarm.lower()) == (next((it for it in headings if it.lower() == link[2]), None), link[2])
    assert len(text) <= 1_024
