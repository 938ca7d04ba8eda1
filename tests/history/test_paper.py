"""The table on paper, by which thousands of records come into a test, against a real one."""

from dataclasses import replace
from typing import Any

from functions.ledger.wire import from_item
from tests.history.conftest import MakeLedger
from tests.history.paper import write
from tests.history.past import past


def test_paper(make_ledger: MakeLedger) -> None:
    """What the ledger writes by itself, and what came by way of paper, is the same."""
    first, *others = past(40)
    samples = [replace(first, pending=not first.observed), *others]
    by_paper, by_itself = make_ledger(samples), make_ledger([])

    write(by_itself.ledger, samples)

    def items(table: str) -> dict[tuple[str, str], dict[str, Any]]:
        pages = by_paper.dynamodb.get_paginator("scan").paginate(TableName=table)
        found = [from_item(item) for page in pages for item in page["Items"]]
        return {(it["about"], it["entry"]): it for it in found}

    assert items(by_itself.table) == items(by_paper.table)
    assert {"PENDING", "SENT", "RECORDED"} == {it["state"] for it in items(by_paper.table).values() if "state" in it}
