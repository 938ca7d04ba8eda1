"""Truncation of detections and message details: the limit, the order, and the report of what was cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.detection import read_detection
from functions.domain.message_details import read_message_details
from functions.domain.truncate import DETAILS_LISTS, DETECTION_LISTS, TEXT_LIMIT, Truncated, truncate
from tests.strategies import Answer, answers, documented_details
from tests.unit.examples import DETAILS, INVESTIGATE_ID, details, detection

SMALL_LIMIT = 64 * 1024
DROPPED_FIRST = tuple(reversed(DETECTION_LISTS))
LISTS = frozenset(DROPPED_FIRST)
MAX_ITEM_BYTES = 6 * TEXT_LIMIT + 50
"""Bytes: a text of control characters, six bytes each in JSON, with its field name."""
SEPARATOR_BYTES = 5 * 300 * 2 + 50
"""Bytes: separators between the items of all lists. `truncate` counts some that it does not write."""

characters = st.sampled_from(["x", '"', "\\", "é", "😀", "\x00", "\u2028"])
sizes = st.integers(0, 3_000)
TEXT_FIELDS = {
    "attachments": "name",
    "findings": "detail",
    "headers": "value",
    "links": "href",
    "threat_categories": "description",
}


@st.composite
def large_answers(draw: st.DrawFn) -> Answer:
    """Lists of up to 300 items, with texts of up to 3,000 characters that JSON encodes in 1 to 6 bytes each."""
    character = draw(characters)
    text = character * draw(sizes)
    answer: Answer = {name: [{field: text}] * draw(st.integers(0, 300)) for name, field in TEXT_FIELDS.items()}
    sender: dict[str, Any] = dict.fromkeys(("as_name", "geo", "ip", "pld"), character * draw(sizes))
    checks = dict.fromkeys(("comment", "dkim", "dmarc", "spf"), character * draw(sizes))
    return answer | {"action": text, "final_disposition": text, "sender_info": sender, "validation": checks}


def size(truncated: Truncated) -> int:
    return len(json.dumps(truncated.fields, ensure_ascii=False).encode())


def lengths(truncated: Truncated) -> dict[str, int]:
    """The number of items kept in each list."""
    return {name: len(it) for name, it in truncated.fields.items() if isinstance(it, list)}


def lists_dropped(truncated: Truncated) -> tuple[str, ...]:
    """The incomplete lists, without the entry for texts."""
    return tuple(name for name in truncated.dropped if name != "texts")


@given(large_answers(), st.integers(SMALL_LIMIT, 300 * 1024))
def test_any_answer_fits_and_names_its_incomplete_lists(answer: Answer, limit: int) -> None:
    """The result fits, incomplete lists are named, and the counts are the original ones."""
    truncated = truncate(read_detection(answer), limit)
    assert size(truncated) <= limit
    assert {name: len(answer[name]) for name in LISTS} == truncated.counts
    assert tuple(name for name in DROPPED_FIRST if lengths(truncated)[name] < truncated.counts[name]) == lists_dropped(
        truncated
    )


@given(large_answers(), st.integers(SMALL_LIMIT, 300 * 1024))
def test_lists_are_cut_in_order_and_only_as_far_as_needed(answer: Answer, limit: int) -> None:
    """A list is cut only if the lists before it in the order are empty."""
    truncated = truncate(read_detection(answer), limit)
    lengths_left = [lengths(truncated)[name] for name in lists_dropped(truncated)]
    assert [0] * (len(lengths_left) - 1) == lengths_left[:-1]
    if lengths_left:
        assert size(truncated) > limit - MAX_ITEM_BYTES - SEPARATOR_BYTES


@given(answers)
def test_small_answer_is_kept_complete(answer: Answer) -> None:
    """All lists are complete, and absent fields are missing."""
    truncated = truncate(read_detection(answer), SMALL_LIMIT)
    assert ((), lengths(truncated)) == (truncated.dropped, truncated.counts)
    assert None not in truncated.fields.values()


TEXTS = {
    "at the limit": ("x" * TEXT_LIMIT, "x" * TEXT_LIMIT),
    "one over the limit": ("x" * (TEXT_LIMIT + 1), "x" * (TEXT_LIMIT - 1) + "…"),
    "five million": ("😀" * 5_000_000, "😀" * (TEXT_LIMIT - 1) + "…"),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_text_over_the_limit_ends_with_an_ellipsis(text: str, expected: str) -> None:
    """A cut text has exactly the maximum length, with the ellipsis."""
    truncated = truncate(detection(action=text), SMALL_LIMIT)
    assert (expected, text != expected) == (truncated.fields["action"], "texts" in truncated.dropped)


def test_five_megabytes_of_headers_do_not_displace_links() -> None:
    """Only the headers are cut."""
    headers = [{"name": "Received", "value": "x" * 1_000}] * 5_000
    links = [{"href": "https://example.com"}] * 100
    truncated = truncate(detection(headers=headers, links=links), SMALL_LIMIT)
    assert (("headers",), 5_000, 100) == (truncated.dropped, truncated.counts["headers"], lengths(truncated)["links"])
    assert 0 < lengths(truncated)["headers"] < 100


def test_limit_of_zero_empties_all_lists() -> None:
    """Action and disposition are kept, and all lists are named in the order of cutting."""
    full = {name: [{field: "x"}] for name, field in TEXT_FIELDS.items()}
    truncated = truncate(detection(**full), 0)
    assert (DROPPED_FIRST, dict.fromkeys(LISTS, 1)) == (truncated.dropped, truncated.counts)
    assert (truncated.fields["action"], truncated.fields["final_disposition"]) == ("QUARANTINED", "MALICIOUS")


# --- message details --------------------------------------------------------------------------------------------------


@st.composite
def large_details(draw: st.DrawFn) -> Answer:
    """Lists of up to 200 texts, each of up to 3,000 characters."""
    character = draw(characters)
    lists = {name: [character * draw(sizes)] * draw(st.integers(0, 200)) for name in DETAILS_LISTS}
    return DETAILS | lists | {"subject": character * draw(sizes), "from": character * draw(sizes)}


@given(large_details(), st.integers(32 * 1024, 128 * 1024))
def test_any_details_fit_and_name_their_incomplete_lists(answer: Answer, limit: int) -> None:
    """The result fits, the counts are the original ones, and lists are cut in order."""
    truncated = truncate(read_message_details(answer), limit)
    assert size(truncated) <= limit
    assert {name: len(answer[name]) for name in DETAILS_LISTS} == truncated.counts
    incomplete = tuple(name for name in reversed(DETAILS_LISTS) if lengths(truncated)[name] < truncated.counts[name])
    assert incomplete == lists_dropped(truncated)
    assert [0] * (len(incomplete) - 1) == [lengths(truncated)[name] for name in incomplete][:-1]


def test_small_details_are_kept_complete() -> None:
    """All fields have Cloudflare's names, and the id is a text."""
    truncated = truncate(details(), SMALL_LIMIT)
    assert (DETAILS, ()) == (truncated.fields, truncated.dropped)
    assert INVESTIGATE_ID == truncated.fields["id"]


@given(documented_details)
def test_absent_fields_stay_absent(answer: Answer) -> None:
    """Absent lists are empty lists, and other absent fields are missing."""
    truncated = truncate(read_message_details(answer), SMALL_LIMIT)
    assert None not in truncated.fields.values()
    assert lengths(truncated).keys() == {*DETAILS_LISTS}
    assert read_message_details(answer) == read_message_details(truncated.fields)


def test_ten_thousand_recipients_do_not_displace_the_delivery_status() -> None:
    """The list of recipients is cut at its end, and the delivery status stays."""
    recipients = [f"{n}@larkfield.example" for n in range(10_000)]
    truncated = truncate(details(to=recipients, delivery_status=["delivered", "quarantined"]), 8 * 1024)
    assert (("to",), 10_000) == (truncated.dropped, truncated.counts["to"])
    assert ["delivered", "quarantined"] == truncated.fields["delivery_status"]
    assert recipients[: lengths(truncated)["to"]] == truncated.fields["to"]
