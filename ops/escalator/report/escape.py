"""Escape text for HTML and for a script block. The result is ASCII, so that no encoding can misread it."""

import html
import json
from typing import Any

_SCRIPT_ESCAPES = str.maketrans({it: f"\\u{ord(it):04x}" for it in "<>&"})
"""Without these characters nothing can end the script block, or start a comment or another script in it."""


def escaped(text: str) -> str:
    """The text as HTML, for an element or for an attribute in quotes."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


def script_json(value: Any) -> str:
    r"""The value as JSON for a script block, with every character that is not plain ASCII as \uXXXX."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_SCRIPT_ESCAPES)
