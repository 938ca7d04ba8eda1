"""A link is cut at its ends, never within its host."""

import pytest

from functions.alert.links import shown_link

HOST = "login.evil.example"
LONG: dict[str, str] = {
    "path": f"https://{HOST}/{'a' * 500}",
    "user name": f"https://{'www.bank.example' * 50}@{HOST}/x",
    "port and query": f"https://{HOST}:8443/?{'q=1&' * 200}",
}


@pytest.mark.parametrize("href", LONG.values(), ids=LONG)
def test_host_of_a_long_link_stays_whole(href: str) -> None:
    shown = shown_link(href, 100)
    assert ("login[.]evil[.]example" in shown, "…" in shown, len(shown) <= 110) == (True, True, True)


def test_short_link_is_unchanged_but_defanged() -> None:
    assert "hxxps[://]login[.]evil[.]example/a" == shown_link(f"https://{HOST}/a", 100)
