"""Find text that any email or chat client turns into a link."""

import re

_LINKS = re.compile(
    r"""
      [a-z][a-z0-9+.-]*://[^\s]        # a URL
    | \b(?:https?|ftp|file|news|mailto):[^\s\[]  # without slashes or with backslashes: Thunderbird requires none
    | [^\s@\[\]]@[^\s@\[\]]            # an address
    | \bwww\d?\.                       # a host that begins with www
    | [^\W_](?:\.[^\W_])*\.(?:[^\W\d_]{2,}|xn--)  # a bare domain
    | \b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b      # a bare IP address
    """,
    re.IGNORECASE | re.VERBOSE,
)


def links(text: str) -> list[str]:
    """Return every part of the text that would become a link."""
    return [match.group() for match in _LINKS.finditer(text)]
