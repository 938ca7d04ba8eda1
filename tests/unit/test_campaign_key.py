"""Which emails are copies of each other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.campaign_key import campaign_key, normalized_subject
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.feed_facts import FeedFacts
from functions.domain.record import Record
from tests.unit.examples import FULL, details, escalated

RECIPIENT = "gareth.smith@larkfield.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Invoice INV-2024-001", "RE[2]: Fwd: invoice 2023/17"),
        ("[EXTERNAL] Your parcel #A1B2 is waiting!", "Your parcel #99 is waiting"),
        ("Ihre Rechnung Nr. 12.345,67 EUR vom 01.02.2024", "AW: WG: Ihre Rechnung Nr. 99 EUR vom 3.4.2025"),
        ("您的订单 12345", "回复\uff1a您的订单 99"),
        ("請求書2024年3月のご案内", "返信: 請求書2025年11月のご案内"),
        ("فاتورة رقم ١٢٣٤", "رد: فاتورة رقم 99"),
        ("Gareth, your password expires", "Smith, your password expires"),
        (f"Mailbox full: {RECIPIENT}", "Mailbox full: ann@corp.example"),
        ("Re: Re: Re: budget", "budget"),
        ("\uff35\uff32\uff27\uff25\uff2e\uff34", "urgent"),
        ("pay\u200broll", "payroll"),
    ],
)
def test_what_differs_from_copy_to_copy_is_left_out(one: str, other: str) -> None:
    assert normalized_subject(one, [RECIPIENT]) == normalized_subject(other, [RECIPIENT])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Invoice 1", "Payment 1"),
        ("請求書のご案内", "契約書のご案内"),
        ("Reset your password", "Reset your token"),
        ("Regarding budget", "garding budget"),
        ("Referral: budget", "budget"),
    ],
)
def test_other_words_are_another_subject(one: str, other: str) -> None:
    assert normalized_subject(one) != normalized_subject(other)


@given(st.text(max_size=200), st.text(max_size=30))
def test_normalization_is_stable_and_never_fails(subject: str, local_part: str) -> None:
    once = normalized_subject(subject, [f"{local_part}@corp.example"])
    assert once == normalized_subject(subject, [f"{local_part}@corp.example"])
    assert once == once.strip()


def mail(sender: str = "pay@evil.example", subject: str = "Your invoice", **changes: Any) -> Record:
    """A record of an email from a sender."""
    known = details(**{"from": sender, "subject": subject, "replyto": changes.pop("replyto", None)})
    return escalated(details=known, detection=read_detection(FULL | {"headers": []} | changes))


def test_copies_share_sender_domain_and_subject_whatever_their_links() -> None:
    """A new link is a trait, which notifies people. It makes no other campaign."""
    copies = [mail(), mail("other@evil.example", "Re: your invoice"), mail(links=[{"href": "https://new.example/"}])]
    assert 1 == len({campaign_key(it).text for it in copies})
    first, _, third = (campaign_key(it).traits for it in copies)
    assert ["link host"] == [name for digest, name in third.items() if digest not in first]


def test_without_link_and_file_the_whole_sender_and_the_reply_address_tell_attackers_apart() -> None:
    bare: dict[str, Any] = {"links": [], "attachments": []}
    senders = [
        mail("a@free.example", **bare),
        mail("b@free.example", **bare),
        mail("a@free.example", replyto="x@y.example", **bare),
    ]
    assert 3 == len({campaign_key(it).text for it in senders})


def test_email_without_a_known_sender_is_no_copy_of_another() -> None:
    nothing = read_detection({"final_disposition": "MALICIOUS"})
    unknown = [escalated(id=EmailId(f"4Njp3P0STMz2c0{n}Q"), detection=nothing, details=None) for n in range(2)]
    assert 2 == len({campaign_key(it).text for it in unknown})


def test_fingerprint_comes_from_the_details_or_the_feed() -> None:
    from_details = escalated(details=details(edf_hash="0f1e"))
    from_feed = escalated(details=None, feed=FeedFacts("minute", edf_hash="0f1e"))
    assert campaign_key(from_details).similar == campaign_key(from_feed).similar != ""
    assert "" == campaign_key(escalated(details=details())).similar


def test_account_is_part_of_the_id() -> None:
    one, other = mail(), escalated(account_id="f" * 32, details=mail().details, detection=mail().detection)
    assert campaign_key(one).text != campaign_key(other).text
