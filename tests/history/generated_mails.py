"""Generated emails, and what a search must find in each: the oracle for hosts is Node's `URL`.

Each email has indicators in the spellings of senders, mail clients and scanners, in every field of Cloudflare's answers
that can hold one, with decoys before and after them.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from hypothesis import strategies as st

from tests.strategies import HOST_LABELS

NODE = """
require('readline').createInterface({input: process.stdin}).on('line', line => {
  let host = null;
  try { host = new URL(JSON.parse(line)).hostname } catch { }
  process.stdout.write(JSON.stringify(host) + '\\n');
});
"""
HAS_NODE = shutil.which("node") is not None


@dataclass(frozen=True, slots=True)
class Browser:
    """Says which host a browser opens: Node's URL is a parser of its own and knows nothing of ours."""

    process: "subprocess.Popen[str]"

    def host(self, url: str) -> str | None:
        """The host of a URL; None if no browser opens it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(url) + "\n")
        self.process.stdin.flush()
        host: str | None = json.loads(self.process.stdout.readline())
        return host or None


@contextmanager
def browser() -> Iterator[Browser]:
    """Node, answering line by line."""
    with subprocess.Popen(["node", "-e", NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Browser(process)
        assert process.stdin
        process.stdin.close()


@dataclass(frozen=True, slots=True)
class Planted:
    """One indicator. option: the value that finds it. written: as the email has it. opened: a URL that Node reads."""

    option: str
    written: str
    canonical: str
    """As the oracle of its kind says; for a host empty, because Node says it."""
    opened: str = ""
    asked_as_written: bool = True
    """Whether what the email has is this indicator alone, so that an analyst can paste it."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Cloudflare's answers about one email."""

    detection: dict[str, Any]
    details: dict[str, Any]
    planted: list[Planted]


# --- hosts ------------------------------------------------------------------------------------------------------------

ODD_LABELS = ["hxxp", "hxxps-login", "a(.)b", "dot", "at", "(at)", "x{dot}y", "com", "0x7g"]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "final dot": "{}.".format,
    "soft hyphens": "\u00ad".join,
    "zero width": lambda it: it[:2] + "\u200b" + it[2:],
    "ideographic": lambda it: it.replace(".", "。"),
    "full width": lambda it: it.replace(".", "．").replace("x", "ｘ"),  # noqa: RUF001
    "half width": lambda it: it.replace(".", "｡"),
    "encoded": lambda it: "".join(f"%{byte:02X}" for byte in it.encode()),
    "encoded dots": lambda it: it.replace(".", "%2E"),
}
WITH_BREAKS: dict[str, Callable[[str], str]] = {
    "line breaks": "\t\n".join,
    "carriage return": lambda it: it[:3] + "\r\n" + it[3:],
}
SCHEMES = ["http", "https", "HTTPS", "hTTp", "ws", "ftp"]
SLASHES = ["://", "://", ":", ":/", ":///", ":\\\\", ":/\\/"]
USERS = ["", "", "", "bank.example@", "user:pass@", "a@b@", "%40@", "bank.example:443@", "a,b(c;d@", "'x'@", "~!$&@"]
ENDS = ["", "/", ":8443/x", "\\@bank.example", "?@bank.example", "#@bank.example", "/a,b", ":/", "/?x=(1)"]
SENTENCES = [
    "{}",
    "QR code leads to {} in the body",
    "link: {}",
    "url={}",
    '{{"url": "{}"}}',
    "[<{}>]",
    "QR:{}",
    "1{} !",
]

_labels = st.text("abcxyz0189", min_size=1, max_size=12) | st.sampled_from(HOST_LABELS) | st.sampled_from(ODD_LABELS)
_names = st.tuples(st.lists(_labels, min_size=1, max_size=4), st.sampled_from(["example", "test", "भारत"])).map(
    lambda it: ".".join([*it[0], it[1]])
)
_octets = st.tuples(*[st.integers(0, 255)] * 4)
_ipv4 = st.integers(2**24, 2**32 - 1).map(IPv4Address)
_ipv6 = st.builds(lambda it, shift: IPv6Address(it >> shift), st.integers(0, 2**128 - 1), st.sampled_from([0, 64, 90]))
_numeric = st.one_of(
    _ipv4.map(lambda it: str(int(it))),
    _ipv4.map(lambda it: f"0x{int(it):X}"),
    _ipv4.map(lambda it: f"0{int(it):o}"),
    _octets.map(lambda it: ".".join(f"0{octet:o}" for octet in it)),
    _octets.map(lambda it: ".".join(f"0x{octet:02x}" for octet in it)),
    _octets.map(lambda it: f"{it[0]}.{it[1] * 65536 + it[2]}"),
)
_ip_literals = st.one_of(
    _ipv6.map(lambda it: f"[{it.exploded.upper()}]"),
    _ipv6.map(lambda it: f"[{it}]"),
    _ipv4.map(lambda it: f"[::ffff:{it}]"),
    _ipv4.map(str),
    _numeric,
)


@st.composite
def urls(draw: st.DrawFn, *, in_text: bool = False) -> Planted:
    """A URL that misleads a reader or a parser. in_text: it is part of a sentence."""
    spellings = SPELLINGS if in_text else SPELLINGS | WITH_BREAKS
    host = draw(_ip_literals | _names.map(lambda it: it))
    if host[0] != "[":
        host = spellings[draw(st.sampled_from([*spellings]))](host)
    end = draw(st.sampled_from(ENDS))
    if not in_text and draw(st.booleans()) and host[0] != "[":
        # No scheme: what a mail client links by itself.
        prefix = draw(st.sampled_from(["", "", "//", "\\\\"]))
        return Planted("link_host", prefix + host + end, "", f"http://{host}{end}")
    user = draw(st.sampled_from(USERS))
    url = draw(st.sampled_from(SCHEMES)) + draw(st.sampled_from(SLASHES)) + user + host + end
    return Planted("link_host", url, "", url)


# --- addresses, IP addresses, hashes, Message-IDs ---------------------------------------------------------------------

_locals = st.text("abcXYZ019.+-_=!#", min_size=1, max_size=20) | st.sampled_from(
    ["O'Neil", "hxxp", "jörg", "dot", "x{y"]
)
ADDRESS_FORMS = {
    "{}": True,
    "<{}>": True,
    "Ann Lee <{}>": True,
    '"Lee, Ann" <{}>': True,
    '"boss@decoy.example" <{}>': True,
    "boss@decoy.example <{}>": True,
    "{} (Ann (from work) x@decoy.example)": True,
    "=?utf-8?q?Ann?= <{}>": True,
    " \t{}\r\n": True,
    "{}.": True,
    "Team: first@decoy.example, {};": False,
    "first@decoy.example, Ann <{}>": False,
    "<{}>, last@decoy.example": False,
}


@st.composite
def addresses(draw: st.DrawFn, option: str) -> Planted:
    """An address as a header or Cloudflare's details have it."""
    local, domain = (
        draw(_locals),
        ".".join([draw(st.sampled_from(["evil", "bücher", "EVIL", "xn--bcher-kva"])), "test"]),
    )
    form = draw(st.sampled_from([*ADDRESS_FORMS]))
    ascii_domain = "xn--bcher-kva.test" if domain == "bücher.test" else domain.lower()
    return Planted(option, form.format(f"{local}@{domain}"), f"{local.lower()}@{ascii_domain}", "", ADDRESS_FORMS[form])


@st.composite
def ips(draw: st.DrawFn) -> Planted:
    """An IP address of a sender."""
    if draw(st.booleans()):
        four = draw(_ipv4)
        form = draw(st.sampled_from(["{}", "[{}]", "{}:25", "::ffff:{}", "[IPv6:::FFFF:{}]", " {}\n"]))
        return Planted("sender_ip", form.format(four), str(four))
    six = draw(_ipv6.filter(lambda it: it.ipv4_mapped is None))
    written = draw(st.sampled_from([str(six), six.exploded, six.exploded.upper(), f"[{six}]:25", f"{six}%eth0"]))
    return Planted("sender_ip", written, str(six))


HASH_FORMS = ["{}", "sha256:{}", "SHA-256 = {}", "MD5: {}", "sha1={}", "hash:{}", " {} \n", "{}  invoice.pdf", "0x{}"]


@st.composite
def hashes(draw: st.DrawFn) -> tuple[str, Planted]:
    """A hash of an attachment, with the name of its field."""
    field, size = draw(st.sampled_from([("sha256", 64), ("sha1", 40), ("md5", 32)]))
    digits = f"{draw(st.integers(1, 16**size - 1)):0{size}x}"
    spelled = draw(st.sampled_from([digits, digits.upper(), " ".join(digits[at : at + 2] for at in range(0, size, 2))]))
    form = draw(st.sampled_from(HASH_FORMS if spelled[2] != " " else HASH_FORMS[:-2]))
    return field, Planted("attachment_hash", form.format(spelled), digits)


@st.composite
def message_ids(draw: st.DrawFn) -> Planted:
    """A Message-ID with or without brackets."""
    value = draw(st.text("abcXYZ019.+-_=$", min_size=1, max_size=30)) + "@Mail.test"
    form = draw(st.sampled_from(["<{}>", "{}", " <{}>\r\n", "<<{}>>", "< {} >"]))
    return Planted("message_id", form.format(value), value.lower())


# --- emails -----------------------------------------------------------------------------------------------------------


def decoys(count: int, place: str) -> list[str]:
    """Names that are in no planted indicator."""
    return [f"{place}{number}.decoy.example" for number in range(count)]


@st.composite
def mails(draw: st.DrawFn, *, decoys_before: tuple[int, ...] = (0, 2, 60)) -> Mail:
    """An email with one indicator in each field, behind up to 60 decoys of the same field, and before three."""
    before, after = draw(st.sampled_from(decoys_before)), 3
    link, redirect, shown = draw(urls()), draw(urls(in_text=True)), draw(urls(in_text=True))
    value, detail = draw(urls(in_text=True)), draw(urls(in_text=True))
    sender, envelope, reply = (draw(addresses("sender")) for _ in range(3))
    header_from, header_reply = (draw(addresses("sender")) for _ in range(2))
    to, envelope_to, client, cc = (draw(addresses("recipient")) for _ in range(4))
    ip, origin, (field, hashed), (_, named_hash) = draw(ips()), draw(ips()), draw(hashes()), draw(hashes())
    message_id, second_id = draw(message_ids()), draw(message_ids())
    pld = ".".join(draw(st.lists(st.sampled_from(["evil", "BÜCHER", "x-ray"]), min_size=1, max_size=2))) + ".test"

    def among(item: object, decoy: str, make: Any, most: int = 60) -> list[Any]:
        first, last = decoys(min(before, most), decoy), decoys(after, f"{decoy}-after")
        return [*map(make, first), item, *map(make, last)]

    sentence = draw(st.sampled_from(SENTENCES))
    detection = {
        "links": [
            *among({"href": link.written, "text": "click"}, "link", lambda it: {"href": f"https://{it}/a"}),
            {"href": f"https://decoy.example/?to={redirect.written}"},
            {"href": "https://decoy.example/", "text": shown.written},
        ],
        "findings": [
            *among(
                {"name": "qr_code", "value": value.written, "detail": sentence.format(detail.written)},
                "finding",
                lambda it: {"name": "look", "detail": f"saw https://{it}/a and {it}", "value": f"https://{it}/b"},
                most=20,
            ),
            {"name": "hash", "detail": f"attachment {named_hash.canonical.upper()} is known", "score": 0.5},
        ],
        "attachments": among(
            {"size": 7, "name": "a.pdf", field: hashed.written},
            "file",
            lambda it: {"size": 1, "name": it, "sha256": f"{sum(map(ord, it)):064x}"},
        ),
        "headers": [
            *among({"name": "From", "value": header_from.written}, "from", lambda it: {"name": "X", "value": it}),
            {"name": "reply-to", "value": header_reply.written},
            {"name": "CC", "value": ", ".join(among(cc.written, "cc", lambda it: f'"Lee, {it}" <ann@{it}>', most=20))},
            {"name": "Message-ID", "value": message_id.written},
            {"name": "Message-Id", "value": second_id.written},
            {"name": "X-Originating-IP", "value": origin.written},
        ],
        "sender_info": {"ip": ip.written, "pld": draw(st.sampled_from([pld, f"{pld}.", f" {pld}", pld.upper()]))},
        "threat_categories": [{"id": 1, "name": "Phish"}],
    }
    details = {
        "from": sender.written,
        "envelope_from": envelope.written,
        "replyto": reply.written,
        "to": [to.written],
        "envelope_to": [envelope_to.written],
        "client_recipients": among(client.written, "client", lambda it: f"ann@{it}")[: before + 1],
        "message_id": draw(st.sampled_from([None, message_id.written])),
    }
    domain = Planted("sender_domain", pld, pld.replace("BÜCHER", "xn--bcher-kva"))
    planted = [
        link,
        redirect,
        shown,
        value,
        detail,
        sender,
        envelope,
        reply,
        header_from,
        header_reply,
        to,
        envelope_to,
    ]
    planted += [client, cc, ip, origin, hashed, message_id, second_id, domain]
    planted += [Planted("attachment_hash", named_hash.canonical, named_hash.canonical)]
    return Mail(detection, details, planted)
