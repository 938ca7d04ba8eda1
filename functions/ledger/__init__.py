"""The audit trail in DynamoDB, which is also the outbox: nothing is published that was not claimed here first.

keys.py         where things stand in the table, and which index answers which question
record.py       one decision about one mail
item.py         a record as an item's attributes, and back
pointers.py     what a record can be found by that it may have several of
standing.py     what was last told about a mail, and what that makes of a new decision
ledger.py       claim, mark and record: one call for a whole batch, unless some of it is refused
transaction.py  groups of writes, each whole or refused
wire.py         values as DynamoDB writes them
"""
