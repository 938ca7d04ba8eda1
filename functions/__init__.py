"""The code that runs in AWS Lambda.

escalate    the function: from a batch of SQS messages to alerts, records and dead letters
alert       the content of an alert
ledger      the DynamoDB table of records and claims
cloudflare  the client for Cloudflare's Email Security API
domain      the data that all of them share: ids, detections, message details, severity, outcomes

Modules: `schema.py` validates JSON, `aws.py` has AWS errors and batch limits, `metrics.py` the dimensions of metrics,
`release.py` the version.
"""
