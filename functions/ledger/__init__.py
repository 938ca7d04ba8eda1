"""The ledger: records of decisions in DynamoDB, and the claims that keep alerts from being lost or repeated.

ledger.py            the operations: claim, mark, record
last_alert.py        the last alert about an email, and how a new decision relates to it
item.py              the item of a record
keys.py              the keys of all items, the indexes and the pointers
transaction.py       groups of writes, each done as a whole or refused
attribute_values.py  values in DynamoDB's JSON
"""
