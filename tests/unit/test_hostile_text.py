"""200,000 hostile texts: none becomes a link in an alert, or a formula in a spreadsheet."""

import csv

import pytest

from ops.escalator.text.csv_lines import csv_line
from tests.unit.hostile_texts import CELL_PIECES, FORMULAS, LINK_PIECES, shown, texts
from tests.unit.mail_client import links


def test_no_text_becomes_a_link() -> None:
    assert [] == [it for it in shown(1, LINK_PIECES) if links(it)][:5]


def formulas(line: str) -> list[str]:
    """Cells that a spreadsheet could run, wherever it splits the line.

    It drops white space, invisible characters and quotes before it decides whether a cell is a formula.
    """
    cells = [cell for delimiter in ",;\t" for row in csv.reader([line], delimiter=delimiter) for cell in row]
    # Some programs do not know quotes.
    cells += [cell for delimiter in ",;\t" for cell in line.split(delimiter)]
    return [
        it for it in cells if it.lstrip(' "\xa0\u3000\u200b\u200e\u2060\ufeff\xad\n\r\t').startswith(tuple(FORMULAS))
    ]


def test_no_text_becomes_a_formula_where_a_spreadsheet_splits() -> None:
    lines = ((text, csv_line(["a", text, "b"])) for text in texts(2, CELL_PIECES))
    assert [] == [it for it in lines if it[1].count("\n") != 1 or formulas(it[1])][:5]


KNOWN = ["=1", "\uff1d1", "a;=1", 'a;"=1"', "a,\t@SUM(1)", '"a;=1"', "\u200b=1", "a, -1"]


@pytest.mark.parametrize("line", KNOWN)
def test_reader_knows_a_formula(line: str) -> None:
    assert formulas(line)
