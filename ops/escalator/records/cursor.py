"""A cursor: where a result stopped, as text that an operator can pass back."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from ops.escalator.records.query import RecordQuery
from ops.escalator.records.stored_record import Position
from ops.escalator.records.time_range import TimeRange

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class InvalidCursor(ValueError):
    """A text that is not a cursor, or that belongs to another query. The message says which."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last position that was read.

    time_range: of the query. `24h` means another range an hour later, and would skip the records in between.
    query_hash: of the query's values, so that no other query continues from here.
    """

    time_range: TimeRange
    query_hash: str
    position: Position

    @classmethod
    def after(cls, position: Position, query: RecordQuery) -> Self:
        """A cursor that continues a query after this position."""
        return cls(query.time_range, _hash(query), position)

    def resume(self, query: RecordQuery) -> RecordQuery:
        """The query to continue: the same values, in the cursor's time range. Raises InvalidCursor."""
        if self.query_hash != _hash(query):
            raise InvalidCursor("belongs to another query: repeat the options that it came with")
        return RecordQuery(self.time_range, query.values)

    def __str__(self) -> str:
        at, times = self.position, [_milliseconds(it) for it in (self.time_range.since, self.time_range.until)]
        parts = [*times, self.query_hash, at.decided_at, at.pk, at.sk]
        return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode("ascii").rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a cursor from its text. Raises InvalidCursor."""
        try:
            parts = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
            since, until, query_hash, decided_at, pk, sk = parts
            time_range = TimeRange(*(_EPOCH + timedelta(milliseconds=it) for it in (since, until)))
            in_range = time_range.first <= decided_at <= time_range.last
            valid = in_range and all(isinstance(it, str) for it in (query_hash, pk, sk))
        except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as exc:
            raise InvalidCursor("is not valid: pass it exactly as printed") from exc
        if not valid:
            raise InvalidCursor("is not valid: pass it exactly as printed")
        return cls(time_range, query_hash, Position(decided_at, pk, sk))


def _milliseconds(at: datetime) -> int:
    """Milliseconds since 1970, rounded up, as the time range rounds."""
    return -((_EPOCH - at) // timedelta(milliseconds=1))


def _hash(query: RecordQuery) -> str:
    return hashlib.sha256(json.dumps(sorted(query.values.items())).encode()).hexdigest()[:8]
