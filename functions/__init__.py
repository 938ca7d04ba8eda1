"""What runs in AWS Lambda: `escalate` is the function; `cloudflare` and `ledger` are the two systems it stands between."""
