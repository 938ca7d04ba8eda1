"""What an alert says of itself if it is not new: an operator has published it as a test, or again."""

import textwrap
from enum import StrEnum

from functions.alert.email_text import COLUMNS


class Notice(StrEnum):
    """Its value begins the subject, in brackets."""

    TEST = "TEST"
    """No email exists. Nothing is recorded."""
    REPEAT = "REPEAT"
    """The alert is recorded, and was published before."""

    @property
    def sentence(self) -> str:
        """What a reader has to know, in printable ASCII."""
        return _SENTENCES[self]


_SENTENCES = {
    Notice.TEST: "This is a test alert. An operator has sent it to check that alerts arrive. There is no such email, and"
    " no record of it. Take no action. What follows has the form of a real alert.",
    Notice.REPEAT: "This is a repeat. An operator has published a recorded alert again. What follows is what the record"
    " says. Where the email is now can be different.",
}
TEST_ACTIVITY = "Test"
"""The attribute `activity` of a test, so that a filter by Create, Update or Close leaves tests out."""


def prefix(notice: Notice | None) -> str:
    """What begins a subject or a title; empty for an ordinary alert."""
    return f"[{notice}] " if notice else ""


def paragraph(notice: Notice | None) -> str:
    """What begins the text of an e-mail; empty for an ordinary alert."""
    return f"{textwrap.fill(f'{notice}: {notice.sentence}', COLUMNS)}\n\n" if notice else ""
