"""ops/loopback.py: hosts that bypass the proxy, for all variables that set one."""

from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import pytest

from ops.loopback import bypass_proxy

PROXY = "http://127.0.0.1:9"


def lists(**environ: str) -> tuple[str | None, str | None]:
    """Return both lists after the call."""
    bypass_proxy(environ, "172.17.0.1")
    return environ.get("no_proxy"), environ.get("NO_PROXY")


@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.1:4566", "[::1]:80", "172.17.0.1:80"])
def test_loopback_bypasses_any_proxy(proxy: str, host: str) -> None:
    environ = {proxy: PROXY}
    bypass_proxy(environ, "172.17.0.1")
    assert proxy_bypass_environment(host, {"no": environ["no_proxy"]})
    assert not proxy_bypass_environment("example.com", {"no": environ["no_proxy"]})


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_listed_hosts_stay_listed(name: str) -> None:
    expected = "intern.example,localhost,127.0.0.1,::1,[::1],172.17.0.1"
    assert (expected, expected) == lists(HTTP_PROXY=PROXY, **{name: "intern.example, localhost"})


def test_list_of_all_hosts_does_not_change() -> None:
    assert ("*", None) == lists(HTTP_PROXY=PROXY, no_proxy="*")


def test_nothing_changes_without_a_proxy() -> None:
    assert (None, None) == lists(PATH="/bin")


def test_second_call_changes_nothing() -> None:
    environ = {"HTTP_PROXY": PROXY}
    bypass_proxy(environ)
    before = dict(environ)
    bypass_proxy(environ)
    assert before == environ
