"""Hosts of links, compared with Node's `URL`: the parser of a browser's engine, which knows nothing of ours."""

import json
import shutil
import subprocess
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from random import Random

import pytest

from functions.domain.indicators import (
    IndicatorKind,
    canonical,
)
from tests.strategies import HOST_LABELS
from tests.unit.test_indicators import HOSTS

HOST, DOMAIN, IP = IndicatorKind.HOST, IndicatorKind.DOMAIN, IndicatorKind.IP
ADDRESS, HASH, MESSAGE_ID = IndicatorKind.ADDRESS, IndicatorKind.HASH, IndicatorKind.MESSAGE_ID

NODE = """
const urls = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const host = url => { try { return new URL(url).hostname } catch { return null } };
process.stdout.write(JSON.stringify(urls.map(host)));
"""
SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    "{}.".format,
    "\u00ad".join,
    "\t\n".join,
    lambda it: it.replace(".", "。"),
    lambda it: it.replace(".", "%2E"),
    lambda it: it.replace("a", "%61").replace("x", "ｘ"),  # noqa: RUF001
    lambda it: "".join(f"%{byte:02X}" for byte in it.encode()),
]
SCHEMES = ["http", "https", "HTTPS", "ws", "ftp", "ht\ttps", " \x01https"]
SLASHES = ["://", "://", ":", ":/", ":///", ":\\\\", ":/\\/", ":\n//"]
USERS = ["", "", "", "bank.example@", "user:pass@", "a@b@", "%40@", "bank.example:443@"]
ENDS = ["", "/", ":8443/x", "\\@bank.example", "?@bank.example", "#@bank.example", "/https://x.example", ":/"]


def odd_url(random: Random) -> str:
    """A URL that a sender spells to mislead a reader or a parser."""
    number = random.choice(["{}", "0{:o}", "0x{:X}", "{}."])
    host = random.choice(
        [
            ".".join([*random.choices(HOST_LABELS, k=random.randint(1, 4)), "example"]),
            ".".join(random.choice(["{}", "0{:o}", "0x{:x}"]).format(random.randint(0, 260)) for _ in range(4)),
            number.format(random.randint(0, 2**32)),
            f"[{IPv6Address(random.getrandbits(128) >> random.choice([0, 64, 100])).exploded.upper()}]",
            f"[::ffff:{IPv4Address(random.getrandbits(32))}]",
            "".join(random.choices("abc.xyz-_~!$&'()*+,;=%25\u00ad。é", k=random.randint(1, 10))),
        ]
    )
    spelled = host if host.startswith("[") else random.choice(SPELLINGS)(host)
    return "".join(map(random.choice, (SCHEMES, SLASHES, USERS))) + spelled + random.choice(ENDS)


@pytest.mark.skipif(shutil.which("node") is None, reason="the oracle is Node's URL, and node is not installed")
def test_a_host_is_what_node_opens() -> None:
    """Node's URL is the WHATWG parser of a browser's engine. It knows nothing of ours."""
    random = Random(12)
    urls = [*(it for it in HOSTS if it.startswith(("http", "ftp"))), *(odd_url(random) for _ in range(5_000))]
    done = subprocess.run(
        ["node", "-e", NODE], input=json.dumps(urls), capture_output=True, text=True, check=True, timeout=60
    )
    opened = {url: host for url, host in zip(urls, json.loads(done.stdout), strict=True) if host}
    ours = {url: canonical(HOST, url) for url in opened}
    assert len(opened) > 3_000
    assert {} == {url: (host, ours[url]) for url, host in opened.items() if not _same(host, ours[url])}


def _same(node: str, ours: str) -> bool:
    """Ours has no brackets and no final dot, and an IPv4-mapped address is the IPv4 address that it reaches."""
    if node.startswith("["):
        ip = IPv6Address(node[1:-1])
        return ours == str(ip.ipv4_mapped or ip)
    return ours == (node if node.endswith("..") else node.removesuffix(".") or node)
