"""moto's transactions, without a copy of the whole table.

moto copies the table before each write of a transaction, up to 100 times in one call, so that it can undo a refused
transaction. With some thousand records this takes longer than the function waits for DynamoDB, and gigabytes of memory.
Here, only the items of the transaction are copied.
"""

import copy
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

_transact_write_items = DynamoDBBackend.transact_write_items


def copy_only_written_items() -> None:
    """Replace how moto undoes a refused transaction, in this process. A second call changes nothing."""
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]


def _transact(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    copies = [copied for write in transact_items for copied in _copied(self, write)]
    Table.__deepcopy__ = lambda table, _memo: table  # type: ignore[attr-defined]
    try:
        _transact_write_items(self, transact_items)
    except Exception:
        for table, (hash_key, range_key), item in copies:
            if item is not None:
                table.items[hash_key][range_key] = item
            else:
                table.items[hash_key].pop(range_key, None)
        raise
    finally:
        del Table.__deepcopy__  # type: ignore[attr-defined]


def _copied(
    backend: DynamoDBBackend, write: dict[str, Any]
) -> list[tuple[Table, tuple[DynamoType, DynamoType], Item | None]]:
    """Copy the item that a write changes. The list is empty for a write that DynamoDB refuses anyway."""
    [operation] = write.values()
    table = backend.tables.get(operation.get("TableName", ""))
    attributes = operation.get("Key") or operation.get("Item") or {}
    if table is None or table.hash_key_attr not in attributes or table.range_key_attr not in attributes:
        return []
    hash_key, range_key = DynamoType(attributes[table.hash_key_attr]), DynamoType(attributes[table.range_key_attr])
    return [(table, (hash_key, range_key), copy.deepcopy(table.get_item(hash_key, range_key)))]
