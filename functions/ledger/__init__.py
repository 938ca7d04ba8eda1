"""The audit trail in DynamoDB, which is also the outbox: nothing is published that was not claimed here first.

record.py   what is written down about a decision, and under which key
ledger.py   claim, mark and record: one call for a whole batch, unless some of it is refused
"""
