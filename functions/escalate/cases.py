"""A message on its way through the phases: what is known of it after each.

Message -> Request -> Detected -> Escalating or Dismissed -> Escalating -> Published
and from any of these -> Settled
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from functions.cloudflare.found import Found
from functions.cloudflare.message_id import MessageId
from functions.escalate.message import Message
from functions.escalate.outcome import Settled
from functions.ledger.record import Record

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Request:
    """A message, and the mail that it asks about."""

    message: Message
    id: MessageId


@dataclass(frozen=True, slots=True)
class Detected:
    """A request, and what Cloudflare answered to it."""

    request: Request
    found: Found
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Escalating:
    """A request whose mail is to be told of, with the record that says what: an alert, or that one is closed."""

    request: Request
    record: Record


@dataclass(frozen=True, slots=True)
class Dismissed:
    """A request whose mail is below the line. settled: how it ends, unless somebody was told of the mail before."""

    request: Request
    record: Record
    settled: Settled


@dataclass(frozen=True, slots=True)
class Published:
    """An escalation whose alert SNS has taken; without an SNS message id where there is no topic."""

    escalating: Escalating
    sns_message_id: str | None


def advance(cases: Sequence[A | Settled], phase: Callable[[list[A]], Sequence[B | Settled]]) -> list[B | Settled]:
    """All cases, in order, those that are still open a phase further. A phase with nothing to do is not entered."""
    open_cases = [case for case in cases if not isinstance(case, Settled)]
    moved = iter(phase(open_cases) if open_cases else ())
    return [case if isinstance(case, Settled) else next(moved) for case in cases]
