"""Mail addresses in a header (RFC 5322, with the obsolete forms that senders use).

A local part is compared without case. RFC 5321 lets a server distinguish case; the large providers do not, and a search
for `ann@corp.example` must find `Ann@corp.example`.
"""

import re

from functions.domain.hosts import ip, opened_host, raw_host
from functions.domain.spelling import EDGES, INVISIBLE, LONGEST, clean

LONGEST_HEADER = 100_000
"""Characters of a header that are read. RFC 5322 allows 998 in a line."""
_SPECIALS = r"\s<>()\[\],;:\"@"
_ADDRESS = re.compile(
    rf"(?<![^{_SPECIALS}])([^{_SPECIALS}]++)@(\[[^\[\]\s<>@]{{1,80}}+\]|[^{_SPECIALS}?]++)",
)
"""Starts only where a word starts: otherwise each letter of a long word is tried in turn."""
_PLAIN_ADDRESS = re.compile(r"[a-z0-9][a-z0-9._+=-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,3}[a-z]{2,50}", re.ASCII)
"""Most addresses, in their canonical form."""
_ANGLE = re.compile(r"<([^<>]*+)>")
_PLAIN_DOMAIN = re.compile(rf"[^{_SPECIALS}?]+")
_WITH_QUOTES = re.compile(r'"(?:[^"\\]++|\\.)*+"|\\.|[()]|[^"\\()]++|.', re.DOTALL)
_WITHOUT_QUOTES = re.compile(r"\\.|[()]|[^\\()]++|.", re.DOTALL)
_HIDE = {ord(it): 0xF0000 + ord(it) for it in ' \t\r\n\v\f<>()[],;:"@\\'}
_SHOW = {hidden: shown for shown, hidden in _HIDE.items()}
_SPELLED = INVISIBLE | {0xFF20: "@", 0xFE6B: "@"}
"""A local part is compared without what a reader cannot see. Mail clients take wide at signs for the ASCII one."""
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def addresses(header: str) -> tuple[str, ...]:
    """The canonical addresses of a header, each once: of a list, of groups, with or without names.

    `email.utils` follows the nesting of comments by recursion, and a sender can nest deeper than the stack.
    Encoded words are not decoded.
    """
    text = clean(header)[:LONGEST_HEADER]
    if _PLAIN_ADDRESS.fullmatch(text) and "xn--" not in text:
        return (text,)
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_SPELLED)
    text = _without_names(text)
    found: list[str] = []
    end = 0
    for angle in _ANGLE.finditer(text):
        before = text[end : angle.start()]
        inside = _bare(angle[1])[-1:]  # an obsolete route stands before it: <@relay.example:ann@corp.example>
        name = max(before.rfind(it) for it in ",;:") + 1 if inside else len(before)
        found += _bare(before[:name]) + inside
        end = angle.end()
    return tuple(dict.fromkeys(found + _bare(text[end:])))


def _bare(text: str) -> list[str]:
    return [it for it in (_address(*pair) for pair in dict.fromkeys(_ADDRESS.findall(text))) if it]


def _address(local: str, domain: str) -> str | None:
    local = local.strip(EDGES)
    if local[:1] == "'" and domain[-1] == "'":
        local, domain = local[1:].strip(EDGES), domain[:-1]
    host = opened_host(raw_host(domain)) or ""
    if ip(host):
        host = f"[{host}]"
    elif not _PLAIN_DOMAIN.fullmatch(host):
        return None
    name = local.translate(_SHOW).lower()
    if name != local.lower():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        name = f'"{escaped}"'
    address = f"{name}@{host}"
    return address if local and len(address) <= LONGEST else None


def _without_names(text: str) -> str:
    """The text without comments and quoted names. The special characters of a quoted local part are hidden."""
    if not any(it in text for it in '"(\\'):
        return text
    kept: list[str] = []
    at, depth, quotes, comments = 0, 0, True, True
    opened, kept_before = 0, 0
    while at < len(text):
        outside = quotes and not depth
        piece = (_WITH_QUOTES if outside else _WITHOUT_QUOTES).match(text, at)[0]  # type: ignore[index]  # always matches
        at += len(piece)
        if piece == "(" and comments:
            if not depth:
                opened, kept_before = at, len(kept)
                kept.append(" ")
            depth += 1
        elif depth:
            depth -= piece == ")"
        elif outside and piece == '"':  # it is never closed, and is not looked for again
            quotes = False
        elif outside and piece[0] == '"':
            kept.append(_quoted(piece) if text[at : at + 1] == "@" else " ")
        else:
            kept.append(piece)
        if at == len(text) and depth:  # never closed: what follows it is no comment
            at, depth, comments = opened, 0, False
            del kept[kept_before:]
    return "".join(kept)


def _quoted(piece: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", piece[1:-1]).translate(_HIDE)
