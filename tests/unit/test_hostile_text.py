"""200,000 hostile texts: none becomes a link in an alert, or a formula in a spreadsheet.

The texts come from a seed, and are made of the pieces that matter: hypothesis finds the corners, this the combinations.
"""

import csv
import random
from collections.abc import Iterator
from itertools import islice

from functions.alert.links import shown_link
from functions.alert.sanitize import defanged
from ops.escalator.text.csv_lines import csv_line
from tests.unit.mail_client import links

CASES = 100_000
LINK_PIECES = (
    *("http", "https", "HTTP", "://", ":", "//", "\\\\", "/", "www", "WWW", "ftp", "mailto:", "tel:", "javascript:"),
    *(
        "evil",
        "example",
        "com",
        "xn--p1ai",
        "co.uk",
        ".",
        "\u3002",
        "\uff0e",
        "@",
        "a",
        "1",
        "127.0.0.1",
        "[::1]",
        "2001:db8::1",
    ),
    *(
        " ",
        "\t",
        "\n",
        "\u200b",
        "\u202e",
        "\xad",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "00:42",
        "2026-11-17T08:12:44",
        "+1 555 0100 200",
    ),
)
FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20"
CELL_PIECES = (
    *FORMULAS,
    ";",
    ",",
    "\t",
    "\n",
    "\r",
    '"',
    "'",
    " ",
    "|",
    "cmd",
    "1",
    "A1",
    "!",
    "\u200b",
    "(",
    ")",
    "\xa0",
)


def texts(seed: int, pieces: tuple[str, ...]) -> Iterator[str]:
    """Random texts of up to ten pieces."""
    chance = random.Random(seed)
    return ("".join(chance.choices(pieces, k=chance.randint(1, 10))) for _ in range(CASES))


def test_no_text_becomes_a_link() -> None:
    assert [] == [(text, defanged(text)) for text in texts(1, LINK_PIECES) if links(defanged(text))][:5]


def test_no_link_that_is_cut_becomes_a_link() -> None:
    cut = [(text, shown_link(text, 40)) for text in islice(texts(3, LINK_PIECES), CASES // 10)]
    assert [] == [it for it in cut if links(it[1])][:5]


def test_no_text_becomes_a_formula_where_a_spreadsheet_splits() -> None:
    """A spreadsheet drops white space and quotes before it decides whether a cell is a formula."""
    found = []
    for text in texts(2, CELL_PIECES):
        line = csv_line(["a", text])
        for delimiter in ",;\t":
            cells = next(csv.reader([line], delimiter=delimiter))
            found += [(text, line) for cell in cells if cell.strip(' "\u00a0').startswith(tuple(FORMULAS))]
    assert [] == found[:5]
