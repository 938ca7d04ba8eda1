"""Cloudflare's Email Security API, as far as escalation needs it.

message_id.py   the three forms in which a mail is named
credentials.py  the secret: cached, and fetched again when it is refused
client.py       one GET, with a total deadline and a cap on size
envelope.py     status, headers and body -> a result, or one of the errors
contract.py     the answer against schemas/detection.schema.json
detection.py    a result, as data
errors.py       what can go wrong, by what is to be done about it
"""
