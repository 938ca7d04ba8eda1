"""Replace one address, and the names beside it, in any text of a record.

The address is found as written, URL-encoded in a link, quoted-printable, in an encoded word (RFC 2047), as in a bounce
address (`bounce-ann=corp.example@...`), and in every other spelling that the canonical form of an address takes together.
A longer address that contains it is another person's, and stays.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from functions.domain.addresses import addresses
from functions.domain.encoded_words import decoded

_SEPARATORS = "20|22|26|27|28|2C|2F|3A|3C|3D|3F|5B"
"""The codes of characters that can stand before an address, as in `%3Cann%40corp.example%3E`."""
_START = rf"(?:(?<=%(?:{_SEPARATORS}))|(?<![\w.+%~-])(?<!\w'))"
_START_QUOTED = rf"(?:(?<==(?:{_SEPARATORS}))|(?<![\w.+=~-]))"
_END = r"(?![\w-]|\.\w)"
_NAME = r'(?P<before>^|[,;:])(?P<name>\s*(?:"(?:[^"\\]|\\.)*"|[^<>,;:"]*))\s*<\s*'
_FOR = re.compile(r"\bfor\s*$", re.IGNORECASE)
"""Received headers: `by mx.corp.example with ESMTPS id 1 for <ann@corp.example>`. This is no name."""
_CUT = "…"
"""How the ledger ends a text that it has cut."""


@dataclass(frozen=True)
class Person:
    """Who is erased.

    address:     canonical. names: written by the operator.
    placeholder: what the address becomes: an address that no one can have, so that headers keep their form.
    """

    address: str
    placeholder: str
    names: Sequence[str] = ()

    def erased(self, text: str) -> str:
        """The text without the person."""
        result = self._replaced(text)
        if "=?" in result:
            plain = decoded(result)
            other = self._replaced(plain)
            result = result if other == plain else other
        if "@" in result and self.address in (found := addresses(result)):
            result = ", ".join(self.placeholder if it == self.address else it for it in found)
        return result

    def erased_value(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """DynamoDB's attribute value without the person. Names of members stay."""
        [(kind, it)] = value.items()
        match kind:
            case "S":
                return {"S": self.erased(it)}
            case "L":
                return {"L": [self.erased_value(element) for element in it]}
            case "M":
                return {"M": {name: self.erased_value(member) for name, member in it.items()}}
        return {kind: it}

    def _replaced(self, text: str) -> str:
        text = self._in_angles.sub(self._without_name, text)
        text = self._with_comment.sub(self.placeholder, text)
        for pattern in self._written:
            text = pattern.sub(self.placeholder, text)
        text = self._cut_short(text)
        return self._named.sub(self.placeholder.partition("@")[0], text) if self._named else text

    def _without_name(self, match: re.Match[str]) -> str:
        name = match["name"].rstrip() if _FOR.search(match["name"]) else ""
        space = " " if name or match["before"] else ""
        return f"{match['before']}{name}{space}<{self.placeholder}>"

    def _cut_short(self, text: str) -> str:
        """The text without the beginning of the address at its end, where the ledger has cut it."""
        if not text.endswith(_CUT):
            return text
        lower, shortest = text[: -len(_CUT)].lower(), len(self._local) + 1
        for length in range(len(self.address), shortest - 1, -1):
            if lower.endswith(self.address[:length]):
                return f"{text[: len(lower) - length]}{self.placeholder}"
        return text

    @property
    def _local(self) -> str:
        return self.address.rpartition("@")[0]

    @cached_property
    def _forms(self) -> tuple[str, str]:
        """Patterns of the local part and of the domain."""
        bare, domain = self._local.strip('"'), self.address.rpartition("@")[2]
        names = dict.fromkeys((self._local, bare, quote(bare, safe="+"), quote(bare, safe="")))
        domains = dict.fromkeys((domain, _in_unicode(domain)))
        return _any_of(names), _any_of(domains)

    @cached_property
    def _plain(self) -> str:
        local, domain = self._forms
        return rf"{_START}{local}(?:@|%40){domain}{_END}"

    @cached_property
    def _written(self) -> tuple[re.Pattern[str], ...]:
        local, domain = self._forms
        patterns = (
            self._plain,
            rf"{_START_QUOTED}{local}=40{domain}{_END}",
            rf"(?<![\w.]){local}={domain}{_END}",
        )
        return tuple(re.compile(it, re.IGNORECASE) for it in patterns)

    @cached_property
    def _in_angles(self) -> re.Pattern[str]:
        return re.compile(rf"{_NAME}{self._plain}\s*>", re.IGNORECASE)

    @cached_property
    def _with_comment(self) -> re.Pattern[str]:
        return re.compile(rf"{self._plain}\s*\([^()]*\)", re.IGNORECASE)

    @cached_property
    def _named(self) -> re.Pattern[str] | None:
        names = [it.strip() for it in self.names if it.strip()]
        return re.compile(rf"(?<!\w){_any_of(names)}(?!\w)", re.IGNORECASE) if names else None


def _any_of(texts: Mapping[str, None] | Sequence[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(texts, key=len, reverse=True)))})"


def _in_unicode(domain: str) -> str:
    """The domain as a person writes it."""
    try:
        return domain.encode("ascii").decode("idna").lower()
    except UnicodeError:
        return domain
