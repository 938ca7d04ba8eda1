"""context.py: who got a mail and where it is, whatever the answer is."""

import pytest
from hypothesis import given

from functions.cloudflare.context import Context, Delivery, read_context
from functions.cloudflare.message_id import MessageId
from tests.strategies import Answer, contexts, json_values, wild_contexts
from tests.unit.examples import CONTEXT, INVESTIGATE_ID, context


def test_every_field_that_is_read() -> None:
    """None of them is lost on the way."""
    expected = Context(
        id=MessageId(INVESTIGATE_ID),
        subject="s",
        from_="a@x.example",
        from_name="A",
        replyto="r@x.example",
        envelope_from="b@x.example",
        message_id="<1@x.example>",
        delivery_mode="DIRECT",
        is_quarantined=False,
        scanned_at="2026-01-01T00:00:01Z",
        sent_at="2026-01-01T00:00:00Z",
        to=("c@x.example",),
        envelope_to=("d@x.example",),
        client_recipients=("e@x.example",),
        delivery_status=("delivered",),
        detection_reasons=("because",),
    )
    assert expected == read_context(
        {
            "id": INVESTIGATE_ID,
            "subject": "s",
            "from": "a@x.example",
            "from_name": "A",
            "replyto": "r@x.example",
            "envelope_from": "b@x.example",
            "message_id": "<1@x.example>",
            "delivery_mode": "DIRECT",
            "is_quarantined": False,
            "scanned_at": "2026-01-01T00:00:01Z",
            "sent_at": "2026-01-01T00:00:00Z",
            "to": ["c@x.example"],
            "envelope_to": ["d@x.example"],
            "client_recipients": ["e@x.example"],
            "delivery_status": ["delivered"],
            "detection_reasons": ["because"],
            "brand_new": 1,
        }
    )


# --- where it is ------------------------------------------------------------------------------------------------------

STATUSES = {
    "delivered": (Delivery.DELIVERED, "true"),
    "moved": (Delivery.MOVED, "false"),
    "quarantined": (Delivery.HELD, "false"),
    "rejected": (Delivery.REJECTED, "false"),
    "bounced": (Delivery.REJECTED, "false"),
    "deferred": (Delivery.UNDER_WAY, "unknown"),
    "queued": (Delivery.UNDER_WAY, "unknown"),
    "teleported": (Delivery.UNKNOWN, "unknown"),
    "": (Delivery.UNKNOWN, "unknown"),
}


@pytest.mark.parametrize(("status", "expected"), STATUSES.items(), ids=STATUSES)
def test_a_status(status: str, expected: tuple[Delivery, str]) -> None:
    """Each word of Cloudflare's says where the mail is, in whichever case; one that nobody knows says nothing."""
    it = context(delivery_status=[status], is_quarantined=None)
    loud = context(delivery_status=[status.upper()], is_quarantined=None)
    assert expected == (it.delivery, it.delivery.delivered)
    assert it.delivery == loud.delivery


MIXED = {
    "one inbox is enough": (["quarantined", "rejected", "delivered"], Delivery.DELIVERED),
    "it may arrive yet": (["quarantined", "deferred"], Delivery.UNDER_WAY),
    "somebody had it": (["rejected", "moved", "quarantined"], Delivery.MOVED),
    "held somewhere, nobody has it": (["bounced", "quarantined"], Delivery.HELD),
    "all refused": (["bounced", "rejected"], Delivery.REJECTED),
    "the same for all": (["delivered", "delivered"], Delivery.DELIVERED),
    "one that nobody knows beside": (["teleported", "rejected"], Delivery.REJECTED),
    "what is no text beside": ([None, 7, "moved", {}], Delivery.MOVED),
}


@pytest.mark.parametrize(("statuses", "expected"), MIXED.values(), ids=MIXED)
def test_several_statuses(statuses: list[object], expected: Delivery) -> None:
    """Of a mail to several people the worst counts, in whichever order they come."""
    both = [context(delivery_status=it, is_quarantined=None) for it in (statuses, statuses[::-1])]
    assert [expected] * 2 == [it.delivery for it in both]


QUARANTINED = {
    "no status": ([], True, Delivery.HELD),
    "a status that nobody knows": (["teleported"], True, Delivery.HELD),
    "not quarantined": ([], False, Delivery.UNKNOWN),
    "not said": ([], None, Delivery.UNKNOWN),
    "said otherwise than by true": ([], "true", Delivery.UNKNOWN),
    "against a status": (["delivered"], True, Delivery.DELIVERED),
    "a status that is one text": ("delivered", None, Delivery.UNKNOWN),
}


@pytest.mark.parametrize(("statuses", "quarantined", "expected"), QUARANTINED.values(), ids=QUARANTINED)
def test_quarantined(statuses: object, quarantined: object, expected: Delivery) -> None:
    """It says where the mail is only where no status does."""
    assert expected == context(delivery_status=statuses, is_quarantined=quarantined).delivery


# --- whom it was for --------------------------------------------------------------------------------------------------


def test_recipients() -> None:
    """By mailbox, by envelope, by header, each once."""
    it = context(client_recipients=["a@x", "b@x"], envelope_to=["b@x", "c@x"], to=["d@x", "a@x"])
    assert ("a@x", "b@x", "c@x", "d@x") == it.recipients


# --- whatever it is ---------------------------------------------------------------------------------------------------

ODD_IDS = {
    "a postfix id": ("4Njp3P0STMz2c02Q", MessageId("4Njp3P0STMz2c02Q")),
    "no id": ("../../etc", None),
    "an id and a newline": (f"{INVESTIGATE_ID}\n", None),
    "a number": (7, None),
    "null": (None, None),
}


@pytest.mark.parametrize(("value", "expected"), ODD_IDS.values(), ids=ODD_IDS)
def test_an_id(value: object, expected: MessageId | None) -> None:
    """It is read where it is one of the three forms: it becomes part of what is looked up by."""
    assert expected == context(id=value).id


def test_half_a_surrogate_pair() -> None:
    """The text that holds it can be written down all the same."""
    assert ("a?b", ("?",)) == (context(subject="a\ud83db").subject, context(to=["\ud83d"]).to)


@given(contexts)
def test_a_documented_answer(answer: Answer) -> None:
    """Every list keeps its length."""
    it = read_context(answer)
    names = ("to", "envelope_to", "client_recipients", "delivery_status", "detection_reasons")
    assert [len(answer.get(name, ())) for name in names] == [len(getattr(it, name)) for name in names]


@given(wild_contexts(json_values()))
def test_any_answer(answer: Answer) -> None:
    """It can be read, it says where the mail is, or that this is unknown, and whom it was for; all in UTF-8."""
    it = read_context(answer)
    assert it.delivery in Delivery
    assert it.delivery.delivered in ("true", "false", "unknown")
    "".join((*it.recipients, it.subject or "", it.from_ or "")).encode()


@given(json_values())
def test_fields_that_are_anything(value: object) -> None:
    """Each field in turn may be anything at all."""
    for name in (*CONTEXT, "replyto"):
        assert read_context({name: value}).delivery in Delivery
