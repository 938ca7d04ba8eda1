"""The ledger: records of decisions in DynamoDB, and the claims that keep alerts from being lost or repeated.

ledger.py            the operations: look up, claim, mark, index, record
claim.py             claims: one worker at a time holds an alert
email_item.py        the item of an email: its deliveries and its last alert
item.py              the item of a record
keys.py              the keys of all items, and the indexes
table.py             the edge to DynamoDB
transaction.py       groups of writes, each done as a whole or refused
attribute_values.py  values in DynamoDB's JSON
"""
