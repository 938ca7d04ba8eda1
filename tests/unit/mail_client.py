"""What mail and chat clients make a link of in plain text, more readily than any single one of them does."""

import re

_LINKS = re.compile(
    r"""
      [a-z][a-z0-9+.-]*://[^\s]        # a URL
    | \b(?:https?|ftp|file|news|mailto):[^\s\[]  # without slashes, or with others: Thunderbird asks for none
    | [^\s@\[\]]@[^\s@\[\]]            # an address
    | \bwww\d?\.                       # a host that says what it is
    | [^\W_](?:\.[^\W_])*\.(?:[^\W\d_]{2,}|xn--)  # a bare domain
    | \b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b      # a bare address of the internet
    """,
    re.IGNORECASE | re.VERBOSE,
)


def links(text: str) -> list[str]:
    """All that would become a link."""
    return [match.group() for match in _LINKS.finditer(text)]
