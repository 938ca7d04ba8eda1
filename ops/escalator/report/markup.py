"""Text on its way into HTML and into a script block. What comes out is ASCII, so that no encoding can misread it."""

import html
import json
from typing import Any

_IN_A_SCRIPT = str.maketrans({it: f"\\u{ord(it):04x}" for it in "<>&"})
"""Without these nothing in a script block can end it, or begin a comment or another script in it."""


def escaped(text: str) -> str:
    """The text as HTML, in an element or in an attribute within quotes."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


def script_json(value: Any) -> str:
    r"""The value as JSON for a script block, every other character than plain ASCII as \uXXXX."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_IN_A_SCRIPT)
