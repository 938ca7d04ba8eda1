"""The judgement: is a disposition one to wake somebody for? Change a rule here."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from functions.cloudflare.contract import DISPOSITIONS, FAMILIES
from functions.escalate.outcome import Reason

ESCALATE_BY_DEFAULT = frozenset({"MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"})

_UNSAFE = re.compile(r"[^A-Z0-9-]")
_LONGEST = 40
"""A disposition becomes part of a key, of a subject line and of a message attribute."""


class UnknownDisposition(Exception):
    """A disposition that is neither documented nor of a known family: a human has to look."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """escalate: whether to alert. disposition: in upper case; None where Cloudflare gave none. reason: by which rule."""

    escalate: bool
    disposition: str | None
    reason: Reason


def judge(final_disposition: str | None, escalate_on: AbstractSet[str]) -> Verdict:
    """Decide by the final disposition, without regard to case.

    escalate_on: dispositions in upper case, out of DISPOSITIONS.
    Raises UnknownDisposition; its text has the JSON path and not the value.
    """
    if final_disposition is None:
        return Verdict(False, None, Reason.DISPOSITION_NOT_GIVEN)
    disposition = final_disposition.upper()
    if disposition in escalate_on:
        return Verdict(True, disposition, Reason.DISPOSITION_LISTED)
    if disposition in DISPOSITIONS:
        return Verdict(False, disposition, Reason.DISPOSITION_BELOW_THE_LINE)
    if disposition.startswith(FAMILIES):  # MALICIOUS-BEC was a new word once, too
        return Verdict(True, _UNSAFE.sub("-", disposition)[:_LONGEST], Reason.DISPOSITION_FAMILY)
    raise UnknownDisposition("$.final_disposition: not a known value, and of no known family")
