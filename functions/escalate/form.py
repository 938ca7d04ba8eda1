"""An SNS request's form, encoded once.

botocore encodes the same form twice, to sign it and to send it, a byte at a time in Python. Ten alerts are a form of some
80 KB, in which every third character has to be written as three.
"""

from typing import TYPE_CHECKING
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest

_SHORT = 200
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")
_ESCAPES = [
    ("%", "%25"),  # before the others, which bring in more of it
    *((chr(code), f"%{code:02X}") for code in range(128) if chr(code) not in _UNRESERVED | {"%", " "}),
    (" ", "+"),
]


def encode(request: "AWSRequest", **_: object) -> None:
    """A handler for botocore's event `request-created`: a form that is still a dictionary becomes what is sent."""
    if isinstance(request.data, dict):
        request.data = "&".join(f"{name}={quoted(value)}" for name, value in request.data.items()).encode()


def quoted(text: str) -> str:
    """The same as `quote_plus`, by the kind of character instead of one after the other where that is faster."""
    if len(text) < _SHORT or not text.isascii():
        return quote_plus(text)
    for character, escape in _ESCAPES:
        if character in text:
            text = text.replace(character, escape)
    return text
