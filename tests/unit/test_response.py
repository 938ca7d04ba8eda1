"""Parsing of responses: a result, or the error that decides what happens to the message."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.errors import (
    CloudflareError,
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    Throttled,
    Unavailable,
)
from functions.cloudflare.response import BLOCK_SECONDS, MAX_BLOCK_SECONDS, MIN_BLOCK_SECONDS, read_result
from tests.strategies import json_values

HTML = b"<!DOCTYPE html><title>Just a moment...</title>"
DEEP = b"[" * 100_000


def success(result: object) -> bytes:
    return json.dumps({"success": True, "errors": [], "messages": [], "result": result}).encode()


def failure(*codes: object, **more: object) -> bytes:
    errors = [{"code": code, "message": "canary"} for code in codes]
    return json.dumps({"success": False, "errors": errors, "messages": [], "result": None} | more).encode()


def bare(*codes: object) -> bytes:
    """An error body as Cloudflare really sends it: without `messages` and `result`."""
    return json.dumps({"success": False, "errors": [{"code": code, "message": "canary"} for code in codes]}).encode()


CHAIN = json.dumps(
    {
        "success": False,
        "errors": [{"code": 6003, "message": "canary", "error_chain": [{"code": 6111, "message": "canary"}]}],
    }
).encode()

ERRORS: dict[str, tuple[int, bytes, type[CloudflareError]]] = {
    # errors that Cloudflare documents
    "no credentials header": (400, bare(9106), CredentialsRefused),
    "malformed header": (400, CHAIN, CredentialsRefused),
    "bad token": (401, failure(10000), CredentialsRefused),
    "bad token on another path": (403, failure(9109), CredentialsRefused),
    "missing permission": (403, failure(10000), CredentialsRefused),
    "malformed account": (404, failure(7003), Refused),
    "not in the plan": (403, failure(10034), CredentialsRefused),
    "throttled, 971": (429, bare(971), Throttled),
    "throttled, 10100": (429, failure(10100), Throttled),
    "throttled, 10429": (429, failure(10429), Throttled),
    # status 200 without a result
    "200 html": (200, HTML, Unavailable),
    "200 empty": (200, b"", Unavailable),
    "200 half a body": (200, success({"action": "x" * 99})[:60], Unavailable),
    "200 text after the body": (200, success({"action": "x"}) + b"}", Unavailable),
    "200 success false": (200, failure(1000), Unavailable),
    "200 success false with a result": (200, failure(result={"action": "x"}), Unavailable),
    "200 success is a text": (200, b'{"success": "true", "result": {"action": "x"}}', Unavailable),
    "200 success is one": (200, b'{"success": 1, "result": {"action": "x"}}', Unavailable),
    "200 success is absent": (200, b'{"result": {"action": "x"}}', Unavailable),
    "200 list": (200, b"[]", Unavailable),
    "200 null": (200, b"null", Unavailable),
    "200 nested 100,000 deep": (200, b'{"success": true, "result": ' + DEEP, InvalidAnswer),
    "200 result null": (200, success(None), NoDetection),
    "200 result absent": (200, b'{"success": true}', NoDetection),
    "200 result {}": (200, success({}), NoDetection),
    "200 result []": (200, success([]), NoDetection),
    # not found
    "404 envelope": (404, failure(10404), NoDetection),
    "404 envelope without codes": (404, failure(), NoDetection),
    "404 html": (404, HTML, Unavailable),
    "404 empty": (404, b"", Unavailable),
    "404 list": (404, b"[]", Unavailable),
    "404 7003 among others": (404, failure(1000, 7003), Refused),
    # retryable
    "408": (408, failure(), Unavailable),
    "409": (409, failure(1000), Unavailable),
    "425": (425, b"", Unavailable),
    "202 slow search": (202, success([]), Unavailable),
    "204": (204, b"", Unavailable),
    "206 with a result": (206, success({"action": "x"}), Unavailable),
    "301": (301, HTML, Unavailable),
    "302 with a result": (302, success({"action": "x"}), Unavailable),
    "307": (307, b"", Unavailable),
    "500": (500, failure(10000), Unavailable),
    "502 html": (502, HTML, Unavailable),
    "503 with throttling codes": (503, failure(971), Unavailable),
    "520": (520, b"error code: 520", Unavailable),
    "530 deep": (530, DEEP, Unavailable),
    "status out of range": (0, b"", Unavailable),
    # permanent
    "400 another code": (400, failure(1001), Refused),
    "400 html": (400, HTML, Unavailable),
    "405": (405, failure(10405), Refused),
    "410": (410, failure(), Refused),
    "422": (422, failure(1004), Refused),
    # credentials and throttling, with any body
    "401 html": (401, HTML, CredentialsRefused),
    "403 half a body": (403, failure(10000)[:20], CredentialsRefused),
    "403 deep": (403, DEEP, CredentialsRefused),
    "429 html": (429, HTML, Throttled),
    # bodies that do not match Cloudflare's own schema
    "codes are texts": (404, failure("7003"), NoDetection),
    "codes are lists": (404, failure([7003]), NoDetection),
    "codes are floats": (404, failure(7003.5), NoDetection),
    "codes are negative": (404, failure(-7003), NoDetection),
    "a code is enormous": (404, failure(10**4_000), NoDetection),
    "errors is null": (404, b'{"success": false, "errors": null}', NoDetection),
    "errors is an object": (404, b'{"success": false, "errors": {"code": 7003}}', NoDetection),
    "errors are texts": (404, b'{"success": false, "errors": ["7003"]}', NoDetection),
}


@pytest.mark.parametrize(("status", "body", "error"), ERRORS.values(), ids=ERRORS)
def test_response_without_a_result_raises_the_documented_error(
    status: int, body: bytes, error: type[CloudflareError]
) -> None:
    """The error is exactly the expected leaf, and its text contains nothing of the body."""
    with pytest.raises(error) as raised:
        read_result(status, {}, body)
    assert error is type(raised.value)
    assert "canary" not in str(raised.value)


RESULTS: dict[str, Any] = {
    "detection": {"action": "QUARANTINED", "final_disposition": "MALICIOUS"},
    "search": [{"id": "a", "postfix_id": "b"}],
    "empty fields": {"findings": []},
    "text": "x",
    "number": 7,
    "half a surrogate pair": {"action": "\ud800"},
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_result_is_returned_unchanged(result: Any) -> None:
    """Any non-empty result is returned as parsed."""
    assert result == read_result(200, {}, success(result))


ODD_BODIES: dict[str, tuple[bytes, Any]] = {
    "invalid UTF-8 in a text": (b'"a\xff\xfeb"', "a\ufffd\ufffdb"),
    "Latin-1 in a text": (b'"Stra\xdfe"', "Stra\ufffde"),
    "half a UTF-8 sequence at the end of a text": (b'"a\xe2\x82"', "a\ufffd"),
    "UTF-8 of a surrogate": (b'"a\xed\xa0\x80"', "a\ufffd\ufffd\ufffd"),
    "a newline in a text": (b'"a\nb"', "a\nb"),
    "a tab in a text": (b'"a\tb"', "a\tb"),
    "a null character in a text": (b'"a\x00b"', "a\x00b"),
    "an escape character in a text": (b'"a\x1b[1mb"', "a\x1b[1mb"),
    "infinity": (b"[Infinity]", [float("inf")]),
    "negative infinity": (b"[-Infinity]", [float("-inf")]),
    "a float that is too large": (b"[1e999]", [float("inf")]),
    "5,000 digits": (b"[" + b"9" * 5_000 + b"]", [float("inf")]),
    "5,000 digits below zero": (b"[-" + b"9" * 5_000 + b"]", [float("-inf")]),
}


@pytest.mark.parametrize(("result", "expected"), ODD_BODIES.values(), ids=ODD_BODIES)
def test_odd_bytes_do_not_make_a_response_unreadable(result: bytes, expected: Any) -> None:
    assert expected == read_result(200, {}, b'{"success": true, "result": ' + result + b"}")


def test_result_is_found_in_an_envelope_with_unknown_members() -> None:
    """Unknown members, errors beside a success, and a byte order mark do not hide the result."""
    body = b"\xef\xbb\xbf" + json.dumps({"success": True, "errors": [{"code": 1}], "new": 1, "result": [1]}).encode()
    assert read_result(200, {}, body) == [1]


NO_DETECTION = {"200 without a result": (200, success(None), True), "404": (404, failure(10404), False)}


@pytest.mark.parametrize(("status", "body", "id_exists"), NO_DETECTION.values(), ids=NO_DETECTION)
def test_no_detection_says_whether_the_id_exists(status: int, body: bytes, id_exists: bool) -> None:
    """The client searches by a shorter id only if the id may not exist."""
    with pytest.raises(NoDetection) as raised:
        read_result(status, {}, body)
    assert id_exists is raised.value.id_exists


RETRY_AFTER: dict[str, tuple[dict[str, str], float]] = {
    "absent": ({}, BLOCK_SECONDS),
    "empty": ({"retry-after": ""}, BLOCK_SECONDS),
    "blank": ({"retry-after": " \t"}, BLOCK_SECONDS),
    "seconds": ({"retry-after": "17"}, 17.0),
    "seconds with whitespace": ({"retry-after": " 17 "}, 17.0),
    "zero seconds": ({"retry-after": "0"}, MIN_BLOCK_SECONDS),
    "fractions": ({"retry-after": "0.5"}, MIN_BLOCK_SECONDS),
    "garbage": ({"retry-after": "soon"}, BLOCK_SECONDS),
    "negative": ({"retry-after": "-17"}, BLOCK_SECONDS),
    "infinite": ({"retry-after": "inf"}, BLOCK_SECONDS),
    "not a number": ({"retry-after": "nan"}, BLOCK_SECONDS),
    "Arabic digits": ({"retry-after": "١٧"}, BLOCK_SECONDS),  # noqa: RUF001
    "longer than the maximum": ({"retry-after": "86400"}, MAX_BLOCK_SECONDS),
    "just below the minimum": ({"retry-after": "0.99"}, MIN_BLOCK_SECONDS),
    "just above the minimum": ({"retry-after": "1.01"}, 1.01),
    "just below the maximum": ({"retry-after": "899.5"}, 899.5),
    "just above the maximum": ({"retry-after": "900.5"}, MAX_BLOCK_SECONDS),
    "six digits": ({"retry-after": "999999"}, MAX_BLOCK_SECONDS),
    "seven digits": ({"retry-after": "1000000"}, BLOCK_SECONDS),
    "5,000 digits": ({"retry-after": "9" * 5_000}, BLOCK_SECONDS),
    "a date in the past": ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, MIN_BLOCK_SECONDS),
    "a date without a zone": ({"retry-after": "Wed, 21 Oct 2015 07:28:00"}, MIN_BLOCK_SECONDS),
    "a date in an unknown zone": ({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}, MIN_BLOCK_SECONDS),
    "an invalid hour": ({"retry-after": "Wed, 21 Oct 2015 99:28:00 GMT"}, BLOCK_SECONDS),
    "an invalid zone": ({"retry-after": "Wed, 21 Oct 2015 07:28:00 +9900"}, BLOCK_SECONDS),
    "an invalid year": ({"retry-after": "Mon, 01 Jan 99999999999999 00:00:00 GMT"}, BLOCK_SECONDS),
    "a zone with 14 digits": ({"retry-after": "Mon, 01 Jan 2026 00:00:00 +99999999999999"}, BLOCK_SECONDS),
}


@pytest.mark.parametrize(("headers", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after_is_limited_or_replaced_by_the_default(headers: dict[str, str], seconds: float) -> None:
    """A readable `retry-after` is limited to 1 s to 15 min; otherwise the pause is Cloudflare's block time."""
    with pytest.raises(Throttled) as raised:
        read_result(429, headers, failure(971))
    assert seconds == raised.value.retry_after


@pytest.fixture
def _far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is nine hours ahead of UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


ZONES = {
    "GMT": "GMT",
    "zone": "+0000",
    "zone ahead of UTC": "+0530",
    "zone behind UTC": "-0800",
    "unknown zone": "-0000",
    "no zone": "",
}


@pytest.mark.usefixtures("_far_from_utc")
@pytest.mark.parametrize("zone", ZONES.values(), ids=ZONES)
def test_retry_after_with_a_date_pauses_until_then(zone: str) -> None:
    """The pause is the time until the date, from some moment during the call. A date without a zone is in UTC."""
    before = datetime.now(UTC)
    then = before.replace(microsecond=0) + timedelta(seconds=120)
    sign, hours, minutes = (zone[0], zone[1:3], zone[3:]) if zone[1:].isdigit() else ("+", "0", "0")
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    date = f"{then + offset:%a, %d %b %Y %H:%M:%S} {zone}".strip()
    with pytest.raises(Throttled) as raised:
        read_result(429, {"retry-after": date}, failure(971))
    after = datetime.now(UTC)
    assert before <= then - timedelta(seconds=raised.value.retry_after) <= after


STATUSES = {399: Unavailable, 400: Refused, 499: Refused, 500: Unavailable}


@pytest.mark.parametrize(("status", "error"), STATUSES.items(), ids=str)
def test_only_the_four_hundreds_are_refusals(status: int, error: type[CloudflareError]) -> None:
    with pytest.raises(error):
        read_result(status, {}, failure(1001))


CODES: dict[str, tuple[tuple[int, ...], str]] = {
    "none": ((), "Cloudflare returned 400: a retry cannot succeed"),
    "zero": ((0,), "Cloudflare returned 400 with code 0: a retry cannot succeed"),
    "largest": ((999_999,), "Cloudflare returned 400 with code 999999: a retry cannot succeed"),
    "too large": ((1_000_000,), "Cloudflare returned 400: a retry cannot succeed"),
    "five": ((5, 4, 3, 2, 1), "Cloudflare returned 400 with code 1, 2, 3, 4, 5: a retry cannot succeed"),
    "six": ((6, 5, 4, 3, 2, 1), "Cloudflare returned 400 with code 1, 2, 3, 4, 5: a retry cannot succeed"),
}


@pytest.mark.parametrize(("codes_", "text"), CODES.values(), ids=CODES)
def test_error_names_the_first_codes_in_order(codes_: tuple[int, ...], text: str) -> None:
    with pytest.raises(Refused) as raised:
        read_result(400, {}, failure(*codes_))
    assert text == str(raised.value)


def test_integer_of_400_digits_is_read_and_a_longer_one_is_infinite() -> None:
    body = b'{"success": true, "result": [' + b"9" * 400 + b", " + b"9" * 401 + b"]}"
    assert read_result(200, {}, body) == [10**400 - 1, float("inf")]


def test_error_with_many_codes_has_a_short_text() -> None:
    """The text must be short, because it becomes an attribute of a dead-letter message."""
    with pytest.raises(Refused) as raised:
        read_result(400, {}, failure(*range(20_000, 70_000)))
    assert len(str(raised.value)) < 500


codes = st.sampled_from([0, 971, 6003, 7003, 9106, 10000, 2**70, True, "7003", None])
envelopes = st.builds(failure, codes, result=json_values()) | st.builds(success, json_values())
dates = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Monday", "x", ""]),
    st.integers(0, 40),
    st.sampled_from(["Jan", "Feb", "13"]),
    st.integers(0, 10**20),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(["GMT", "", "-0000"]) | st.integers(-(10**20), 10**20).map(str),
)
retry_after = st.text() | st.integers().map(str) | st.floats().map(str)


def read(status: int, headers: dict[str, str], body: bytes) -> object:
    """The result or the CloudflareError. Any other exception fails the test."""
    try:
        return read_result(status, headers, body)
    except CloudflareError as exc:
        return exc


statuses = st.sampled_from([200, 202, 302, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 503]) | st.integers()


@given(statuses, st.dictionaries(st.text() | st.just("retry-after"), retry_after), st.binary() | envelopes)
def test_any_response_gives_a_result_or_a_cloudflare_error(status: int, headers: dict[str, str], body: bytes) -> None:
    """A response gives a non-empty result, only with status 200, or a CloudflareError."""
    actual = read(status, headers, body)
    assert actual not in (None, {}, [])
    assert isinstance(actual, CloudflareError) or status == 200


@given(dates)
def test_any_date_gives_a_pause(date: str) -> None:
    """A text that looks like a date is either parsed or replaced by the default."""
    actual = read(429, {"retry-after": date}, b"")
    assert isinstance(actual, Throttled)
    assert actual.retry_after >= 0


DATES = {
    "a date": ("Wed, 25 Nov 2026 12:00:00 GMT", datetime(2026, 11, 25, 12, tzinfo=UTC)),
    "no date": (None, None),
    "a malformed date": ("yesterday", None),
}


@pytest.mark.parametrize(("date", "expected"), DATES.values(), ids=DATES)
def test_refusal_has_the_time_of_the_server(date: str | None, expected: datetime | None) -> None:
    """A search whose start is in the future can then use it."""
    with pytest.raises(Refused) as refused:
        read_result(400, {"date": date} if date else {}, failure(10400))
    assert expected == refused.value.server_time
