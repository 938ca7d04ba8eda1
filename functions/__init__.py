"""What runs in AWS Lambda: `escalate` is the function; `cloudflare` and `ledger` are the two systems it stands between.

Beside them: `schema.py` for the JSON schemas, `aws.py` for how AWS fails, `release.py` for which release this is.
"""
