"""The links of an email in the order of their weight: those that findings name, then the others.

Alerts show the first few links. A sender can put any number of harmless links before the one that Cloudflare found, and a
QR code is no link of the email at all.
"""

from functions.domain.detection import Detection, Link
from functions.domain.hosts import raw_host
from functions.domain.indicators import IndicatorKind, canonical
from functions.domain.mentions import mentioned, urls_in

MAX_COMPARED = 1_000
"""Links whose host is compared with those that findings name. The others keep their place."""
MAX_NAMED = 100
MAX_TEXT = 100_000
"""Characters of all findings that are read."""


def ordered_links(detection: Detection) -> list[Link]:
    """The links of an email, and before them the URLs that findings name, each with its visible text if it is a link.

    Links to a host that a finding names come next.
    """
    urls, hosts = _named(detection)
    if not hosts:
        return [*detection.links]
    texts = {link.href: link for link in reversed(detection.links)}
    named = [texts.get(url) or Link(url, None) for url in urls]
    others = [link for link in detection.links if link.href not in urls]
    same = [it for it in others[:MAX_COMPARED] if it.href and canonical(IndicatorKind.HOST, it.href) in hosts]
    chosen = set(map(id, same))
    return [*named, *same, *(it for it in others if id(it) not in chosen)]


def host_shown(link: Link) -> str:
    """The host that a browser opens for a link; empty if there is none, or if its end was cut."""
    href = link.href or ""
    return "" if raw_host(href).endswith("\u2026") else canonical(IndicatorKind.HOST, href)


def _named(detection: Detection) -> tuple[dict[str, None], set[str]]:
    """The URLs that findings name, and all hosts that they name."""
    urls: dict[str, None] = {}
    hosts: set[str] = set()
    left = MAX_TEXT
    values = (finding.value for finding in detection.findings)
    others = (text for it in detection.findings for text in (it.detail, it.reason, it.portion, it.name))
    for text in (*values, *others):
        if not text or left < 0 or len(urls) >= MAX_NAMED:
            continue
        left -= len(text)
        found = [it.value for it in mentioned(text) if it.kind in {IndicatorKind.HOST, IndicatorKind.DOMAIN}]
        if found:
            hosts.update(found)
            urls |= dict.fromkeys(urls_in(text))
    return urls, hosts
