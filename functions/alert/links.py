"""Links as a reader sees them: one for each host, with its host whole."""

from collections.abc import Sequence

from functions.alert.sanitize import defanged
from functions.domain.detection import Link
from functions.domain.hosts import raw_host
from functions.domain.indicators import IndicatorKind, canonical

_LONGEST_HOST = 260
"""Characters. DNS allows 253."""
_NO_LIMIT = 10_000


def by_host(links: Sequence[Link]) -> list[list[Link]]:
    """The links in groups with the same host, in the order in which the hosts first occur."""
    groups: dict[str, list[Link]] = {}
    for link in links:
        href = link.href or ""
        groups.setdefault(canonical(IndicatorKind.HOST, href) or href, []).append(link)
    return list(groups.values())


def shown_link(href: str, limit: int) -> str:
    """A link, defanged. A long one is cut at its ends, so that its host stays whole.

    The result is longer than `limit` only if the host is.
    """
    shown = defanged(href, limit)
    if not shown.endswith("…"):
        return shown
    host = raw_host(href)[:_LONGEST_HOST]
    start = href.find(host) if host else -1
    if start < 0:
        return shown
    lead = href[:start] if start <= len("https://") else f"{href.partition(':')[0][:10]}://…@"
    rest = href[start + len(host) :]
    # Defanged as a whole: where a link is, depends on what stands beside it.
    for room in (limit, limit // 2, limit // 4, 0):
        shown = defanged(f"{lead}{host}{rest[:room]}…", _NO_LIMIT)
        if len(shown) <= limit:
            break
    return shown
