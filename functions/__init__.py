"""What runs in AWS Lambda: `escalate` is the function, `alert` what it publishes.

It stands between two systems: `cloudflare`, which it asks, and `ledger`, where it keeps what it did.

Beside them: `schema.py` for the JSON schemas, `aws.py` for how AWS fails, `release.py` for which release this is.
"""
