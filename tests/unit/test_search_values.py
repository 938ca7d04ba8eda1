"""Values by which a record can be found, from text that an attacker wrote."""

import pytest

from functions.domain.search_values import MAX_CATEGORIES, MAX_VALUES, SearchKind, search_value, search_values
from tests.unit.examples import details, detection


def found(kind: SearchKind, **fields: object) -> tuple[str, ...]:
    """The values of one kind in a detection with these fields."""
    return search_values(detection(**fields), None).values[kind]


def hosts(*hrefs: object) -> tuple[str, ...]:
    """The link hosts of an email with these links."""
    return found(SearchKind.LINK_HOST, links=[{"href": href} for href in hrefs])


def test_email_without_detection_and_details_has_no_values() -> None:
    empty = detection(links=[{}], attachments=[{}], threat_categories=[{}])
    for values in (search_values(None, None), search_values(empty, None)):
        assert {()} == {*values.values.values()}
        assert {} == values.cut


def test_message_details_alone_give_recipients_senders_and_message_id() -> None:
    values = search_values(None, details(replyto="Drop@other.example")).values
    assert ("gareth@larkfield.example",) == values[SearchKind.RECIPIENT]
    assert ("pay@evil.example", "bounce@evil.example", "drop@other.example") == values[SearchKind.SENDER]
    assert ("evil.example", "other.example") == values[SearchKind.SENDER_DOMAIN]
    assert ("1@evil.example",) == values[SearchKind.MESSAGE_ID]


# --- links ------------------------------------------------------------------------------------------------------------

HREFS: dict[str, tuple[object, tuple[str, ...]]] = {
    "upper case": ("HTTPS://Login.EVIL.example/", ("login.evil.example",)),
    "port": ("https://evil.example:8443/a", ("evil.example",)),
    "user name": ("https://bank.example@evil.example/", ("evil.example",)),
    "user name and password": ("https://bank.example:443@evil.example/", ("evil.example",)),
    "IPv4 address": ("http://192.0.2.1/", ("192.0.2.1",)),
    "IPv6 address": ("http://[2001:DB8::1]:80/", ("2001:db8::1",)),
    "three slashes": ("https:///evil.example/a", ("evil.example",)),
    "no scheme": ("evil.example/a", ("evil.example",)),
    "path on the same site": ("/a", ()),
    "telephone number": ("tel:+4915112345678", ()),
    "email address": ("mailto:a@evil.example", ()),
    "script": ("javascript:alert(1)", ()),
    "empty": ("", ()),
    "line break in the host": (" https://evil\n.example/", ("evil.example",)),
    "fragment": ("https://a#b/", ("a",)),
    "IDN": ("https://\u0435vil.example/", ("xn--vil-qdd.example",)),
    "invalid port": ("https://evil.example:x/", ("evil.example",)),
    "host of 5,000 characters": (f"https://{'a' * 5_000}/", ("a" * 500,)),
    "number": (7, ()),
    "null": (None, ()),
}


@pytest.mark.parametrize(("href", "expected"), HREFS.values(), ids=HREFS)
def test_host_of_a_link_is_found_in_every_spelling(href: object, expected: tuple[str, ...]) -> None:
    assert expected == hosts(href)


def test_repeated_host_is_one_value() -> None:
    links = (f"https://{host}/{n}" for n in range(200) for host in ("evil.example", "EVIL.example"))
    assert ("evil.example",) == hosts(*links)


SAME_VALUE = {
    "same after the cut": [f"https://{'a' * 500}{n}/" for n in range(20)],
    "upper and lower case of an IDN": ["https://B\u00dcCHER.example/", "https://b\u00fccher.example/"],
}


@pytest.mark.parametrize("hrefs", SAME_VALUE.values(), ids=SAME_VALUE)
def test_values_that_become_equal_are_one_value(hrefs: list[str]) -> None:
    """DynamoDB refuses a transaction with the same key twice, and the whole index write with it."""
    assert 1 == len(hosts(*hrefs))


QR_FINDING = {"name": "qr_code", "detail": "QR code leads to https://qr.evil.example/login, in the body"}


def test_qr_url_of_a_finding_is_a_link_host_and_comes_first() -> None:
    links = [{"href": "https://harmless.example/"}]
    assert ("qr.evil.example", "harmless.example") == found(SearchKind.LINK_HOST, findings=[QR_FINDING], links=links)


def test_hundred_decoy_links_do_not_hide_the_url_of_a_finding() -> None:
    links = [{"href": f"https://decoy{n}.example/"} for n in range(100)]
    values = search_values(detection(findings=[QR_FINDING], links=links), None)
    assert "qr.evil.example" == values.values[SearchKind.LINK_HOST][0]
    assert {SearchKind.LINK_HOST: 1} == values.cut


def test_hash_and_sender_address_of_a_finding_are_values() -> None:
    findings = [{"value": "f" * 64}, {"reason": "Reply goes to drop@other.example"}, {"value": "bare.evil.example"}]
    assert ("f" * 64,) == found(SearchKind.ATTACHMENT_HASH, findings=findings)
    assert ("drop@other.example",) == found(SearchKind.SENDER, findings=findings)
    assert ("bare.evil.example",) == found(SearchKind.LINK_HOST, findings=findings)


# --- limits -----------------------------------------------------------------------------------------------------------

LIMITS = {SearchKind.CATEGORY: MAX_CATEGORIES, SearchKind.LINK_HOST: MAX_VALUES}


@pytest.mark.parametrize(
    "kind", [SearchKind.LINK_HOST, SearchKind.ATTACHMENT_HASH, SearchKind.CATEGORY, SearchKind.RECIPIENT]
)
def test_first_values_of_a_kind_are_kept_and_the_others_are_counted(kind: SearchKind) -> None:
    """A kind with many values takes no room from another kind."""
    names = [f"{n}.example" for n in range(1_000)]
    values = search_values(
        detection(
            links=[{"href": f"https://{name}/"} for name in names],
            attachments=[{"sha256": f"{n:064x}"} for n in range(1_000)],
            threat_categories=[{"name": name} for name in names],
        ),
        details(client_recipients=[f"a@{name}" for name in names], to=[], envelope_to=[]),
    )
    spelled = {SearchKind.ATTACHMENT_HASH: lambda n: f"{n:064x}", SearchKind.RECIPIENT: lambda n: f"a@{n}.example"}
    limit = LIMITS.get(kind, MAX_VALUES)
    assert tuple(spelled.get(kind, lambda n: f"{n}.example")(n) for n in range(limit)) == values.values[kind]
    assert 1_000 - limit == values.cut[kind]


# --- one value for every spelling -------------------------------------------------------------------------------------

SPELLINGS = {
    "host": (SearchKind.LINK_HOST, ["https://EVIL.example/a", "evil.example.", "//user@evil.example:8443"]),
    "domain": (SearchKind.SENDER_DOMAIN, ["Evil.Example", "evil.example.", " evil.example\n"]),
    "IP address": (SearchKind.SENDER_IP, ["192.0.2.1", "::ffff:192.0.2.1", "[192.0.2.1]"]),
    "address": (
        SearchKind.SENDER,
        ["Ann.Lee@Corp.example", '"Lee, Ann" <ann.lee@corp.example>', "<ANN.LEE@corp.example>"],
    ),
    "recipient": (SearchKind.RECIPIENT, ["Ann@Corp.example", "Ann <ann@corp.example>", "ann@corp.example "]),
    "hash": (SearchKind.ATTACHMENT_HASH, ["E3B0" * 16, "e3b0" * 16, "sha256:" + "e3 b0 " * 16]),
    "Message-ID": (SearchKind.MESSAGE_ID, ["<CAF+1@mail.Example>", "caf+1@mail.example", " <caf+1@MAIL.example>\n"]),
    "category": (SearchKind.CATEGORY, ["Credential Harvester", "credential  harvester", " CREDENTIAL HARVESTER\n"]),
}


@pytest.mark.parametrize(("kind", "texts"), SPELLINGS.values(), ids=SPELLINGS)
def test_three_spellings_give_one_value(kind: SearchKind, texts: list[str]) -> None:
    assert 1 == len({search_value(kind, text) for text in texts})


@pytest.mark.parametrize(("kind", "texts"), SPELLINGS.values(), ids=SPELLINGS)
def test_value_of_a_value_is_the_value(kind: SearchKind, texts: list[str]) -> None:
    """A search can use a value from the table."""
    value = search_value(kind, texts[0])
    assert value == search_value(kind, value)


# --- the sender -------------------------------------------------------------------------------------------------------


def test_from_envelope_reply_to_and_pld_are_sender_domains() -> None:
    values = search_values(
        detection(
            sender_info={"pld": "Pld.example", "ip": "192.0.2.1"},
            headers=[{"name": "Reply-To", "value": "Help <help@reply.example>"}, {"name": "X", "value": "a@x.example"}],
        ),
        details(**{"from": "pay@from.example", "envelope_from": "bounce@envelope.example"}),
    ).values
    domains = ("pld.example", "from.example", "envelope.example", "reply.example")
    assert domains == values[SearchKind.SENDER_DOMAIN]
    assert ("192.0.2.1",) == values[SearchKind.SENDER_IP]


SENDERS: dict[str, tuple[str | None, str | None, str | None]] = {
    "domain from Cloudflare": ("Evil.Example", "a@other.example", "evil.example"),
    "domain from the From header": (None, "Payroll <pay@Evil.example>", "evil.example"),
    "address in the display name": (None, '"boss@larkfield.example" <x@evil.example>', "evil.example"),
    "header without a domain": (None, "Payroll", None),
    "no header": (None, None, None),
    "domain of 5,000 characters": ("x" * 5_000, None, "x" * 500),
    "5,000 nested comments": (None, "(" * 5_000, None),
    "5,000 nested groups": (None, ":" * 5_000, None),
}


@pytest.mark.parametrize(("pld", "header", "expected"), SENDERS.values(), ids=SENDERS)
def test_first_sender_domain_is_that_of_cloudflare_or_of_the_from_header(
    pld: str | None, header: str | None, expected: str | None
) -> None:
    headers = [{"name": "From", "value": header}] if header else []
    domains = found(SearchKind.SENDER_DOMAIN, sender_info={"pld": pld}, headers=headers)
    assert expected == next(iter(domains), None)


# --- more text than a record needs ------------------------------------------------------------------------------------

NAMES = [f"{n}.example" for n in range(10_000)]
PLANTED = "drop@evil.example"
MANY: dict[str, tuple[dict[str, object], SearchKind, str]] = {
    "links": ({"links": [{"href": f"https://{it}/{'x' * 60}"} for it in NAMES]}, SearchKind.LINK_HOST, "0.example"),
    "redirects": (
        {"links": [{"href": f"https://safe.example/{'u=https%3A%2F%2F' * 9}{it}"} for it in NAMES]},
        SearchKind.LINK_HOST,
        "safe.example",
    ),
    "texts of links": (
        {"links": [{"href": "https://a.example", "text": f"https://{it}/"} for it in NAMES]},
        SearchKind.LINK_HOST,
        "a.example",
    ),
    "hashes": (
        {"attachments": [{"sha256": f"{n:064x}", "md5": f"{n:032x}"} for n in range(10_000)]},
        SearchKind.ATTACHMENT_HASH,
        f"{0:064x}",
    ),
    "findings": (
        {"findings": [{"value": f"https://{it}/", "detail": f"by a@{it}"} for it in NAMES]},
        SearchKind.LINK_HOST,
        "0.example",
    ),
    "long findings": (
        {"findings": [{"value": f"{it} {'word ' * 1_000}"} for it in NAMES[:300]]},
        SearchKind.SENDER_IP,
        "192.0.2.1",
    ),
    "From headers": (
        {"headers": [{"name": "From", "value": f"a@{it}"} for it in NAMES]},
        SearchKind.SENDER,
        "a@0.example",
    ),
    "Reply-To headers of 200 addresses": (
        {"headers": [{"name": "Reply-To", "value": ", ".join(f"a@{n}.{it}" for n in range(200))} for it in NAMES[:99]]},
        SearchKind.SENDER_DOMAIN,
        "evil.example",
    ),
    "To headers": (
        {"headers": [{"name": "To", "value": f"A <a@{it}>"} for it in NAMES]},
        SearchKind.RECIPIENT,
        "gareth@larkfield.example",
    ),
}


@pytest.mark.parametrize(("fields", "kind", "first"), MANY.values(), ids=MANY)
def test_first_of_many_texts_is_found_and_those_that_are_not_read_are_counted(
    fields: dict[str, object], kind: SearchKind, first: str
) -> None:
    values = search_values(detection(**{"sender_info": {"ip": "192.0.2.1", "pld": "evil.example"}} | fields), details())
    found = values.values[kind]
    assert first in found
    assert (True, True) == (values.cut[kind] > 0, kind in values.full)


@pytest.mark.parametrize(("fields", "kind", "first"), MANY.values(), ids=MANY)
def test_what_a_finding_names_is_found_before_many_texts(
    fields: dict[str, object], kind: SearchKind, first: str
) -> None:
    """Only findings themselves can hide a finding. A finding's value comes before all other texts."""
    findings = [{"value": f"https://evil.example/ {PLANTED} {'f' * 64}"}]
    findings += fields.get("findings", [])  # type: ignore[arg-type]
    found = search_values(detection(**fields | {"findings": findings}), None).values
    assert "evil.example" == found[SearchKind.LINK_HOST][0]
    assert PLANTED in found[SearchKind.SENDER]
    assert "f" * 64 == found[SearchKind.ATTACHMENT_HASH][0]


def test_kind_that_is_cut_below_its_limit_counts_as_full() -> None:
    """A search then says that the record may have further values."""
    links = [{"href": f"https://evil.example/{n}{'x' * 1_000}"} for n in range(1_000)]
    values = search_values(detection(links=links), None)
    assert ("evil.example",) == values.values[SearchKind.LINK_HOST]
    assert [SearchKind.LINK_HOST] == values.full
    assert 700 < values.cut[SearchKind.LINK_HOST] < 800
