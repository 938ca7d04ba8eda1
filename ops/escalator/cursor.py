"""Where an answer was left, as text that an operator can hand back."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from ops.escalator.question import Question
from ops.escalator.span import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotACursor(ValueError):
    """A text that no answer has given, or that another question's has; says which."""


@dataclass(frozen=True, slots=True)
class Position:
    """A record's place in every answer that has it: when it was decided, and its key."""

    decided_at: str
    about: str
    entry: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last place that was read.

    span: of the question. `24h` means another span an hour later, and would lose what lies between.
    asked: a mark of what else was asked, so that no other question goes on from here.
    """

    span: Span
    asked: str
    position: Position

    @classmethod
    def after(cls, position: Position, question: Question) -> Self:
        """Where to go on with a question."""
        return cls(question.span, _mark(question), position)

    def question(self, asked_again: Question) -> Question:
        """The question that it belongs to, where that asks for the same values. Raises NotACursor."""
        if self.asked != _mark(asked_again):
            raise NotACursor("belongs to another question: repeat the options that it came with")
        return Question(self.span, asked_again.facets)

    def __str__(self) -> str:
        place, times = self.position, [_milliseconds(it) for it in (self.span.since, self.span.until)]
        parts = [*times, self.asked, place.decided_at, place.about, place.entry]
        return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode("ascii").rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """The cursor that a text is. Raises NotACursor."""
        try:
            parts = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
            since, until, asked, decided_at, about, entry = parts
            span = Span(*(_EPOCH + timedelta(milliseconds=it) for it in (since, until)))
            inside = span.first <= decided_at <= span.last and all(isinstance(it, str) for it in (asked, about, entry))
        except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as exc:
            raise NotACursor("is none: give it as it was printed") from exc
        if not inside:
            raise NotACursor("is none: give it as it was printed")
        return cls(span, asked, Position(decided_at, about, entry))


def _milliseconds(at: datetime) -> int:
    """Since 1970; a part of one counts as whole, as it does in the span."""
    return -((_EPOCH - at) // timedelta(milliseconds=1))


def _mark(question: Question) -> str:
    return hashlib.sha256(json.dumps(sorted(question.facets.items())).encode()).hexdigest()[:8]
