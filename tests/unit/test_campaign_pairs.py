"""Pairs of emails, judged by an analyst who had not seen the key: whether the second one deserves another page.

A third of the pairs is held out: the key was not changed for them.
"""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.campaign import Campaign, place
from functions.domain.campaign_key import campaign_key
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.record import CampaignRole, Record
from tests.unit.examples import NOON, RESULT, details, escalated

PAIRS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "cases/campaign_pairs.json").read_text("utf-8"))
LEAST_RECALL = 0.85
"""Of the copies that an analyst would not want to be paged for."""


def record(mail: dict[str, Any], number: int) -> Record:
    """The record of an email of a pair."""
    known = details(
        id=None,
        subject=mail["subject"],
        replyto=mail["reply_to"],
        client_recipients=mail["recipients"],
        envelope_to=[],
        to=mail["recipients"],
        envelope_from=None,
        from_name=None,
        **{"from": mail["from"]},
    )
    found = RESULT | {
        "links": [{"href": f"https://{host}/x"} for host in mail["link_hosts"]],
        "attachments": [{"size": 1, "name": "a", "sha256": it} for it in mail["attachment_sha256"]],
        "threat_categories": [{"id": number, "name": name} for number, name in enumerate(mail["categories"])],
    }
    return escalated(id=EmailId(f"4Njp3P0STMz2c{number:03}"), detection=read_detection(found), details=known)


def is_member(pair: dict[str, Any]) -> bool:
    """Whether people are not notified of the second email after the first one."""
    one, other = record(pair["one"], 1), record(pair["other"], 2)
    keys = campaign_key(one), campaign_key(other)
    if keys[0].text != keys[1].text:
        return False
    terms = {"gap": timedelta(hours=1), "lease": timedelta(seconds=65)}
    _, page = place(Campaign(keys[0].text), one, keys[0], now=NOON, **terms)
    assert page
    paged = replace(page.campaign, paged_at=NOON, pages={})
    found, _ = place(paged, other, keys[1], now=NOON + timedelta(minutes=1), **terms)
    return found.role is CampaignRole.MEMBER


@pytest.mark.parametrize("pair", [it for it in PAIRS if not it["copies"]], ids=lambda it: it["name"])
def test_other_attack_notifies_people(pair: dict[str, Any]) -> None:
    """A false merge would hide an attack. A miss is only one page more."""
    assert not is_member(pair), pair["why"]


@pytest.mark.parametrize("held_out", [False, True])
def test_most_copies_notify_no_one(*, held_out: bool) -> None:
    found = Counter(is_member(it) for it in PAIRS if it["copies"] and bool(it.get("held_out")) is held_out)
    assert found[True] / found.total() >= LEAST_RECALL
