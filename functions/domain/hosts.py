"""Hosts and IP addresses, as a browser opens them: the WHATWG URL Standard.

The end of a link's authority is found here, because a link without a scheme or with a bad port still names a host.
`ada_url` reads the host itself. It is the parser of Node, in C++: percent-encoding, IDNA, IPv4 in octal and in hexadecimal.
The alternative, `idna` with rules of our own, takes longer to load and accepts hosts that no browser opens.
"""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import unquote

from ada_url import URL

from functions.domain.spelling import EDGES

LONGEST_NAME = 253
"""Characters of a host that DNS can resolve (RFC 1035)."""
LONGEST_HOST = 100_000
"""Characters of a host as it is spelled, with percent-encoding and invisible characters."""

_BREAKS = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*+):", re.IGNORECASE | re.ASCII)
_SPECIAL = frozenset({"http", "https", "ws", "wss", "ftp"})
"""Schemes whose slashes may be missing, or more than two (WHATWG URL Standard 4.4, special authority)."""
_HOSTLESS = frozenset({"mailto", "tel", "sms", "javascript", "data", "cid", "mid", "about", "blob", "callto", "urn"})
LONGEST_FILE_URL = 2_000
_PORT = re.compile(r"[0-9]{0,5}(?:[/\\?#]|$)")
_AUTHORITY = re.compile(r"[^/\\?#]*+")
_IGNORED = re.compile(
    "[\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060\u2064\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef]"
)
"""Characters that IDNA drops from a host (Unicode Technical Standard 46)."""


def raw_host(text: str) -> str:
    """The host as a link or a bare text spells it; empty if there is none."""
    text = text.translate(_BREAKS)
    if text.count(":") > 1 and ip(text):
        return text
    authority = _AUTHORITY.match(_after_scheme(text))
    host = authority[0].rpartition("@")[2] if authority else ""
    if host.startswith("["):
        return host[: host.find("]") + 1] or host
    return host.partition(":")[0].strip(EDGES)


def _after_scheme(text: str) -> str:
    """The text from its authority on."""
    found = _SCHEME.match(text)
    if not found:
        # One slash is a path on the site that it is read on; two are a link without a scheme.
        return "" if text[:1] in ("/", "\\") and text[1:2] not in ("/", "\\") else text.lstrip("/\\")
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme in _SPECIAL:
        return rest.lstrip("/\\")
    if scheme == "file":
        return _ada(f"file:{rest[:LONGEST_FILE_URL]}") or ""
    if scheme in _HOSTLESS:
        return ""
    if rest.startswith(("//", "\\\\")):
        return rest[2:]
    return text if "." in scheme or _PORT.match(rest) else ""


_PLAIN_NAME = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}", re.ASCII)
"""Most hosts. A browser opens them as they are written."""


def opened_host(raw: str) -> str | None:
    """The host that a browser opens; None if it opens none. An IPv6 address has no brackets."""
    if _PLAIN_NAME.fullmatch(raw) and "xn--" not in raw and len(raw) <= LONGEST_NAME:
        return raw
    if raw.startswith("[") or ":" in raw:
        return ip(raw)
    if not raw or len(raw) > LONGEST_HOST or len(_IGNORED.sub("", unquote(raw))) > LONGEST_NAME + 1:
        return None
    host = _ada(f"http://{raw}/")
    # DNS ignores one final dot. Two are no name, and stay: `0x7f..` must not become the IP address `0x7f`.
    return host.removesuffix(".") or host if host and not host.endswith("..") else host


def _ada(url: str) -> str | None:
    try:
        return URL(url).hostname or None
    except ValueError:
        return None


_IP_TEXT = re.compile(r"\[(?:ipv6:)?([^\[\]]++)\](?::\d{1,5})?|([\d.]++)(?::\d{1,5})?|([^\[\]]++)", re.IGNORECASE)
"""In brackets as in a URL or a mail (RFC 5321 4.1.3), with a port, or bare."""


def ip(text: str) -> str | None:
    """An IP address without brackets, port and zone; None if it is none."""
    if len(text) > 100 or (text[-1:].isalpha() and ":" not in text):
        return None
    found = _IP_TEXT.fullmatch(text)
    if not found:
        return None
    bare = found[1] or found[2] or found[3].lower().removeprefix("ipv6:")
    try:
        parsed = ip_address(bare.partition("%")[0] if ":" in bare else bare)  # an IPv4 address has no zone
    except ValueError:
        return None
    return str(parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else str(parsed)


_NUMERIC = re.compile(
    r"(?:(?:0x[0-9a-f]{1,8}|[0-9]{1,12})\.){3}(?:0x[0-9a-f]{1,8}|[0-9]{1,12})|0x[0-9a-f]{8}|[0-9]{8,12}", re.IGNORECASE
)


def ip_in_any_base(text: str) -> str | None:
    """An IP address, also in octal, in hexadecimal or as one number, as a browser reads it; None if it is none."""
    return ip(text) or (_ada(f"http://{text}/") if _NUMERIC.fullmatch(text) else None)
