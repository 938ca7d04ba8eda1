"""The three forms of the id that Cloudflare gives an email.

    postfix_id      4Njp3P0STMz2c02Q
    alert_id        4Njp3P0STMz2c02Q-2024-01-05T10:00:00
    investigate_id  4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678

`alert_id` here is Cloudflare's alert id. The id of our alert (Record.alert_id) has 32 hexadecimal digits.

The pattern is also in schemas/request.schema.json; a test compares the two.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

PATTERN = r"^[0-9A-Za-z]{8,64}(-[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(-[0-9]{1,20})?)?$(?!\n)"
"""A postfix id, then at most the time of Cloudflare's alert id and the number of an investigate id."""
_PATTERN = re.compile(PATTERN)
_REUSED = re.compile(r"[0-9A-F]{8,13}")
"""Short Postfix ids are microseconds and an inode in hexadecimal digits, which can be the same for a later email. Long ids
have the full time in them."""
_TIME = len("YYYY-MM-DDTHH:MM:SS")
_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_LONG = re.compile(rf"([{_DIGITS}]{{6}})[{_DIGITS}]{{4,5}}z[{_DIGITS[:-1]}]+")
"""A long Postfix id: seconds and microseconds in base 52, `z`, and an inode in base 51. Source: Postfix, mail_queue.h."""


class IdKind(StrEnum):
    """The forms of an id, the shortest first."""

    POSTFIX = "postfix_id"
    ALERT = "alert_id"
    INVESTIGATE = "investigate_id"


@dataclass(frozen=True, slots=True)
class EmailId:
    """An id as it was given. It has passed the pattern, so that it can be taken apart by position."""

    value: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The id that a text is, or None where it is none."""
        return cls(text) if _PATTERN.search(text) else None

    @property
    def postfix_id(self) -> str:
        """The part that all three forms share."""
        return self.value.partition("-")[0]

    @property
    def email(self) -> str:
        """The part that identifies the email in all three forms: the postfix id, and `@` and the date of a short one.

        A short postfix id alone has no date. It identifies another email than the longer forms do.
        """
        date = self.value.partition("-")[2][: len("YYYY-MM-DD")]
        return f"{self.postfix_id}@{date}" if date and _REUSED.fullmatch(self.postfix_id) else self.postfix_id

    @property
    def time(self) -> datetime | None:
        """The time in the id, if it has one: that of an alert id, else that of a long Postfix id."""
        named = self.value.partition("-")[2][:_TIME]
        try:
            if named:
                return datetime.fromisoformat(named).replace(tzinfo=UTC)
            long = _LONG.fullmatch(self.postfix_id)
            return datetime.fromtimestamp(_number(long[1]), UTC) if long else None
        except (ValueError, OverflowError):  # 31 February, or the year 600
            return None

    @property
    def kind(self) -> IdKind:
        """Which of the three forms this is."""
        suffix = self.value.partition("-")[2]
        if not suffix:
            return IdKind.POSTFIX
        return IdKind.ALERT if len(suffix) == _TIME else IdKind.INVESTIGATE

    def __str__(self) -> str:
        return self.value


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number
