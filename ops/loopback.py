"""Traffic to this machine and a proxy: `HTTP_PROXY` is for the network, never for a server on loopback."""

from collections.abc import MutableMapping

_HOSTS = ("localhost", "127.0.0.1", "::1", "[::1]")
"""Python's own matching compares names, so it needs an IPv6 address as it is written in a URL, too."""
LISTS = ("no_proxy", "NO_PROXY")
"""The variables that name hosts without a proxy. Some clients read the one, some the other."""
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


def bypass_proxy(environ: MutableMapping[str, str], *hosts: str) -> None:
    """Add loopback and other hosts to the list of what no proxy is used for.

    Changes nothing where the environment names no proxy: on macOS the list alone would hide the system's proxy.
    """
    if _PROXIES.isdisjoint(name.lower() for name in environ):
        return
    listed = next((environ[name] for name in LISTS if environ.get(name)), "")
    if listed.strip() == "*":  # everything already; joined with a name it would mean nothing
        return
    names = [it for part in listed.split(",") if (it := part.strip())]
    names += [it for it in (*_HOSTS, *hosts) if it not in names]
    environ.update(dict.fromkeys(LISTS, ",".join(names)))
