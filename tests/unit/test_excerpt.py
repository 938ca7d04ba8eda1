"""excerpt.py: what is kept of a detection or a context, within a limit, and what is said about the rest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.context import read_context
from functions.cloudflare.detection import read_detection
from functions.cloudflare.excerpt import CONTEXT_LISTS, DETECTION_LISTS, FEW, TEXT_LIMIT, Excerpt, excerpt
from tests.strategies import Answer, answers, contexts
from tests.unit.examples import CONTEXT, INVESTIGATE_ID, context, detection

LEAST = 64 * 1024
DROPPED_FIRST = tuple(reversed(DETECTION_LISTS))
LISTS = frozenset(DROPPED_FIRST)
LARGEST_ITEM = 6 * TEXT_LIMIT + 50
"""Bytes: a text of control characters, six bytes each, with its name."""
COMMAS = 5 * 300 * 2 + 50
"""Bytes between the items of all lists, and of what is absent: they are not counted as freed."""

fat = st.sampled_from(["x", '"', "\\", "é", "😀", "\x00", "\u2028"])
sizes = st.integers(0, 3_000)
LONG_TEXT = {
    "attachments": "name",
    "findings": "detail",
    "headers": "value",
    "links": "href",
    "threat_categories": "description",
}


@st.composite
def fat_answers(draw: st.DrawFn) -> Answer:
    """Lists of up to 300 items, texts of up to 3,000 characters of a kind that JSON writes short or long."""
    one = draw(fat)
    text = one * draw(sizes)
    answer: Answer = {name: [{field: text}] * draw(st.integers(0, 300)) for name, field in LONG_TEXT.items()}
    sender: dict[str, Any] = dict.fromkeys(("as_name", "geo", "ip", "pld"), one * draw(sizes))
    checks = dict.fromkeys(("comment", "dkim", "dmarc", "spf"), one * draw(sizes))
    return answer | {"action": text, "final_disposition": text, "sender_info": sender, "validation": checks}


def size(kept: Excerpt) -> int:
    return len(json.dumps(kept.fields, ensure_ascii=False).encode())


def lengths(kept: Excerpt) -> dict[str, int]:
    """How many items of each list were kept."""
    return {name: len(it) for name, it in kept.fields.items() if isinstance(it, list)}


def lists_dropped(kept: Excerpt) -> tuple[str, ...]:
    """What was dropped, but for texts that were cut."""
    return tuple(name for name in kept.dropped if name != "texts")


@given(fat_answers(), st.integers(LEAST, 300 * 1024))
def test_any_size(answer: Answer, limit: int) -> None:
    """The limit holds; each list is whole or named as cut; the counts are those of the mail."""
    kept = excerpt(read_detection(answer), limit)
    assert size(kept) <= limit
    assert {name: len(answer[name]) for name in LISTS} == kept.counts
    assert tuple(name for name in DROPPED_FIRST if lengths(kept)[name] < kept.counts[name]) == lists_dropped(kept)


@given(fat_answers(), st.integers(LEAST, 300 * 1024))
def test_the_order_of_cutting(answer: Answer, limit: int) -> None:
    """A list is cut only when nothing is left of those before it, and only as far as it has to be."""
    kept = excerpt(read_detection(answer), limit)
    left = [lengths(kept)[name] for name in lists_dropped(kept)]
    assert [0] * (len(left) - 1) == left[:-1]
    if left:
        assert size(kept) > limit - LARGEST_ITEM - COMMAS


@given(answers)
def test_an_ordinary_answer(answer: Answer) -> None:
    """It is kept whole, but for what is absent."""
    kept = excerpt(read_detection(answer), LEAST)
    assert ((), lengths(kept)) == (kept.dropped, kept.counts)
    assert None not in kept.fields.values()


TEXTS = {
    "at the limit": ("x" * TEXT_LIMIT, "x" * TEXT_LIMIT),
    "one beyond": ("x" * (TEXT_LIMIT + 1), "x" * (TEXT_LIMIT - 1) + "…"),
    "far beyond": ("😀" * 5_000_000, "😀" * (TEXT_LIMIT - 1) + "…"),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_a_long_text(text: str, expected: str) -> None:
    """It is cut with an ellipsis that says so, in the middle of no character."""
    kept = excerpt(detection(action=text), LEAST)
    assert (expected, text != expected) == (kept.fields["action"], "texts" in kept.dropped)


def test_five_megabytes_of_headers() -> None:
    """They go, and nothing else does."""
    headers = [{"name": "Received", "value": "x" * 1_000}] * 5_000
    links = [{"href": "https://example.com"}] * 100
    kept = excerpt(detection(headers=headers, links=links), LEAST)
    assert (("headers",), 5_000, 100) == (kept.dropped, kept.counts["headers"], lengths(kept)["links"])
    assert 0 < lengths(kept)["headers"] < 100


def test_without_any_room() -> None:
    """All lists go, in the stated order, and what is left is what a reader needs first."""
    full = {name: [{field: "x"}] for name, field in LONG_TEXT.items()}
    kept = excerpt(detection(**full), 0)
    assert (DROPPED_FIRST, dict.fromkeys(LISTS, 1)) == (kept.dropped, kept.counts)
    assert (kept.fields["action"], kept.fields["final_disposition"]) == ("QUARANTINED", "MALICIOUS")


# --- contexts ---------------------------------------------------------------------------------------------------------


@st.composite
def fat_contexts(draw: st.DrawFn) -> Answer:
    """Lists of up to 200 texts, each of up to 3,000 characters."""
    one = draw(fat)
    lists = {name: [one * draw(sizes)] * draw(st.integers(0, 200)) for name in CONTEXT_LISTS}
    return CONTEXT | lists | {"subject": one * draw(sizes), "from": one * draw(sizes)}


@given(fat_contexts(), st.integers(32 * 1024, 128 * 1024))
def test_a_context_of_any_size(answer: Answer, limit: int) -> None:
    """The limit holds; the counts are those of the mail; a list is cut only when nothing is left of those before it."""
    kept = excerpt(read_context(answer), limit)
    assert size(kept) <= limit
    assert {name: len(answer[name]) for name in CONTEXT_LISTS} == kept.counts
    short = tuple(name for name in reversed(CONTEXT_LISTS) if lengths(kept)[name] < kept.counts[name])
    assert short == lists_dropped(kept)
    assert [0] * (len(short) - 1) == [lengths(kept)[name] for name in short][:-1]


def test_an_ordinary_context() -> None:
    """It is kept whole, under Cloudflare's names, the id as text."""
    kept = excerpt(context(), LEAST)
    assert (CONTEXT, ()) == (kept.fields, kept.dropped)
    assert INVESTIGATE_ID == kept.fields["id"]


@given(contexts)
def test_what_a_context_does_not_say(answer: Answer) -> None:
    """It is absent, but for the lists, which are empty."""
    kept = excerpt(read_context(answer), LEAST)
    assert None not in kept.fields.values()
    assert lengths(kept).keys() == {*CONTEXT_LISTS}
    assert read_context(answer) == read_context(kept.fields)


def test_ten_thousand_recipients() -> None:
    """They go, from their end, and where the mail is stays."""
    people = [f"{n}@larkfield.example" for n in range(10_000)]
    kept = excerpt(context(to=people, delivery_status=["delivered", "quarantined"]), 8 * 1024)
    assert (("to",), 10_000) == (kept.dropped, kept.counts["to"])
    assert ["delivered", "quarantined"] == kept.fields["delivery_status"]
    assert people[: lengths(kept)["to"]] == kept.fields["to"]


# --- at the limits ----------------------------------------------------------------------------------------------------


def test_item_that_fits_to_the_byte_is_kept_and_one_byte_less_drops_it() -> None:
    link = {"href": "https://example.com/é"}
    # An item is counted with its separator: ", ".
    limit = size(excerpt(detection(), LEAST)) + len(json.dumps(link, ensure_ascii=False).encode()) + len(", ")
    source = detection(links=[link])
    assert [[link], []] == [excerpt(source, it).fields["links"] for it in (limit, limit - 1)]
    assert [(), ("links",)] == [excerpt(source, it).dropped for it in (limit, limit - 1)]


@pytest.mark.parametrize("count", [FEW - 1, FEW, FEW + 1])
def test_lists_that_fit_are_whole_however_they_are_counted(count: int) -> None:
    links = [{"href": f"https://{n}.example"} for n in range(count)]
    kept = excerpt(detection(links=links), LEAST)
    assert (links, ()) == (kept.fields["links"], kept.dropped)


def test_shorter_text_limit_cuts_texts_in_lists_too() -> None:
    kept = excerpt(detection(action="x" * 11, links=[{"href": "y" * 10}, {"href": "z" * 12}]), LEAST, 10)
    assert "x" * 9 + "…" == kept.fields["action"]
    assert [{"href": "y" * 10}, {"href": "z" * 9 + "…"}] == kept.fields["links"]
    assert ("texts",) == kept.dropped


def test_list_that_is_not_whole_is_named_before_the_texts_that_were_cut() -> None:
    kept = excerpt(detection(action="x" * 1_001, headers=[{"name": "To", "value": "x" * 900}] * 100), 8 * 1024)
    assert ("headers", "texts") == kept.dropped


def test_counts_of_a_detection_are_not_among_its_fields() -> None:
    assert "counts" not in excerpt(detection(), LEAST).fields
