"""The table in memory compared with a real one."""

from dataclasses import replace
from typing import Any

from functions.ledger.attribute_values import from_item
from tests.history.conftest import MakeLedger
from tests.history.in_memory_table import write
from tests.history.sample_history import sample_history


def test_table_in_memory_takes_writes_like_a_real_table(make_ledger: MakeLedger) -> None:
    """The items are the same with and without it."""
    first, *others = sample_history(40)
    samples = [replace(first, pending=not first.is_decision_only), *others]
    in_memory, direct = make_ledger(samples), make_ledger([])

    write(direct.ledger, samples)

    def items(table: str) -> dict[tuple[str, str], dict[str, Any]]:
        pages = in_memory.dynamodb.get_paginator("scan").paginate(TableName=table)
        found = [from_item(item) for page in pages for item in page["Items"]]
        return {(it["pk"], it["sk"]): it for it in found}

    assert items(direct.table) == items(in_memory.table)
    assert {"PENDING", "SENT", "RECORDED"} == {it["state"] for it in items(in_memory.table).values() if "state" in it}
