"""Exclude loopback from `HTTP_PROXY`, which is meant for the network only."""

from collections.abc import MutableMapping

_HOSTS = ("localhost", "127.0.0.1", "::1", "[::1]")
"""Python compares host names as text, so the list also has the IPv6 address with the brackets of a URL."""
LISTS = ("no_proxy", "NO_PROXY")
"""Variables with the hosts that bypass the proxy. Clients differ in which one they read."""
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


def bypass_proxy(environ: MutableMapping[str, str], *hosts: str) -> None:
    """Add loopback and other hosts to the hosts that bypass the proxy.

    Changes nothing if the environment has no proxy: on macOS, the list alone would hide the system's proxy.
    """
    if _PROXIES.isdisjoint(name.lower() for name in environ):
        return
    listed = next((environ[name] for name in LISTS if environ.get(name)), "")
    if listed.strip() == "*":  # already all hosts; in a list with names, "*" has no effect
        return
    names = [it for part in listed.split(",") if (it := part.strip())]
    names += [it for it in (*_HOSTS, *hosts) if it not in names]
    environ.update(dict.fromkeys(LISTS, ",".join(names)))
